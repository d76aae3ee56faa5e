//! Pictures become the tensors that Pillow and torchvision make of them, bit for bit.
//!
//! Fixtures: `scripts/make_pillow_fixtures.py`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "image")]

mod decoding;
#[path = "../common/npz.rs"]
mod npz;
mod preparation;
mod refusals;
#[path = "../common/resampling.rs"]
mod resampling;
mod resizing;
mod sample_scaling;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use densenet_wgpu::image::Picture;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pillow").join(name)
}

/// Every array of an archive of uint8 `[H, W, C]`, as a picture.
fn pictures(name: &str) -> Vec<(String, Picture)> {
    let picture = |(name, content): (String, Vec<u8>)| {
        let array = npyz::NpyFile::new(&content[..]).unwrap();
        let [height, width, channels] = *array.shape() else { panic!("{name}: {:?}", array.shape()) };
        let picture = Picture::new(height as usize, width as usize, channels as usize, array.into_vec().unwrap()).unwrap();
        (name, picture)
    };
    npz::read(&fixture(name)).into_iter().filter(|(name, _)| name != "tensor").map(picture).collect()
}

fn size(text: &str) -> [usize; 2] {
    let (a, b) = text.split_once('x').unwrap();
    [a.parse().unwrap(), b.parse().unwrap()]
}

fn assert_same(name: &str, found: &Picture, expected: &Picture) {
    assert_eq!([found.height(), found.width(), found.channels()], [expected.height(), expected.width(), expected.channels()], "{name}");
    let different = found.samples().iter().zip(expected.samples()).filter(|(a, b)| a != b).count();
    assert_eq!(different, 0, "{name}: samples that differ, of {}", expected.samples().len());
}

/// Files of an archive, each with what Pillow makes of it.
fn files(name: &str) -> Vec<(String, Vec<u8>, Picture)> {
    let mut expected: HashMap<String, Picture> = pictures(&format!("{name}.npz")).into_iter().collect();
    let files = npz::read(&fixture(&format!("{name}.zip")));
    assert_eq!(files.len(), expected.len());
    files.into_iter().map(|(name, content)| (expected.remove(&name).map(|expected| (name, content, expected))).unwrap()).collect()
}
