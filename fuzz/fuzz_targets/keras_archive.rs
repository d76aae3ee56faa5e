//! Keras archives: mutated ones, and whole ones whose configuration or weights are mutated, as checksums let few of the
//! former through.

#![no_main]

use std::io::{Cursor, Read, Write};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// A configuration and the weights that belong to it.
static WHOLE: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let mut zip = ZipArchive::new(Cursor::new(include_bytes!("../../tests/fixtures/checkpoints/keras.zip"))).expect("a fixture");
    let mut archive = Vec::new();
    zip.by_name("keras-no-relu.keras").expect("a fixture").read_to_end(&mut archive).expect("a fixture");
    let mut zip = ZipArchive::new(Cursor::new(archive)).expect("a fixture");
    let mut entry = |name: &str| {
        let mut content = Vec::new();
        zip.by_name(name).expect("a fixture").read_to_end(&mut content).expect("a fixture");
        content
    };
    (entry("config.json"), entry("model.weights.h5"))
});

fuzz_target!(|bytes: &[u8]| {
    let _ = densenet_wgpu::Checkpoint::from_bytes(bytes, "fuzz");
    let (config, weights) = &*WHOLE;
    let archive = if bytes.first() == Some(&b'{') { archive(bytes, weights) } else { archive(config, bytes) };
    if let Some(archive) = archive {
        let _ = densenet_wgpu::Checkpoint::from_bytes(&archive, "fuzz");
    }
});

fn archive(config: &[u8], weights: &[u8]) -> Option<Vec<u8>> {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("config.json", config), ("model.weights.h5", weights)] {
        zip.start_file(name, stored).ok()?;
        zip.write_all(content).ok()?;
    }
    Some(zip.finish().ok()?.into_inner())
}
