//! Models and pictures from every source.

use std::fs;
use std::path::PathBuf;

use densenet_wgpu::image::Picture;
use densenet_wgpu::{Classifier, Error, Source};

use crate::{PICTURE, by_hand, classifier, digits, on_the_processor, options};

#[test]
fn every_source_gives_what_the_chain_by_hand_gives() {
    let mut model = digits();
    let preprocessing = model.complete_description(None).preprocessing;
    let picture = Picture::open(PICTURE).unwrap();
    let input = preprocessing.apply(&picture).unwrap();
    let size = [input.height, input.width];
    let logits = by_hand(&model, model.graph(input.height, input.width).unwrap(), &input.values, size).swap_remove(0);
    let expected = model.postprocessing().top_k(&logits, 10).unwrap();
    assert_eq!(expected[0].label, "7");

    let classifier = classifier(options().with_inputs(true).with_kept_pixels(usize::MAX));
    for source in [
        Source::from(PICTURE),
        Source::from(PathBuf::from(PICTURE)),
        Source::from(fs::read(PICTURE).unwrap()),
        Source::from(include_bytes!("../../examples/digits/7-1442-8.png")),
        Source::from(picture.clone()),
        Source::values(input.values.clone(), size),
    ] {
        let prediction = classifier.classify(source.clone()).unwrap();
        assert_eq!(prediction.logits(), Some(&logits[..]), "{source:?}");
        assert_eq!(prediction.top_k(10).unwrap(), expected);
        assert_eq!(prediction.probabilities().unwrap(), model.postprocessing().probabilities(&logits));
        assert_eq!((prediction.input(), prediction.size(), prediction.crops()), (Some(input.values.clone()), size, 1));
        assert_eq!((prediction.features(), prediction.class_maps()), (None, None));
        let is_picture = prediction.picture().is_some();
        assert_eq!(prediction.picture(), is_picture.then_some(&picture));
        assert_eq!(
            prediction.picture_summary().map(|picture| (picture.height, picture.view)),
            is_picture.then(|| (8, preprocessing.view(8, 8)))
        );
    }
    let nothing_kept = self::classifier(options()).classify(PICTURE).unwrap();
    assert_eq!((nothing_kept.picture(), nothing_kept.input()), (None, None));
}

#[test]
fn a_model_comes_by_name_from_a_file_and_from_bytes() {
    let path = "models/digits.safetensors";
    let by_name = Classifier::open("digits", on_the_processor()).unwrap();
    let by_path = Classifier::open(PathBuf::from(path), on_the_processor()).unwrap();
    let by_bytes = Classifier::from_bytes(&fs::read(path).unwrap(), "digits", on_the_processor()).unwrap();
    let by_future = pollster::block_on(Classifier::open_async("digits", on_the_processor())).unwrap();
    let logits = |classifier: &Classifier| classifier.classify(PICTURE).unwrap().logits().unwrap().to_vec();
    for classifier in [&by_path, &by_bytes, &by_future] {
        assert_eq!((classifier.name(), logits(classifier)), ("digits", logits(&by_name)));
    }
    assert_eq!((by_name.devices(), by_name.size()), (&["cpu".to_owned()][..], [64, 64]));
    assert_eq!((by_name.config().num_classes, by_name.postprocessing().label(3)), (Some(10), "3".into()));
    assert!(by_name.assumed().is_empty() && by_name.warnings().is_empty() && by_name.failure().is_none());
    match Classifier::open("digit", on_the_processor()) {
        Err(Error::NoSuchModel { suggestion, .. }) => assert_eq!(suggestion.as_deref(), Some("digits")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(Classifier::open("densenet264", on_the_processor()), Err(Error::NoWeights { .. })));
    #[cfg(unix)]
    {
        let not_unicode: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"models/\xff.safetensors");
        assert!(matches!(Classifier::open(not_unicode, on_the_processor()), Err(Error::File { .. })));
    }
    match Classifier::open("models/digit.safetensors", on_the_processor()) {
        Err(error @ Error::File { .. }) => assert!(error.to_string().ends_with("did you mean models/digits.safetensors?"), "{error}"),
        other => panic!("{other:?}"),
    }
}
