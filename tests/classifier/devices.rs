//! Several devices, the reference among them, and devices that are lost.

use densenet_wgpu::devices::Device;
use densenet_wgpu::image::Picture;
use densenet_wgpu::predictions::StreamOptions;
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Error, Gpu, Prediction, Result, Source};

use crate::common::device::{open_gpu, pretending};
use crate::{PICTURE, classifier, digits, examples, on_the_processor, options, patiently, shown};

#[test]
fn the_reference_is_a_device_and_shares_with_others() {
    let model = digits();
    let input = model.preprocessing.clone().unwrap().apply(&Picture::open(PICTURE).unwrap()).unwrap();
    let expected = Reference::new(model.graph(64, 64).unwrap(), model.weights.clone()).unwrap().run(&input.values, 64, 64).unwrap();
    assert_eq!(classifier(on_the_processor()).classify(PICTURE).unwrap().logits(), Some(&expected[..]));

    let both = classifier(options().with_devices(vec![open_gpu().into(), Device::Reference]).with_batch(1));
    assert_eq!(both.devices().len(), 2);
    let paths = examples();
    let labels: Vec<String> =
        both.classify_all(paths.clone()).unwrap().map(|p| p.unwrap().top_k(1).unwrap().swap_remove(0).label).collect();
    assert_eq!(labels, paths.iter().map(|path| shown(path)).collect::<Vec<_>>());
    // Alone, they take turns.
    let blocking = || both.classify(PICTURE);
    let awaited = || pollster::block_on(both.classify_async(PICTURE));
    for classify in [&blocking as &dyn Fn() -> Result<Prediction>, &awaited] {
        let logits = [classify(), classify()].map(|prediction| prediction.unwrap().logits().unwrap().to_vec());
        assert!(logits[0] != logits[1] && logits.contains(&expected), "one of each");
    }
}

#[test]
fn inputs_of_a_device_that_is_gone_say_so() {
    let gpu = open_gpu();
    let classifier = classifier(options().with_device(gpu.clone()).with_batch(1));
    assert!(classifier.classify(PICTURE).is_ok());
    gpu.device().destroy();
    assert!(classifier.classify(PICTURE).is_err());
    let results: Vec<_> = patiently(move || classifier.classify_all(vec![PICTURE; 40]).unwrap().collect());
    assert_eq!(results.len(), 40);
    assert!(results.iter().all(Result::is_err));
}

#[test]
fn a_device_that_is_lost_costs_what_it_had_begun_and_another_goes_on() {
    let opened = open_gpu();
    // The loss of a program's own device is known only from what fails there.
    let own = pretending(Gpu::from_device(opened.device().clone(), opened.queue().clone()));
    [open_gpu(), own].into_iter().for_each(a_lost_device_beside_another);
}

fn a_lost_device_beside_another(gpu: Gpu) {
    let devices = vec![gpu.clone().into(), open_gpu().into()];
    let classifier = classifier(options().with_devices(devices).with_batch(2));
    let all = |count: usize| (0..count).map(|index| (index, Source::from(PICTURE)));
    let sharing = classifier.clone();
    let failed = patiently(move || {
        let answers = sharing.stream(all(80), StreamOptions::default()).unwrap();
        let mut failed = 0;
        let mut count = 0;
        for (index, prediction) in answers {
            assert_eq!(index, count);
            count += 1;
            match prediction {
                Ok(prediction) => assert_eq!(prediction.top_k(1).unwrap()[0].label, "7"),
                Err(Error::DeviceLost { .. } | Error::DeviceFailed { .. }) => failed += 1,
                Err(error) => panic!("{index}: {error:?}"),
            }
            if index == 5 {
                gpu.device().destroy();
            }
        }
        assert_eq!(count, 80);
        failed
    });
    // A batch that is waited for, the next, and one for which pictures were being read.
    assert!(failed <= 3 * 2, "{failed}");
    // That it is lost is known from what failed there, at the latest now; afterwards nothing is tried there any more.
    let _ = (classifier.classify(PICTURE), classifier.classify(PICTURE));
    assert!(matches!(classifier.failure(), Some(Error::DeviceLost { .. })), "{:?}", classifier.failure());
    assert!(!classifier.is_lost());
    for _ in 0..3 {
        assert!(classifier.classify(PICTURE).is_ok());
        assert!(pollster::block_on(classifier.classify_async(PICTURE)).is_ok());
        let sharing = classifier.clone();
        let results: Vec<_> = patiently(move || sharing.classify_all(vec![PICTURE; 10]).unwrap().collect());
        assert!(results.len() == 10 && results.iter().all(Result::is_ok), "{results:?}");
    }
}
