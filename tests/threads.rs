//! What runs on which of a classifier's threads, and that these end, as its spans tell.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "image")]

use std::cell::OnceCell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use densenet_wgpu::devices::Device;
use densenet_wgpu::{Checkpoint, Classifier, ClassifierOptions, models};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

const PICTURE: &str = "examples/digits/7-1442-8.png";

/// How long a test waits for what never comes where the code is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// The names of the threads on which a network ran.
static RAN_ON: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Threads that have decoded a picture and have not ended.
static DECODING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static ALIVE: OnceCell<Alive> = const { OnceCell::new() };
}

struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {
        DECODING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sees where the library's stages begin.
struct Listener;

impl<S: tracing::Subscriber> Layer<S> for Listener {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let name = thread::current().name().unwrap_or_default().to_owned();
        match span.metadata().name() {
            "run" => RAN_ON.lock().unwrap().push(name),
            "decode picture" if name.starts_with("densenet-decode") => ALIVE.with(|alive| {
                alive.get_or_init(|| {
                    DECODING.fetch_add(1, Ordering::Relaxed);
                    Alive
                });
            }),
            "make classifier" => span.record(&mut PanicsIfAsked),
            _ => {}
        }
    }
}

/// Panics where a model is called `panics`.
struct PanicsIfAsked;

impl Visit for PanicsIfAsked {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        assert_ne!(format!("{value:?}"), "panics");
    }
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Listener)).unwrap());
}

fn digits() -> Checkpoint {
    models::bundled("digits").unwrap().unwrap()
}

fn on_the_processor() -> ClassifierOptions {
    ClassifierOptions::default().with_device(Device::Reference)
}

#[test]
fn the_reference_keeps_no_picture_from_being_decoded() {
    listen();
    let classifier = Classifier::new(digits(), on_the_processor()).unwrap();
    pollster::block_on(classifier.classify_async(PICTURE)).unwrap();
    let ran_on = RAN_ON.lock().unwrap();
    assert!(!ran_on.is_empty() && !ran_on.iter().any(|name| name.starts_with("densenet-decode")), "{ran_on:?}");
}

#[test]
fn threads_that_decode_end_with_the_last_clone_and_the_last_stream() {
    listen();
    let classifier = Classifier::new(digits(), on_the_processor().with_batch(4)).unwrap();
    let clone = classifier.clone();
    let mut answers = classifier.classify_all(vec![PICTURE; 20]).unwrap();
    drop(classifier);
    drop(clone);
    assert!(answers.next().unwrap().is_ok() && DECODING.load(Ordering::Relaxed) > 0);
    // A stream goes on without the clones.
    assert_eq!(answers.by_ref().filter(Result::is_ok).count(), 19);
    drop(answers);
    let begun = Instant::now();
    while DECODING.load(Ordering::Relaxed) > 0 {
        assert!(begun.elapsed() < PATIENCE, "{} threads do not end", DECODING.load(Ordering::Relaxed));
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_panic_of_a_thread_that_opens_is_handed_on() {
    listen();
    let model = digits().with_name("panics");
    let opened = catch_unwind(AssertUnwindSafe(|| pollster::block_on(Classifier::new_async(model, on_the_processor()))));
    assert!(opened.unwrap_err().downcast_ref::<String>().is_some_and(|panic| panic.contains("panics")));
}
