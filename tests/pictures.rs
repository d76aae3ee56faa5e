//! Pictures become the tensors that Pillow and torchvision make of them, bit for bit.
//!
//! Fixtures: `scripts/make_pillow_fixtures.py`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "image")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use densenet_wgpu::Error;
use densenet_wgpu::image::{Decoding, Orientation, Picture, SampleRange, resize};
use densenet_wgpu::internal::{Part, resize_part};
use densenet_wgpu::preprocessing::{Filter, Preprocessing, Preset, Resize, ResizeMode};
use proptest::prelude::*;

#[path = "common/npz.rs"]
mod npz;
#[path = "common/resampling.rs"]
mod resampling;

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

fn filter(name: &str) -> Filter {
    match name {
        "nearest" => Filter::Nearest,
        "bilinear" => Filter::Bilinear,
        "bicubic" => Filter::Bicubic,
        "lanczos" => Filter::Lanczos,
        _ => panic!("{name}"),
    }
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

#[test]
fn every_kind_of_png_is_what_pillow_makes_of_it() {
    let expected = pictures("modes.npz");
    assert_eq!(expected.len(), 9);
    for (mode, expected) in expected {
        assert_same(&mode, &Picture::open(fixture(&format!("{mode}.png"))).unwrap(), &expected);
    }
}

/// Files of an archive, each with what Pillow makes of it.
fn files(name: &str) -> Vec<(String, Vec<u8>, Picture)> {
    let mut expected: HashMap<String, Picture> = pictures(&format!("{name}.npz")).into_iter().collect();
    let files = npz::read(&fixture(&format!("{name}.zip")));
    assert_eq!(files.len(), expected.len());
    files.into_iter().map(|(name, content)| (expected.remove(&name).map(|expected| (name, content, expected))).unwrap()).collect()
}

#[test]
fn every_kind_of_file_is_what_pillow_makes_of_it() {
    let files = files("kinds");
    assert_eq!(files.len(), 99);
    for (name, content, expected) in files {
        let found = Picture::decode(&content).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Where the decoder has a formula of its own, or another JPEG decoder in it.
        if ["cmyk.tif", "cmyk-lzw.tif", "jpeg.tif"].contains(&name.as_str()) {
            let most = found.samples().iter().zip(expected.samples()).map(|(a, b)| a.abs_diff(*b)).max();
            assert_eq!(most, Some(1), "{name}");
        } else if name == "cmyk-420.jpg" {
            let most = found.samples().iter().zip(expected.samples()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(2), "{name}: {most:?}");
        } else {
            assert_same(&name, &found, &expected);
        }
        let is_wide = ["wide.tif", "wide-lzw.tif", "wide.pgm"].contains(&name.as_str()) || name.starts_with("grey-16");
        assert_eq!(found.has_scaled_grey(), is_wide, "{name}");
        assert_eq!(found.orientation(), Orientation::UPRIGHT, "{name}");
    }
}

#[test]
fn palettes_in_tiff_are_pillows() {
    let files: Vec<_> = files("odd").into_iter().filter(|(name, ..)| name.ends_with(".tif")).collect();
    assert_eq!(files.len(), 12);
    for (name, content, expected) in files {
        let found = Picture::decode(&content).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_same(&name, &found, &expected);
        assert!(Picture::recognises(std::io::Cursor::new(&content)));
        let limited = |decoding: Decoding| decoding.decode(&content).unwrap_err();
        assert!(matches!(limited(Decoding::default().with_max_pixels(200)), Error::TooManyPixels { most: 200, .. }), "{name}");
        assert!(matches!(limited(Decoding::default().with_max_decoder_bytes(100)), Error::TooManyBytes { most: 100, .. }), "{name}");
        for length in (0..content.len()).step_by(11) {
            if let Err(error) = Picture::decode(&content[..length]) {
                assert!(!error.to_string().contains("decoder failed"), "{name}, {length}: {error}");
            }
        }
    }
}

/// What is missing is grey, as libjpeg has it.
#[test]
fn jpegs_that_end_too_early_are_pillows_where_that_is_asked_for() {
    let files: Vec<_> = files("odd").into_iter().filter(|(name, ..)| name.ends_with(".jpg")).collect();
    assert_eq!(files.len(), 20);
    for (name, content, expected) in files {
        let found = Decoding::default().with_truncated(true).decode(&content).unwrap_or_else(|error| panic!("{name}: {error}"));
        // What is coarse in a progressive file libjpeg smooths.
        if ["rgb-progressive-60.jpg", "rgb-progressive-80.jpg"].contains(&name.as_str()) {
            let off: Vec<u8> = found.samples().iter().zip(expected.samples()).map(|(a, b)| a.abs_diff(*b)).collect();
            let mean = off.iter().map(|&off| f64::from(off)).sum::<f64>() / off.len() as f64;
            assert!(mean < 2.0 && off.iter().all(|&off| off < 16), "{name}: {mean} levels");
        } else {
            assert_same(&name, &found, &expected);
        }
        match Picture::decode(&content) {
            Ok(whole) => assert!(!found.is_cut_off() && whole == found, "{name}"),
            // Of a progressive file the end marker alone may be missing.
            Err(error) => {
                assert_eq!(found.is_cut_off(), !name.ends_with("unended.jpg"), "{name}");
                assert!(error.to_string().contains("damaged or cut off"), "{name}: {error}");
            }
        }
    }
    let whole = self::files("kinds").into_iter().find(|(name, ..)| name == "rgb-420-95.jpg").unwrap().1;
    assert_eq!(Decoding::default().with_truncated(true).decode(&whole).unwrap(), Picture::decode(&whole).unwrap());
    for bytes in [&whole[..100], &whole[..3], b"not a picture at all"] {
        assert!(Decoding::default().with_truncated(true).decode(bytes).is_err());
    }
}

#[test]
fn tiff_that_is_not_read_is_told_by_what_its_samples_are() {
    let tiff = wide_tiff(&[0, 4095]);
    // The entry of a tag becomes another's, or says something else.
    let with = |tag: u16, as_tag: u16, value: u16| {
        let mut bytes = tiff.clone();
        let at = bytes.windows(4).position(|window| window[..2] == tag.to_le_bytes() && window[2..] == [4, 0]).unwrap();
        bytes[at..at + 2].copy_from_slice(&as_tag.to_le_bytes());
        bytes[at + 8..at + 10].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    for (bytes, told) in [
        (with(278, 339, 3), "TIFF with floats of 16 bits"),
        (with(278, 339, 2), "TIFF with numbers of 16 bits that have a sign"),
        (with(258, 258, 32), "TIFF with 32 bits a sample"),
        (with(277, 277, 2), "TIFF with two samples a pixel"),
    ] {
        let error = Picture::decode(&bytes).unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("convert it to PNG"), "{error}");
    }
    assert!(Picture::decode(&tiff).is_ok());
}

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
fn pictures_are_turned_upright_as_pillow_does() {
    let files = files("oriented");
    assert_eq!(files.len(), 23);
    for (name, content, expected) in files {
        let found = Picture::decode(&content).unwrap();
        let number = name.bytes().find(u8::is_ascii_digit).map_or(1, |digit| digit - b'0');
        // A TIFF is upright when it has been read, in Pillow too.
        let number = if name.ends_with(".tif") { 1 } else { number };
        assert_eq!(found.orientation().exif(), number, "{name}");
        assert_same(&name, &found.upright(), &expected);
    }
}

/// A PNG of one row of 16-bit samples, of one channel or three, with an sBIT chunk.
fn wide_png(channels: usize, samples: &[u16], significant: &[u8]) -> Vec<u8> {
    let pixels = samples.len() / channels;
    // Filter 0, and zlib with one stored block.
    let row: Vec<u8> = [0].into_iter().chain(samples.iter().flat_map(|sample| sample.to_be_bytes())).collect();
    let length = row.len() as u16;
    let (a, b) = row.iter().fold((1_u32, 0_u32), |(a, b), &byte| ((a + u32::from(byte)) % 65521, (a + u32::from(byte) + b) % 65521));
    let stored = [&[0x78, 1, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), &row, &((b << 16) | a).to_be_bytes()].concat();
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        let body = [kind, content].concat();
        let crc = body.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        });
        [&(content.len() as u32).to_be_bytes()[..], &body, &(!crc).to_be_bytes()].concat()
    };
    let header = [&(pixels as u32).to_be_bytes()[..], &1_u32.to_be_bytes(), &[16, if channels == 3 { 2 } else { 0 }, 0, 0, 0]].concat();
    let bits = if significant.is_empty() { Vec::new() } else { chunk(b"sBIT", significant) };
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header), bits, chunk(b"IDAT", &stored), chunk(b"IEND", b"")].concat()
}

/// A TIFF of one row of grey.
fn wide_tiff(samples: &[u16]) -> Vec<u8> {
    let pixels: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let entry = |tag: u16, value: u32| [&tag.to_le_bytes()[..], &[4, 0, 1, 0, 0, 0], &value.to_le_bytes()].concat();
    let width = samples.len() as u32;
    let entries: Vec<u8> = [(256, width), (257, 1), (258, 16), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 2 * width)]
        .into_iter()
        .flat_map(|(tag, value)| entry(tag, value))
        .collect();
    let directory = 8 + pixels.len() as u32;
    [b"II*\0", &directory.to_le_bytes()[..], &pixels, &9_u16.to_le_bytes(), &entries, &[0; 4]].concat()
}

/// Each sample of a picture of one row, of one channel of grey or of all three.
fn levels(decoding: &Decoding, bytes: &[u8], channels: usize) -> Vec<u8> {
    decoding.decode(bytes).unwrap().samples().iter().step_by(if channels == 1 { 3 } else { 1 }).copied().collect()
}

#[test]
fn bits_within_16_are_scaled_by_what_is_said_of_them() {
    let twelve: Vec<u16> = (0..4096).collect();
    let of = |most: u32| (0..4096_u32).map(|value| ((value.min(most) * 255 + most / 2) / most) as u8).collect::<Vec<u8>>();
    let [whole, asked, own, fourteen] = [
        SampleRange::Whole,
        SampleRange::Between { least: 0, most: 4095 },
        SampleRange::Own,
        SampleRange::Between { least: 0, most: 16383 },
    ]
    .map(|range| Decoding::default().with_sample_range(range));
    let pgm = [&b"P5 4096 1 65535 "[..], &twelve.iter().flat_map(|sample| sample.to_be_bytes()).collect::<Vec<u8>>()].concat();
    for (what, bytes) in [("PNG", wide_png(1, &twelve, &[])), ("TIFF", wide_tiff(&twelve)), ("PGM", pgm)] {
        assert_eq!(levels(&whole, &bytes, 1).last(), Some(&16), "{what}");
        assert_eq!(levels(&whole, &bytes, 1), of(65535), "{what}");
        assert_eq!(levels(&asked, &bytes, 1), of(4095), "{what}");
        assert_eq!(levels(&fourteen, &bytes, 1), of(16383), "{what}");
        assert_eq!(levels(&own, &bytes, 1), of(4095), "{what}");
        let wide = Picture::decode(&bytes).unwrap().wide().unwrap();
        assert!(wide.is_grey && wide.is_narrow() && !wide.is_cut_off(), "{what}");
        assert_eq!((wide.used, wide.range, wide.levels()), ([0.0, 4095.0], [0.0, 65535.0], 17), "{what}");
        let wide =
            Decoding::default().with_sample_range(SampleRange::Between { least: 16, most: 1023 }).decode(&bytes).unwrap().wide().unwrap();
        assert!(wide.is_cut_off() && !wide.is_narrow(), "{what}");
    }
    // Significant bits, at the bottom as some writers leave them, or at the top, where PNG has them.
    let high: Vec<u16> = twelve.iter().map(|&value| value << 4 | value >> 8).collect();
    assert_eq!(levels(&whole, &wide_png(1, &twelve, &[12]), 1), of(4095));
    assert_eq!(levels(&whole, &wide_png(1, &high, &[12]), 1), of(4095));
    assert_eq!(levels(&whole, &wide_png(1, &high[..200], &[12]), 1), levels(&whole, &wide_png(1, &high[..200], &[]), 1));
    assert_eq!(levels(&own, &wide_png(1, &twelve[100..200], &[12]), 1).last(), Some(&255));
    assert!(!Picture::decode(&wide_png(1, &twelve, &[12])).unwrap().wide().unwrap().is_narrow());
    // A largest value that a header says, in as many bits as there may be.
    let pgm =
        [&b"P5 4096 1\n# of 12 bits\n4095\n"[..], &twelve.iter().flat_map(|sample| sample.to_be_bytes()).collect::<Vec<u8>>()].concat();
    assert_eq!(levels(&whole, &pgm, 1), of(4095));
    assert_eq!(levels(&whole, b"P5 3 1 15 \x00\x07\x0f", 1), [0, 119, 255]);
    assert_eq!(levels(&whole, b"P3 1 1 15 0 7 15", 3), [0, 119, 255]);
}

#[test]
fn wide_colour_keeps_its_high_byte_unless_something_is_said() {
    let samples = [0, 255, 4095, 2048, 1024, 16];
    let decoding = |range| Decoding::default().with_sample_range(range);
    let asked = decoding(SampleRange::Between { least: 0, most: 4095 });
    assert_eq!(levels(&Decoding::default(), &wide_png(3, &samples, &[]), 3), [0, 0, 15, 8, 4, 0]);
    for scaled in [levels(&asked, &wide_png(3, &samples, &[]), 3), levels(&Decoding::default(), &wide_png(3, &samples, &[12, 12, 12]), 3)] {
        assert_eq!(scaled, [0, 16, 255, 128, 64, 1]);
    }
    let wide = Picture::decode(&wide_png(3, &samples, &[])).unwrap();
    let told = wide.wide().unwrap();
    assert!(!wide.has_scaled_grey() && !told.is_grey && told.is_narrow());
    assert_eq!(told.levels(), 16);
    // Eight bits stay what they are.
    let png = std::fs::read(fixture("RGB.png")).unwrap();
    assert_eq!(asked.decode(&png).unwrap(), Picture::decode(&png).unwrap());
    assert_eq!(Picture::decode(&png).unwrap().wide(), None);
}

#[test]
fn resizing_is_pillows() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let expected = pictures("resized.npz");
    assert_eq!(expected.len(), 36);
    for (name, expected) in expected {
        let (filter_name, wanted) = name.split_once('-').unwrap();
        let [width, height] = size(wanted);
        assert_same(&name, &resize(&source, height, width, filter(filter_name)), &expected);
    }
}

/// The preprocessing that `<mode>-<size>-<filter>-<crop>-<channels>` names.
fn preprocessing(name: &str) -> Preprocessing {
    let [mode, wanted, filter_name, crop, channels] = name.split('-').collect::<Vec<_>>()[..] else { panic!("{name}") };
    let mode = match mode {
        "short_side" | "ten_crop" => ResizeMode::ShortSide(wanted.parse().unwrap()),
        "long_side" => ResizeMode::LongSide(wanted.parse().unwrap()),
        "cover" => ResizeMode::Cover(size(wanted)),
        "squash" => ResizeMode::Squash(size(wanted)),
        _ => panic!("{name}"),
    };
    let crop = (crop != "whole").then(|| [crop.parse().unwrap(); 2]);
    let resize = Some(Resize { filter: filter(filter_name), mode });
    Preprocessing::torchvision(channels.parse().unwrap()).with_resize(resize).with_crop(crop)
}

#[test]
fn resize_and_crop_are_torchvisions() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let expected = pictures("preprocessed.npz");
    assert_eq!(expected.len(), 30);
    for (name, expected) in expected {
        if name.starts_with("ten_crop") {
            let crops = preprocessing(&name).ten_crops(&source).unwrap();
            let samples: Vec<u8> = crops.iter().flat_map(|crop| crop.picture.samples()).copied().collect();
            assert_same(&name, &Picture::new(expected.height(), expected.width(), 3, samples).unwrap(), &expected);
        } else {
            assert_same(&name, &preprocessing(&name).prepare(&source).unwrap().picture, &expected);
        }
    }
}

#[test]
fn pictures_of_random_sizes_are_torchvisions() {
    let (sources, expected): (Vec<_>, Vec<_>) = pictures("random.npz").into_iter().partition(|(name, _)| !name.contains('-'));
    let sources: HashMap<String, Picture> = sources.into_iter().collect();
    assert_eq!((sources.len(), expected.len()), (40, 200));
    for (name, expected) in expected {
        let (number, named) = name.split_once('-').unwrap();
        assert_same(&name, &preprocessing(named).prepare(&sources[number]).unwrap().picture, &expected);
    }
}

/// skimage smooths before it resizes, here the filter is as wide as the pixels that it makes one of: numbers differ, places do
/// not. A square that lies half a pixel elsewhere has five times these differences.
#[test]
fn radiographs_are_nearly_torchxrayvisions() {
    let arrays: HashMap<String, Vec<u8>> = npz::read(&fixture("../torchxrayvision.npz")).into_iter().collect();
    let preprocessing = Preset::Xrv.preprocessing(1).sized(56, 56);
    for (name, [height, width]) in [("wide", [150, 181]), ("tall", [181, 150])] {
        let samples: Vec<u8> = npyz::NpyFile::new(&arrays[name][..]).unwrap().into_vec().unwrap();
        let expected: Vec<f32> = npyz::NpyFile::new(&arrays[&format!("{name}-56")][..]).unwrap().into_vec().unwrap();
        let found = preprocessing.apply(&Picture::new(height, width, 1, samples).unwrap()).unwrap();
        assert_eq!((found.height, found.width, found.values.len()), (56, 56, expected.len()));
        let off: Vec<f64> = found.values.iter().zip(&expected).map(|(a, b)| f64::from((a - b).abs())).collect();
        let (mean, most) = (off.iter().sum::<f64>() / off.len() as f64, off.iter().copied().fold(0.0, f64::max));
        assert!(mean < 8.0 && most < 64.0, "{name}: of 2048 steps {mean} on average, {most} at most");
    }
}

#[test]
fn ten_crops_need_a_crop_and_a_picture_as_large() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let uncropped = preprocessing("short_side-40-bilinear-whole-3").ten_crops(&source).unwrap_err().to_string();
    assert!(uncropped.contains("found a preprocessing without a crop: short side to 40"), "{uncropped}");
    let small = preprocessing("short_side-40-bilinear-50-3").ten_crops(&source).unwrap_err().to_string();
    assert!(small.contains("found one of 40x56 pixels for crops of 50x50"), "{small}");
}

#[test]
fn the_tensor_is_torchvisions() {
    let (_, tensor) = npz::read(&fixture("preprocessed.npz")).into_iter().find(|(name, _)| name == "tensor").unwrap();
    let expected: Vec<f32> = npyz::NpyFile::new(&tensor[..]).unwrap().into_vec().unwrap();
    let resize = Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::ShortSide(40) });
    let preprocessing = Preprocessing::torchvision(3).with_resize(resize).with_crop(Some([37, 37]));
    let input = preprocessing.apply(&Picture::open(fixture("source.png")).unwrap()).unwrap();
    assert_eq!((input.height, input.width), (37, 37));
    assert!(input.values == expected, "the tensor differs from torchvision's");
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

#[test]
fn pictures_are_recognised_by_their_content() {
    let recognises = |bytes: &[u8]| Picture::recognises(std::io::Cursor::new(bytes));
    assert!(recognises(&std::fs::read(fixture("L.png")).unwrap()));
    assert!(recognises(b"P5 1 1 255 x"));
    for text in [&b""[..], b"P5 is a letter and a digit", b"BM stands for many things", b"plain text"] {
        assert!(!recognises(text), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn a_model_of_four_channels_takes_no_picture() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let error = Preprocessing::torchvision(4).apply(&source).unwrap_err().to_string();
    assert!(error.contains("1 or 3 channels") && error.contains("found a model of 4"), "{error}");
}

#[test]
fn a_very_long_picture_costs_no_more_than_its_crop() {
    let source = Picture::new(1, 60_000, 3, vec![77; 180_000]).unwrap();
    let prepared = Preprocessing::torchvision(3).prepare(&source).unwrap();
    assert!(prepared.picture.samples().iter().all(|&sample| sample == 77));
    let uncropped = Preprocessing::torchvision(3).with_crop(None);
    let error = uncropped.apply(&source).unwrap_err().to_string();
    assert!(error.contains("would become 15360000x256"), "{error}");
}

fn any_filter() -> impl Strategy<Value = Filter> {
    prop::sample::select(vec![Filter::Nearest, Filter::Bilinear, Filter::Bicubic, Filter::Lanczos])
}

/// A picture of noise, its edges and extremes more frequent than chance would have them.
fn noise(height: usize, width: usize, channels: usize, seed: u64) -> Picture {
    let mut state = seed;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        match state >> 60 {
            0..4 => 0,
            4..8 => 255,
            _ => (state >> 50) as u8,
        }
    });
    Picture::new(height, width, channels, noise.take(height * width * channels).collect()).unwrap()
}

/// Every file of `kinds`.
static KINDS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| npz::read(&fixture("kinds.zip")));

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

    #[test]
    fn resizing_is_the_plain_sum(
        from in [1..70_usize, 1..70], to in [1..70_usize, 1..70], channels in prop::sample::select(vec![1_usize, 3]), seed: u64,
        filter in prop::sample::select(vec![Filter::Bilinear, Filter::Bicubic, Filter::Lanczos]),
    ) {
        let source = noise(from[0], from[1], channels, seed);
        prop_assert_eq!(resampling::differing(&source, to[0], to[1], filter), 0);
    }

    #[test]
    fn a_constant_picture_stays_constant(
        from in [1..80_usize, 1..80], to in [1..80_usize, 1..80], filter in any_filter(), channels in prop::sample::select(vec![1_usize, 3]), level: u8,
    ) {
        let source = Picture::new(from[0], from[1], channels, vec![level; from[0] * from[1] * channels]).unwrap();
        let resized = resize(&source, to[0], to[1], filter);
        prop_assert_eq!((resized.height(), resized.width(), resized.channels()), (to[0], to[1], channels));
        prop_assert!(resized.samples().iter().all(|&sample| sample == level));
    }

    #[test]
    fn a_region_is_a_part_of_the_whole(
        to in [2..60_usize, 2..60], filter in any_filter(), first in [0.0..1.0, 0.0..1.0], seed: u64,
    ) {
        let source = noise(23, 31, 3, seed);
        let from = [0, 1].map(|axis| (first[axis] * (to[axis] - 1) as f64) as usize);
        let region = Part { rows: from[0]..to[0], columns: from[1]..to[1] - usize::from(from[1] + 1 < to[1]) };
        let whole = resize(&source, to[0], to[1], filter);
        let part = resize_part(&source, to[0], to[1], &region, filter);
        for (y, row) in region.rows.clone().zip(part.samples().chunks_exact(region.columns.len() * 3)) {
            let at = (y * to[1] + region.columns.start) * 3;
            prop_assert_eq!(row, &whole.samples()[at..at + row.len()]);
        }
    }

    #[test]
    fn any_picture_fits_any_size(size in [1..50_usize, 1..50], wanted in [1..70_usize, 1..70], short in 1..70_usize, level: u8) {
        let source = Picture::new(size[0], size[1], 3, vec![level; size[0] * size[1] * 3]).unwrap();
        let resize = Some(Resize { filter: Filter::Bilinear, mode: ResizeMode::ShortSide(short) });
        let preprocessing = Preprocessing::torchvision(3).with_resize(resize).with_crop(Some(wanted));
        let input = preprocessing.apply(&source).unwrap();
        prop_assert_eq!([input.height, input.width], wanted);
        prop_assert_eq!(input.values.len(), 3 * wanted[0] * wanted[1]);
        prop_assert!(input.values.iter().all(|value| value.is_finite()));
        let sized = preprocessing.sized(wanted[1], wanted[0]).apply(&source).unwrap();
        prop_assert_eq!([sized.width, sized.height], wanted);
    }
}

/// Values of an array of float32.
fn floats(name: &str, content: &[u8]) -> (Vec<u64>, Vec<f32>) {
    let array = npyz::NpyFile::new(content).unwrap_or_else(|error| panic!("{name}: {error}"));
    (array.shape().to_vec(), array.into_vec().unwrap())
}

/// Ours are rounded, OpenCV's too, the others' are not; PyTorch and OpenCV do not cut off what a cubic overshoots in the same place.
#[test]
fn filters_that_do_not_antialias_are_their_sources_within_a_level() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let mut seen = [0; 4];
    for (name, content) in npz::read(&fixture("interpolated.npz")) {
        let [filter_name, from, wanted] = name.split('-').collect::<Vec<_>>()[..] else { continue };
        let filters =
            [("linear", Filter::Linear), ("cubic", Filter::Cubic), ("area", Filter::Area), ("adaptive_area", Filter::AdaptiveArea)];
        let place = filters.iter().position(|(known, _)| *known == filter_name).unwrap();
        let [width, height] = size(wanted);
        let found = resize(&source, height, width, filters[place].1);
        let (shape, expected) = floats(&name, &content);
        assert_eq!(shape, [height as u64, width as u64, 3], "{name}");
        let off = found.samples().iter().zip(&expected).map(|(&a, b)| (f32::from(a) - b.clamp(0.0, 255.0)).abs()).fold(0.0, f32::max);
        assert!(off <= if from == "opencv" { 1.0 } else { 0.51 }, "{name}: {off} levels");
        let antialiased = resize(&source, height, width, Filter::Bilinear);
        assert!(width > 24 || filter_name != "linear" || found.samples() != antialiased.samples(), "{name}");
        seen[place] += 1;
    }
    assert_eq!(seen, [18, 12, 6, 6]);
}

#[test]
fn presets_are_their_sources_within_a_level() {
    let source = Picture::open(fixture("source.png")).unwrap();
    let mut compared = Vec::new();
    for (name, content) in npz::read(&fixture("interpolated.npz")) {
        let Some(preset) = Preset::named(&name) else { continue };
        let (shape, expected) = floats(&name, &content);
        let preprocessing = preset.preprocessing(shape[0] as usize).sized(32, 24);
        let found = preprocessing.apply(&source).unwrap();
        assert_eq!([found.height, found.width, found.values.len()], [32, 24, expected.len()], "{name}");
        // One level of 255, or of as many as the resized picture has, over the least standard deviation.
        let level = if name == "monai-tensor" { 1.0 / 200.0 } else { 1.0 / 255.0 / 0.224 + 1e-6 };
        let off = found.values.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off <= level, "{name}: {off}, more than {level}");
        compared.push(name);
    }
    compared.sort();
    assert_eq!(compared, ["monai-tensor", "opencv", "tensorflow"]);
}
