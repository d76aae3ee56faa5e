//! Texts that describe a network, in its file, beside it or on the command line, are refused or read.

#![no_main]

use std::fs;
use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::LazyLock;

use densenet_wgpu::checkpoint::{HeadStep, NewChannels, ReadOptions, StemDownsampling};
use densenet_wgpu::image::Picture;
use densenet_wgpu::labels::read_labels;
use densenet_wgpu::preprocessing::{Preprocessing, ResizeMode};
use densenet_wgpu::{Checkpoint, Config};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use zip::ZipArchive;

/// Larger prepared pictures take time and find nothing.
const LARGEST_SIDE: usize = 256;

/// A network of ten classes, as small as they come: its header, and the elements of its tensors.
static NETWORK: LazyLock<(Map<String, Value>, Vec<u8>)> = LazyLock::new(|| {
    let config = Config::imagenet(1, &[1, 1], 2).with_classes(Some(10));
    let bytes = Checkpoint::init(config, 1).and_then(|network| network.to_bytes()).expect("a network");
    let (length, rest) = bytes.split_first_chunk::<8>().expect("a header");
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    (serde_json::from_slice(header).expect("a header"), data.to_vec())
});

/// A network with a head of several layers.
static HEAD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut zip = ZipArchive::new(Cursor::new(include_bytes!("../../tests/fixtures/checkpoints/wild.zip"))).expect("a fixture");
    let mut file = Vec::new();
    zip.by_name("head-layers.pth").expect("a fixture").read_to_end(&mut file).expect("a fixture");
    file
});

/// A folder with the network's file, which has the name of one that torchvision downloads.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("densenet-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for files");
    fs::write(folder.join("densenet121-a639ec97.pth"), with_metadata("other", "")).expect("a file");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let beside = FOLDER.join("config.json");
    fs::write(&beside, bytes).expect("a file");
    let _ = Checkpoint::open(FOLDER.join("densenet121-a639ec97.pth"));
    let _ = read_labels(&beside, 10);

    let Ok(text) = str::from_utf8(bytes) else { return };
    for key in ["densenet", "class_to_idx"] {
        let _ = Checkpoint::from_bytes(&with_metadata(key, text), "fuzz");
    }
    if let Ok(preprocessing) = serde_json::from_str::<Preprocessing>(text)
        && preprocessing.check().is_ok()
        && is_small(&preprocessing)
    {
        let picture = Picture::new(3, 5, 3, vec![7; 45]).expect("a picture");
        let _ = preprocessing.apply(&picture);
        let _ = preprocessing.ten_crops(&picture);
    }
    let options = ReadOptions::default().with_root(text).with_head(text);
    let _ = options.from_bytes(&HEAD, "fuzz");
    if let Ok(layers) = text.split(',').map(str::parse::<HeadStep>).collect() {
        let _ = ReadOptions::default().with_head_layers(layers).from_bytes(&HEAD, "fuzz");
    }
    if let Ok(stem) = text.parse::<StemDownsampling>() {
        let _ = ReadOptions::default().with_stem(stem).from_bytes(&HEAD, "fuzz");
    }
    let _ = text.parse::<NewChannels>();
});

/// The network's file with this text in its metadata.
fn with_metadata(key: &str, text: &str) -> Vec<u8> {
    let (header, data) = &*NETWORK;
    let mut header = header.clone();
    header.insert("__metadata__".into(), json!({ key: text }));
    let header = Value::from(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

fn is_small(preprocessing: &Preprocessing) -> bool {
    let resized = preprocessing.resize.map(|resize| match resize.mode {
        ResizeMode::ShortSide(side) | ResizeMode::LongSide(side) | ResizeMode::Square(side) => side,
        ResizeMode::Cover(sides) | ResizeMode::Squash(sides) => sides[0].max(sides[1]),
        _ => usize::MAX,
    });
    let cropped = preprocessing.crop.map(|sides| sides[0].max(sides[1]));
    resized.into_iter().chain(cropped).all(|side| side <= LARGEST_SIDE)
}
