//! What is no picture, too large or damaged is a message.

use std::sync::LazyLock;

use densenet_wgpu::Error;
use densenet_wgpu::image::{Decoding, Picture};
use proptest::prelude::*;

use crate::{assert_same, files, fixture, npz};

#[test]
fn formats_that_are_not_read_are_named_with_what_converts_them() {
    for (bytes, told) in [
        (
            &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..],
            "HEIC is not read here; convert it to PNG or JPEG first, as `heif-convert IN OUT.png` does",
        ),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF is not read here; convert it to PNG or JPEG first, as `avifdec IN OUT.png` does"),
        (b"\xff\xd8\xff\xf7\0\x0b", "JPEG-LS is not read here; convert it to PNG or JPEG first, as `ffmpeg -i IN OUT.png` does"),
    ] {
        assert_eq!(Picture::decode(bytes).unwrap_err().to_string().split(';').next(), told.split(';').next());
        assert!(Picture::decode(bytes).unwrap_err().to_string().starts_with(told));
        assert!(Picture::recognises(std::io::Cursor::new(bytes)));
    }
}

#[test]
fn a_picture_that_cannot_be_used_is_a_message() {
    let png = std::fs::read(fixture("source.png")).unwrap();
    let jpeg = files("kinds").into_iter().find(|(name, ..)| name == "rgb-420-95.jpg").unwrap().1;
    for (what, bytes, message) in [
        ("a cut off JPEG", &jpeg[..jpeg.len() * 3 / 4], "damaged or cut off"),
        ("a JPEG's header alone", &jpeg[..100], "damaged or cut off"),
        ("empty", &b""[..], "the file is empty"),
        ("a text", b"not a picture at all", "not a picture; expected PNG, JPEG"),
        ("cut off", &png[..png.len() / 2], "damaged or cut off"),
        ("a header alone", &png[..20], "damaged or cut off"),
        ("a huge PPM", b"P6 60000 60000 255\n", "60000x60000 is 3600000000 pixels; expected at most"),
    ] {
        let error = Picture::decode(bytes).unwrap_err().to_string();
        assert!(error.contains(message), "{what}: {error}");
    }
    let error = Picture::open(fixture("huge.png")).unwrap_err().to_string();
    assert!(error.contains("huge.png: 60000x60000 is 3600000000 pixels"), "{error}");
    let error = Picture::open(fixture("no such.png")).unwrap_err().to_string();
    assert!(error.contains("no such.png"), "{error}");
}

#[test]
fn every_decoder_keeps_the_limits_it_is_given() {
    let [roomy, none, few] = [(300, 1 << 20), (300, 100), (200, 1 << 20)]
        .map(|(max_pixels, max_decoder_bytes)| Decoding::default().with_max_pixels(max_pixels).with_max_decoder_bytes(max_decoder_bytes));
    let mut seen = 0;
    for (name, content, expected) in files("kinds") {
        if expected.width() * expected.height() != 21 * 13 {
            continue;
        }
        assert_same(&name, &roomy.decode(&content).unwrap_or_else(|error| panic!("{name}: {error}")), &Picture::decode(&content).unwrap());
        let limited = |decoding: &Decoding| match decoding.decode(&content) {
            Err(Error::TooManyPixels { most, .. }) => ("pixels", most),
            Err(Error::TooManyBytes { most, .. }) => ("bytes", most),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(limited(&few), ("pixels", 200), "{name}");
        assert_eq!(limited(&none), ("bytes", 100), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 76);
    let jpeg = files("kinds").into_iter().find(|(name, ..)| name == "rgb-420-95.jpg").unwrap().1;
    let bytes = jpeg.len() as u64;
    assert!(Decoding::default().with_max_file_bytes(bytes).decode(&jpeg).is_ok());
    let error = Decoding::default().with_max_file_bytes(bytes - 1).decode(&jpeg).unwrap_err().to_string();
    assert_eq!(error, format!("the file has more bytes; expected at most {}: make it smaller first", bytes - 1));
}

/// Every file of `kinds`.
static KINDS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| npz::read(&fixture("kinds.zip")));

proptest! {
    /// Palettes are looked up by code of ours.
    #[test]
    fn a_damaged_tiff_is_a_message_or_a_picture(which in 0_usize..12, damage in prop::collection::vec((0.0..1.0, any::<u8>()), 1..6)) {
        static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
            files("odd").into_iter().filter(|(name, ..)| name.ends_with(".tif")).map(|(_, content, _)| content).collect()
        });
        let mut content = FILES[which].clone();
        for (place, byte) in damage {
            let place = (place * content.len() as f64) as usize;
            content[place] = byte;
        }
        match Decoding::default().with_max_pixels(1 << 20).decode(&content) {
            Ok(picture) => prop_assert_eq!(picture.samples().len(), picture.height() * picture.width() * 3),
            Err(error) => prop_assert!(!error.to_string().contains("decoder failed"), "{}", error),
        }
    }
}

proptest! {
    #[test]
    fn a_damaged_file_is_a_message_or_a_picture(which in 0..98_usize, damage in prop::collection::vec((0.0..1.0, any::<u8>()), 1..4), kept in 0.2..2.0) {
        let (name, content) = &KINDS[which];
        let mut content = content.clone();
        for (place, byte) in damage {
            let place = (place * content.len() as f64) as usize;
            content[place] = byte;
        }
        content.truncate((kept * content.len() as f64) as usize);
        match Picture::decode(&content) {
            Ok(picture) => prop_assert_eq!(picture.samples().len(), picture.height() * picture.width() * 3, "{}", name),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
