//! Many inputs: their order, those that fail, and streams that are stopped or dropped.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use densenet_wgpu::predictions::StreamOptions;
use densenet_wgpu::{Error, Precision, Source};

use crate::common::device::{open_gpu, untested};
use crate::{PATIENCE, PICTURE, classifier, on_the_processor, options};

/// Numbered sources: pictures and values of two sizes, some of them slow to read, and some that fail.
fn mixed(folder: &Path) -> Vec<(usize, Source)> {
    let mut jpeg = Vec::new();
    let mut kinds = zip::ZipArchive::new(fs::File::open("tests/fixtures/pillow/kinds.zip").unwrap()).unwrap();
    kinds.by_name("rgb-420-95.jpg").unwrap().read_to_end(&mut jpeg).unwrap();
    let source = |index: usize| match index % 10 {
        3 => Source::from(folder.join("missing.png")),
        4 => Source::from(jpeg[..jpeg.len() / 3].to_vec()),
        6 => Source::values(vec![0.5; 3 * 64 * 64 + 1], [64, 64]),
        7 => Source::values(vec![0.01 * index as f32; 3 * 96 * 64], [96, 64]),
        8 => Source::values(vec![f32::NAN; 3 * 64 * 64], [64, 64]),
        9 => Source::refused(format!("refused {index}")),
        rest => {
            let (path, side) = (folder.join(format!("{index}.pgm")), if rest == 0 { 1500 } else { 8 });
            let header = format!("P5 {side} {side} 255\n").into_bytes();
            fs::write(&path, [header, vec![index as u8; side * side]].concat()).unwrap();
            Source::from(path)
        }
    };
    (0..60).map(|index| (index, source(index))).collect()
}

#[test]
fn a_source_that_fails_costs_its_own_result_and_the_order_stays() {
    let folder = tempfile::tempdir().unwrap();
    let classifier = classifier(options().with_batch(4));
    let inputs = mixed(folder.path());
    let mut found = 0;
    for (index, prediction) in classifier.stream(inputs.clone(), StreamOptions::default()).unwrap() {
        assert_eq!(index, found);
        found += 1;
        let part = match index % 10 {
            3 => "missing.png: ",
            4 => "damaged or cut off",
            6 => "expected [3, 64, 64], one image, found 12289 elements",
            8 => "expected finite numbers, found NaN at element 0",
            9 => "refused ",
            _ => {
                let alone = classifier.classify(inputs[index].1.clone()).unwrap();
                assert_eq!(prediction.unwrap().logits(), alone.logits(), "{index}");
                continue;
            }
        };
        let error = prediction.unwrap_err();
        assert!(error.to_string().contains(part), "{index}: {error}");
        assert_eq!(matches!(error, Error::File { .. }), index % 10 == 3, "{error:?}");
    }
    assert_eq!(found, inputs.len());
}

#[test]
fn images_that_no_network_takes_fail_one_by_one() {
    let classifier = classifier(options().with_batch(4));
    let sources: Vec<Source> = (0..6).map(|_| Source::values(vec![0.0; 3], [1, 1])).chain([PICTURE.into()]).collect();
    let results: Vec<_> = classifier.classify_all(sources).unwrap().collect();
    assert!(results[..6].iter().all(|result| matches!(result, Err(Error::TooSmall { .. }))), "{results:?}");
    assert!(results[6].is_ok() && results.len() == 7);
    assert!(classifier.classify("examples").unwrap_err().to_string().starts_with("examples: expected a picture, found a folder"));
}

#[test]
fn an_image_beyond_16_bit_floats_costs_no_other_its_result() {
    let gpu = open_gpu();
    if !gpu.capabilities().f16 {
        return untested(&gpu, "16-bit floats, which it has none of");
    }
    let classifier = classifier(options().with_precision(Precision::F16));
    let image = |value: f32| Source::values(vec![value; 3 * 64 * 64], [64, 64]);
    let results: Vec<_> = classifier.classify_all([0.5, 1e9, 0.7].map(image)).unwrap().collect();
    assert!(matches!(results[1], Err(Error::HalfOverflow)), "{results:?}");
    for (result, value) in [(&results[0], 0.5), (&results[2], 0.7)] {
        assert_eq!(result.as_ref().unwrap().logits(), classifier.classify(image(value)).unwrap().logits());
    }
}

#[test]
fn a_live_input_is_answered_before_the_next_comes() {
    let classifier = classifier(on_the_processor());
    let (ask, asked) = mpsc::channel::<(u8, Source)>();
    let mut answers = classifier.stream(asked, StreamOptions::default().with_live(true)).unwrap();
    for number in 0..3 {
        ask.send((number, PICTURE.into())).unwrap();
        let (answered, prediction) = answers.next().unwrap();
        assert_eq!((answered, prediction.unwrap().top_k(1).unwrap()[0].label.as_str()), (number, "7"));
    }
    (3..40).for_each(|number| ask.send((number, PICTURE.into())).unwrap());
    drop(ask);
    let mut count = 0;
    while let Some(batch) = answers.next_batch() {
        assert!((1..=16).contains(&batch.len()), "{}", batch.len());
        count += batch.len();
    }
    assert_eq!(count, 37);
}

/// Sends a message when it is dropped.
struct Dropped(mpsc::Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Endless inputs, and a receiver of the message that they were dropped.
fn endless() -> (impl Iterator<Item = (usize, Source)> + Send + 'static, mpsc::Receiver<()>) {
    let (sender, receiver) = mpsc::channel();
    let dropped = Dropped(sender);
    let endless = (0..).map(move |index| {
        let _ = &dropped;
        (index, Source::from(PICTURE))
    });
    (endless, receiver)
}

#[test]
fn a_stream_that_is_stopped_hands_on_what_was_begun() {
    for classifier in [classifier(on_the_processor().with_batch(2)), classifier(options().with_batch(2))] {
        let (inputs, dropped) = endless();
        let stop = Arc::new(AtomicBool::new(false));
        let mut answers = classifier.stream(inputs, StreamOptions::default().with_stop(Arc::clone(&stop))).unwrap();
        let mut count = 0;
        for (index, prediction) in answers.by_ref() {
            assert_eq!((index, prediction.unwrap().top_k(1).unwrap()[0].label.as_str()), (count, "7"));
            count += 1;
            stop.store(count >= 7, Ordering::Relaxed);
        }
        assert!((7..40).contains(&count), "{count}");
        assert!(answers.next().is_none());
        drop(answers);
        dropped.recv_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn dropping_a_stream_ends_what_it_began() {
    let classifier = classifier(options().with_batch(2));
    let (inputs, dropped) = endless();
    let mut answers = classifier.stream(inputs, StreamOptions::default()).unwrap();
    answers.next().unwrap().1.unwrap();
    drop(answers);
    dropped.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn the_panic_of_an_iterator_is_handed_on() {
    let classifier = classifier(on_the_processor().with_batch(1));
    let inputs = (0..3).map(|index| if index < 2 { PICTURE } else { panic!("no third") });
    let mut answers = classifier.classify_all(inputs).unwrap();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answers.by_ref().count())).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"no third"));
    assert!(answers.next().is_none());
}

#[test]
fn whoever_waits_has_time_for_other_things() {
    let (asks, questions) = mpsc::channel::<((), Source)>();
    let mut answers = classifier(on_the_processor()).stream(questions, StreamOptions::default().with_live(true)).unwrap();
    assert!(!answers.is_ready_within(Duration::from_millis(20)), "nothing was asked");
    asks.send(((), PICTURE.into())).unwrap();
    asks.send(((), "no such.png".into())).unwrap();
    assert!(answers.is_ready_within(PATIENCE));
    assert!(answers.next().unwrap().1.is_ok() && answers.is_ready_within(PATIENCE));
    assert!(answers.next().unwrap().1.is_err());
    drop(asks);
    assert!(answers.is_ready_within(Duration::MAX) && answers.next_batch().is_none() && answers.is_ready_within(Duration::ZERO));
}
