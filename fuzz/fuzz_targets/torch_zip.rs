//! PyTorch archives: mutated ones, and whole ones whose pickle is mutated, of a checkpoint and of a program of TorchScript, as
//! checksums let few of the former through.

#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Storages `0` to `63` have this many 32-bit floats each.
const ELEMENTS: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let _ = densenet_wgpu::Checkpoint::from_bytes(bytes, "fuzz");
    for is_program in [false, true] {
        if let Some(archive) = archive(bytes, is_program) {
            let _ = densenet_wgpu::Checkpoint::from_bytes(&archive, "fuzz");
        }
    }
});

fn archive(pickle: &[u8], is_program: bool) -> Option<Vec<u8>> {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("archive/data.pkl", stored).ok()?;
    zip.write_all(pickle).ok()?;
    if is_program {
        zip.start_file("archive/code/__torch__.py", stored).ok()?;
    }
    for key in 0..64 {
        zip.start_file(format!("archive/data/{key}"), stored).ok()?;
        zip.write_all(&[0; 4 * ELEMENTS]).ok()?;
    }
    Some(zip.finish().ok()?.into_inner())
}
