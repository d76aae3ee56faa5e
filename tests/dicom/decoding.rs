//! Files of every kind are what pydicom and torchxrayvision make of them.

use std::io::Cursor;

use densenet_wgpu::image::{Dicom, Picture};

use crate::{FILES, arrays, decoded, element};

#[test]
fn every_kind_of_file_is_what_pydicom_makes_of_it() {
    let expected = arrays::<u8>("pictures.npz");
    assert_eq!(expected.len(), 76);
    for (name, shape, samples) in expected {
        let found = decoded(&name);
        assert_eq!([found.height() as u64, found.width() as u64, found.channels() as u64], shape[..], "{name}");
        let off = found.samples().iter().zip(&samples).map(|(a, b)| a.abs_diff(*b)).max();
        assert_eq!(off, Some(0), "{name}");
        let frames = if name.contains("three-frames") { 3 } else { 1 + u32::from(name == "baseline-fragments") };
        assert!(matches!(found.dicom(), Some(Dicom { frames: found, lacks_voi_lut: false, .. }) if found == frames), "{name}");
    }
}

/// Ours is the nearest of 256 levels, 2048 / 255 steps apart.
#[test]
fn radiographs_are_torchxrayvisions_to_half_a_level() {
    let expected = arrays::<f32>("xrv.npz");
    assert_eq!(expected.len(), 61);
    // What torchxrayvision does otherwise: numbers with a sign, a Modality LUT, a sample that is not in its lowest bits, and
    // tables whose entries have fewer bits than the samples.
    let differs = |name: &str| {
        let is_signed = name.contains("signed");
        let narrows = name.contains("table")
            && !["voi-table-whole-voi", "voi-table-8-voi"].contains(&name)
            && (name.ends_with("-voi") || name.starts_with("modality"));
        is_signed || narrows || ["high-bit", "rescaled-window-voi"].contains(&name)
    };
    let mut same = 0;
    for (name, _, values) in expected {
        let found = decoded(&name);
        let step = |level: u8| (2.0 * f32::from(level) / 255.0 - 1.0) * 1024.0;
        let off = found.samples().iter().step_by(3).zip(&values).map(|(&level, value)| (step(level) - value).abs()).fold(0.0, f32::max);
        assert_eq!(off < 1024.0 / 255.0 + 0.01, !differs(&name), "{name}: {off}");
        same += usize::from(!differs(&name));
    }
    assert_eq!(same, 45);
}

#[test]
fn files_are_recognised_by_their_content() {
    let recognises = |bytes: &[u8]| Picture::recognises(Cursor::new(bytes));
    assert!(FILES.values().all(|content| recognises(content)));
    assert!(recognises(&FILES["grey-12"][128..]) && recognises(&FILES["grey-12"][132..]));
    assert!(!recognises(&FILES["grey-12"][136..]));
    let directory = [&[0; 128], &b"DICM"[..], &element(2, 2, "UI", b"1.2.840.10008.1.3.10")].concat();
    assert!(!recognises(&directory));
}
