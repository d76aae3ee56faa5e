//! DICOM files become what pydicom and torchxrayvision make of them, and damaged ones a message.
//!
//! Fixtures: `scripts/make_dicom_fixtures.py`, `scripts/make_dicom_coded_fixtures.py`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "dicom")]

mod coded;
mod decoding;
#[cfg(feature = "jpeg2000")]
mod jpeg_2000;
mod levels;
#[path = "../common/npz.rs"]
mod npz;
mod refusals;
mod structure;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use densenet_wgpu::image::{Decoding, Picture};
use npyz::Deserialize;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom").join(name)
}

/// Every file that this build reads.
static FILES: LazyLock<HashMap<String, Vec<u8>>> = LazyLock::new(|| {
    let coded = CODED.iter().filter(|(name, _)| name.contains("jpeg-ls") || cfg!(feature = "jpeg2000") && name.contains("jpeg-2000"));
    npz::read(&fixture("files.zip")).into_iter().chain(coded.map(|(name, content)| (name.clone(), content.clone()))).collect()
});

/// Files of JPEG-LS and JPEG 2000, and JPEG 2000 in no DICOM file.
static CODED: LazyLock<HashMap<String, Vec<u8>>> = LazyLock::new(|| npz::read(&fixture("coded.zip")).into_iter().collect());

/// Shape and numbers of every array of an archive.
fn arrays<T: Deserialize>(name: &str) -> Vec<(String, Vec<u64>, Vec<T>)> {
    let array = |(name, content): (String, Vec<u8>)| {
        let array = npyz::NpyFile::new(&content[..]).unwrap();
        (name, array.shape().to_vec(), array.into_vec().unwrap())
    };
    npz::read(&fixture(name)).into_iter().map(array).collect()
}

/// The picture that `<file>` or, through its VOI LUT, `<file>-voi` names.
fn decoded(name: &str) -> Picture {
    let (file, voi_lut) = name.strip_suffix("-voi").map_or((name, false), |file| (file, true));
    let decoding = Decoding::default().with_voi_lut(voi_lut);
    decoding.decode(&FILES[file]).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// An element in explicit VR, little endian.
fn element(group: u16, number: u16, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend(vr.bytes());
    if ["OB", "OW", "SQ", "UN"].contains(&vr) {
        bytes.extend([0, 0]);
        bytes.extend((value.len() as u32).to_le_bytes());
    } else {
        bytes.extend((value.len() as u16).to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

/// A file of a transfer syntax, whose meta information has no length.
fn file(syntax: &str, data_set: &[u8]) -> Vec<u8> {
    let uid = format!("{syntax}{}", if syntax.len() % 2 == 1 { "\0" } else { "" });
    [&[0; 128], &b"DICM"[..], &element(2, 0x10, "UI", uid.as_bytes()), data_set].concat()
}

const NATIVE: &str = "1.2.840.10008.1.2.1";

const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// Grey of 12 bits in rows, with a window.
fn radiograph(rows: u16, columns: u16, window: [&str; 2], samples: &[u16]) -> Vec<u8> {
    let number = |tag, number: u16| element(0x28, tag, "US", &number.to_le_bytes());
    let pixels: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    [
        element(0x28, 0x04, "CS", b"MONOCHROME2 "),
        [number(0x10, rows), number(0x11, columns), number(0x100, 16), number(0x101, 12)].concat(),
        [element(0x28, 0x1050, "DS", window[0].as_bytes()), element(0x28, 0x1051, "DS", window[1].as_bytes())].concat(),
        element(0x7fe0, 0x10, "OW", &pixels),
    ]
    .concat()
}
