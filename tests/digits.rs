//! The main job: real handwriting, classified on the device by the bundled model.

use std::path::Path;

use densenet_wgpu::image::Picture;
use densenet_wgpu::{Engine, EngineOptions, Input, models};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::device::open_gpu;
use common::{assert_close, read_npy};

#[test]
fn the_bundled_model_reads_the_held_out_digits() {
    let fixture = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/digits").join(name);
    let bytes = |name: &str| npyz::NpyFile::new(&std::fs::read(fixture(name)).unwrap()[..]).unwrap().into_vec::<u8>().unwrap();
    let (pictures, labels) = (bytes("heldout.npy"), bytes("labels.npy"));
    let expected = read_npy(&fixture("logits.npy")).data;
    let model = models::bundled("digits").unwrap().unwrap();
    let preprocessing = model.preprocessing.clone().unwrap();
    let engine = Engine::new(&open_gpu(), &model.graph(64, 64).unwrap(), &model.weights, EngineOptions::default()).unwrap();

    let mut input = Vec::new();
    for pixels in pictures.chunks_exact(64) {
        let picture = Picture::new(8, 8, 1, pixels.to_vec()).unwrap();
        let small = preprocessing.apply(&picture).unwrap();
        let scaled = preprocessing.prepare(&picture).unwrap().picture;
        assert_eq!(small, preprocessing.apply(&scaled).unwrap(), "a picture scaled to 64x64 beforehand is the same input");
        input.extend(small.values);
    }
    let logits = engine.run(Input::values(&input, [64, 64])).unwrap();
    assert_close(&logits, &expected, 2e-5);
    let best = |logits: &[f32]| (0..10).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap();
    let right = logits.chunks_exact(10).zip(&labels).filter(|(logits, label)| best(logits) == usize::from(**label)).count();
    assert!(right >= 357, "{right} of {} right, expected 99 %", labels.len());
}
