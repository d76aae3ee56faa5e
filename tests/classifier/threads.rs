//! Threads and futures that share a classifier.

use std::fs;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use densenet_wgpu::Classifier;
use densenet_wgpu::predictions::Predictions;

use crate::{PICTURE, classifier, digits, examples, on_the_processor, options, patiently};

#[test]
fn it_is_shared_and_sent() {
    fn is_shared<T: Clone + Send + Sync + 'static>() {}
    fn is_sent<T: Send + 'static>(value: T) -> T {
        value
    }
    is_shared::<Classifier>();
    is_sent::<Option<Predictions<u8>>>(None);
    let classifier = classifier(on_the_processor());
    drop(is_sent(classifier.classify_async(PICTURE)));
    drop(is_sent(Classifier::open_async("digits", on_the_processor())));
    drop(is_sent(Classifier::new_async(digits(), on_the_processor())));
}

#[test]
fn threads_share_one_classifier() {
    let classifier = classifier(options());
    let paths = examples();
    let expected: Vec<Vec<f32>> = classifier.classify_all(paths.clone()).unwrap().map(|p| p.unwrap().logits().unwrap().to_vec()).collect();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let (classifier, paths, expected) = (classifier.clone(), &paths, &expected);
            scope.spawn(move || {
                let of_part = paths.iter().zip(expected).skip(part).step_by(4);
                of_part.for_each(|(path, expected)| assert_eq!(classifier.classify(path).unwrap().logits(), Some(&expected[..])));
                let streamed = classifier.classify_all(paths.clone()).unwrap().map(|p| p.unwrap().logits().unwrap().to_vec());
                assert!(streamed.eq(expected.iter().cloned()));
            });
        }
    });
}

#[cfg(unix)]
#[test]
fn a_future_blocks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let classifier = classifier(options().with_batch(1));
    let expected = classifier.classify(PICTURE).unwrap().logits().unwrap().to_vec();
    let found = patiently(move || {
        // One thread polls two futures; the first waits until the pipe is written to.
        let mut piped = pin!(classifier.classify_async(pipe.as_path()));
        let mut other = pin!(classifier.classify_async(PICTURE));
        let mut first = None;
        let both = poll_fn(|context| {
            if first.is_none() {
                assert!(piped.as_mut().poll(context).is_pending());
                let Poll::Ready(prediction) = other.as_mut().poll(context) else { return Poll::Pending };
                first = Some(prediction.unwrap());
                fs::write(&pipe, fs::read(PICTURE).unwrap()).unwrap();
            }
            piped.as_mut().poll(context)
        });
        let second = pollster::block_on(both).unwrap();
        [first.unwrap(), second].map(|prediction| prediction.logits().unwrap().to_vec())
    });
    assert_eq!(found, [expected.clone(), expected]);
}
