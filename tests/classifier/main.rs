//! The classifier equals the chain of checkpoint, preprocessing, engine and postprocessing written by hand, bit for bit; many inputs
//! keep their order, also where some of them fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "image")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../common/mod.rs"]
mod common;
mod devices;
mod options;
mod predictions;
mod sources;
mod streams;
mod threads;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use densenet_wgpu::devices::Device;
use densenet_wgpu::preprocessing::{Filter, Resize, ResizeMode};
use densenet_wgpu::{Checkpoint, Classifier, ClassifierOptions, Engine, EngineOptions, Input, models};

use common::device::open_gpu;

const PICTURE: &str = "examples/digits/7-1442-8.png";

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn digits() -> Checkpoint {
    models::bundled("digits").unwrap().unwrap()
}

/// On the device, with the same bits in every batch.
fn options() -> ClassifierOptions {
    ClassifierOptions::default().with_device(open_gpu()).with_batch_invariant(true)
}

fn on_the_processor() -> ClassifierOptions {
    ClassifierOptions::default().with_device(Device::Reference)
}

fn classifier(options: ClassifierOptions) -> Classifier {
    Classifier::new(digits(), options).unwrap()
}

/// Every held-out digit that is an example, by its name.
fn examples() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir("examples/digits").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "png"));
    paths.sort();
    paths
}

/// The digit that a picture shows: its name begins with it.
fn shown(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap()[..1].to_owned()
}

/// The outputs of the network for what it reads, by hand.
fn by_hand(model: &Checkpoint, graph: densenet_wgpu::Graph, values: &[f32], [height, width]: [usize; 2]) -> Vec<Vec<f32>> {
    let options = EngineOptions::default().with_batch_invariant(true);
    let engine = Engine::new(&open_gpu(), &graph, &model.weights, options).unwrap();
    engine.start(Input::values(values, [height, width])).unwrap().wait_all().unwrap()
}

/// A preprocessing with a crop, which the model's own has not.
fn cropped(options: ClassifierOptions) -> ClassifierOptions {
    let resize = Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::ShortSide(80) });
    options.with_preprocessing(digits().preprocessing.unwrap().with_resize(resize).with_crop(Some([64, 64])))
}

/// What `work` returns; fails after `PATIENCE`.
fn patiently<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    result.recv_timeout(PATIENCE).unwrap()
}
