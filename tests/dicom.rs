//! DICOM files become what pydicom and torchxrayvision make of them, and damaged ones a message.
//!
//! Fixtures: `scripts/make_dicom_fixtures.py`, `scripts/make_dicom_coded_fixtures.py`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "dicom")]

use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use densenet_wgpu::Error;
use densenet_wgpu::image::{Decoding, Dicom, Picture, SampleRange};
use npyz::Deserialize;
use proptest::prelude::*;

#[path = "common/npz.rs"]
mod npz;

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

/// Lossless is equal, lossy JPEG 2000 within a level of OpenJPEG: decoders may round.
#[test]
fn jpeg_ls_and_jpeg_2000_are_what_charls_and_openjpeg_make_of_them() {
    let (mut jpeg_ls, mut jpeg_2000) = (0, 0);
    for (name, shape, samples) in arrays::<u8>("coded.npz") {
        if !name.contains("jpeg-ls") && !cfg!(feature = "jpeg2000") {
            let Err(Error::MissingFeature { feature: "jpeg2000", .. }) = Picture::decode(&CODED[&name]) else { panic!("{name}") };
            continue;
        }
        let found = Picture::decode(&CODED[&name]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!([found.height() as u64, found.width() as u64, found.channels() as u64], shape[..], "{name}");
        let off = found.samples().iter().zip(&samples).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off <= Some(u8::from(name.contains("2000-lossy"))), "{name}: {off:?}");
        let frames = found.dicom().map(|dicom| dicom.frames);
        assert_eq!(frames, if name.contains(".j") { None } else { Some(if name.contains("three") { 3 } else { 1 }) }, "{name}");
        *if name.contains("jpeg-ls") { &mut jpeg_ls } else { &mut jpeg_2000 } += 1;
    }
    assert_eq!((jpeg_ls, jpeg_2000), (12, if cfg!(feature = "jpeg2000") { 30 } else { 0 }));
}

#[test]
fn a_jpeg_ls_whose_samples_are_shifted_or_looked_up_is_refused() {
    let whole = &CODED["jpeg-ls-12"];
    let scan = whole.windows(4).position(|window| window == [0xff, 0xda, 0, 8]).unwrap();
    // Of the scan's one component the table, and the bits by which samples are shifted.
    for place in [6, 9] {
        let mut changed = whole.clone();
        changed[scan + place] = 1;
        let error = Picture::decode(&changed).unwrap_err().to_string();
        assert!(error.contains("expected a JPEG-LS without tables and shifts"), "{error}");
    }
}

#[test]
fn a_jpeg_ls_whose_samples_grow_without_end_is_damaged() {
    let mut content = CODED["jpeg-ls-12"].clone();
    [(610, 140), (679, 2), (688, 32)].into_iter().for_each(|(place, byte)| content[place] = byte);
    let error = Picture::decode(&content).unwrap_err().to_string();
    assert!(error.starts_with("the picture is damaged or cut off"), "{error}");
}

#[cfg(feature = "jpeg2000")]
#[test]
fn jpeg_2000_that_is_not_read_is_refused_by_name() {
    for (name, message) in [
        ("rct-untransformed", "expected a JPEG 2000 with a colour transform for YBR_RCT or YBR_ICT, found one without"),
        ("ybr-transformed", "expected a JPEG 2000 without a colour transform for YBR_FULL, found one with"),
        ("unsigned", "expected samples coded in the bits that are stored, found 10 coded, 12 stored with the highest at 11"),
        ("size", "its JPEG 2000 is [13, 18, 1] where the file says [14, 18, 1]"),
    ] {
        let error = Picture::decode(&FILES[&format!("refused/jpeg-2000-{name}")]).unwrap_err().to_string();
        assert!(error.contains(message), "{name}: {error}");
    }
}

/// What a header may ask for: many tiles, layers, precincts; and a tile that is not there.
#[cfg(feature = "jpeg2000")]
#[test]
fn what_the_headers_of_a_jpeg_2000_ask_for_is_looked_at_first() {
    let changed = |file: &str, marker: u8, bytes: &[(usize, u8)]| {
        let mut content = CODED[file].clone();
        let at = content.windows(2).position(|window| window == [0xff, marker]).unwrap();
        bytes.iter().for_each(|&(place, byte)| content[at + place] = byte);
        Picture::decode(&content).unwrap_err()
    };
    let told = |file: &str, marker: u8, bytes: &[(usize, u8)]| changed(file, marker, bytes).to_string();
    // Tiles of 4x1, of which the first has all there is; the second of a tile twice.
    assert!(told("rgb.j2k", 0x51, &[(25, 4), (29, 1)]).contains("64 of 65 tiles of its JPEG 2000 are missing"));
    assert!(told("rgb.j2k", 0x51, &[(6, 9), (10, 9), (25, 1), (29, 1)]).contains("the size of its JPEG 2000, or of its tiles, is none"));
    assert!(told("rgb.j2k", 0x90, &[(5, 1)]).contains("more tiles than its size says"));
    assert!(told("rgb.j2k", 0x90, &[(6, 0), (7, 0), (8, 0), (9, 0)]).contains("whose last tile does not say how long it is"));
    assert!(told("rgb.j2k", 0x52, &[(6, 0), (7, 33)]).contains("more than 32 layers"));
    assert!(told("rgb.j2k", 0x52, &[(10, 254)]).contains("are cut off"), "blocks of 2^256 pixels across");
    assert!(told("rgb.j2k", 0x51, &[(41, 2)]).contains("not as many samples as pixels"));
    assert!(told("rgb.j2k", 0x51, &[(40, 15)]).contains("other than 8 bits"));
    // Colours of CIE's L*a*b*.
    let mut content = CODED["rgb.jp2"].clone();
    let at = content.windows(4).position(|window| window == b"colr").unwrap();
    content[at + 10] = 14;
    assert!(Picture::decode(&content).unwrap_err().to_string().contains("neither grey nor RGB"));
    // Colours that the decoder takes for RGB: e-sRGB, ROMM RGB, grey of three channels, those of a profile that is none, a vendor's.
    let coloured = |bytes: &[(usize, u8)]| {
        let mut content = CODED["rgb.jp2"].clone();
        let at = content.windows(4).position(|window| window == b"colr").unwrap() + 4;
        bytes.iter().for_each(|&(place, byte)| content[at + place] = byte);
        Picture::decode(&content).unwrap_err().to_string()
    };
    for (bytes, told) in [
        (&[(6, 20)][..], "a JPEG 2000 in e-sRGB, neither grey nor RGB"),
        (&[(6, 21)], "a JPEG 2000 in ROMM RGB, neither"),
        (&[(6, 17)], "a JPEG 2000 that is neither grey nor RGB"),
        (&[(6, 99)], "a JPEG 2000 in the colours of number 99, neither"),
        (&[(0, 2)], "headers of its JPEG 2000 are cut off"),
        (&[(0, 4)], "a JPEG 2000 in colours that are said by method 4, neither"),
    ] {
        let error = coloured(bytes);
        assert!(error.contains(told), "{error}");
    }
    // Precincts of one pixel for a picture of 30000x5000.
    let precincts = "jpeg-2000-lossy-precincts";
    let codestream = CODED[precincts].windows(4).position(|window| window == [0xff, 0x4f, 0xff, 0x51]).unwrap();
    let mut content = CODED[precincts][codestream..].to_vec();
    for (place, number) in [(8, 30_000_u32), (12, 5000), (24, 30_000), (28, 5000)] {
        content[place..place + 4].copy_from_slice(&number.to_be_bytes());
    }
    let style = content.windows(2).position(|window| window == [0xff, 0x52]).unwrap();
    let levels = usize::from(content[style + 9]);
    content[style + 14..=style + 14 + levels].fill(0x11);
    let roomy = Decoding::default().with_max_decoder_bytes(8 << 30);
    assert!(matches!(roomy.decode(&content).unwrap_err(), Error::TooManyBytes { .. }));
}

/// What a decoder would take for headers, for a second picture or for planes without number, and the walk over its headers would not.
#[cfg(feature = "jpeg2000")]
#[test]
fn what_a_jpeg_2000_hides_is_refused() {
    let position = |content: &[u8], bytes: &[u8]| content.windows(bytes.len()).position(|window| window == bytes).unwrap();
    let told = |content: &[u8]| Picture::decode(content).unwrap_err().to_string();
    let with = |before: &[u8], bytes: &[u8]| {
        let mut content = CODED["rgb.j2k"].clone();
        let at = position(&content, before);
        content.splice(at..at, bytes.iter().copied());
        content
    };
    assert!(told(&with(&[0xff, 0x90], &[0xff, 0x5f, 0, 9, 0, 0, 0, 1, 1, 1, 0])).contains("whose order changes"));
    assert!(told(&with(&[0xff, 0x90], &[0xff, 0x5e, 0, 5, 0, 0, 1])).contains("with a region of interest"));
    assert!(told(&with(&[0xff, 0x90], &[[0xff, 0x5c, 0x01, 0x2f, 0x40].as_slice(), &[8; 300]].concat())).contains("longer or shorter"));
    assert!(told(&with(&[0xff, 0x90], &[0xff, 0x5c, 0, 7, 0x41, 0x48, 0x48, 0xff, 0x52])).contains("longer or shorter"));
    // A style, and the size, that are followed by more in their segments.
    for marker in [0x52, 0x51] {
        let mut content = CODED["rgb.j2k"].clone();
        let at = position(&content, &[0xff, marker]);
        let behind = at + 2 + usize::from(content[at + 3]);
        content[at + 3] += 2;
        content.splice(behind..behind, [0xff, 0x53]);
        assert!(told(&content).contains("are cut off"), "{marker:x}");
    }
    // A second picture; a channel that is looked up five times.
    let boxed = &CODED["rgb.jp2"];
    let second = boxed[position(boxed, b"jp2c") - 4..].to_vec();
    assert!(told(&[boxed.as_slice(), &second].concat()).contains("of several pictures"));
    let mut content = boxed.clone();
    let header = position(&content, b"jp2h");
    content[header - 1] += 28;
    let map = [[0, 0, 0, 28].as_slice(), b"cmap", &[0; 20]].concat();
    content.splice(header + 4..header + 4, map);
    assert!(told(&content).contains("more than 4 channels"));
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

#[test]
fn a_narrow_window_has_every_level() {
    let samples: Vec<u16> = (0..4096).collect();
    let bytes = file(NATIVE, &radiograph(64, 64, ["1000.5", "257"], &samples));
    let levels = |voi_lut| {
        let picture = Decoding::default().with_voi_lut(voi_lut).decode(&bytes).unwrap();
        picture.samples().iter().step_by(3).copied().collect::<Vec<u8>>()
    };
    // Values 872 to 1128 are the window; before, below and behind it there is nothing to tell apart.
    let window = levels(true);
    assert!(window[..=872].iter().all(|&level| level == 0) && window[1128..].iter().all(|&level| level == 255));
    let mut seen = window.clone();
    seen.dedup();
    assert_eq!(seen, (0..=255).collect::<Vec<u8>>());
    let whole: Vec<u8> = (0..4096_u32).map(|value| ((value * 255 + 2047) / 4095) as u8).collect();
    assert_eq!(levels(false), whole);
}

/// The same with a Modality LUT.
fn rescaled(data_set: &[u8], intercept: &str, slope: &str) -> Vec<u8> {
    let at = data_set.windows(4).position(|window| window == [0xe0, 0x7f, 0x10, 0x00]).unwrap();
    let [intercept, slope] = [(0x1052, intercept), (0x1053, slope)].map(|(tag, text)| element(0x28, tag, "DS", text.as_bytes()));
    [&data_set[..at], &intercept, &slope, &data_set[at..]].concat()
}

/// As of PET, where a slope is a small part of 1.
#[test]
fn darkest_and_brightest_need_not_be_whole_numbers() {
    let samples: Vec<u16> = (100..1124).collect();
    let expected: Vec<u8> = (0..1024_u32).map(|value| ((value * 255 + 511) / 1023) as u8).collect();
    for (intercept, slope) in [("0 ", "0.5 "), ("-3.25 ", "0.003 "), ("0 ", "1E-6"), ("0.5 ", "7.25")] {
        let bytes = file(NATIVE, &rescaled(&radiograph(32, 32, ["1", "2"], &samples), intercept, slope));
        let decode = |range| Decoding::default().with_sample_range(range).decode(&bytes).unwrap();
        let own = decode(SampleRange::Own);
        let levels: Vec<u8> = own.samples().iter().step_by(3).copied().collect();
        // A value that lies between two levels may be rounded to either.
        assert!(levels.iter().zip(&expected).all(|(level, other)| level.abs_diff(*other) <= 1), "{slope}");
        assert_eq!((levels[0], levels[1023]), (0, 255), "{slope}");
        let [intercept, slope] = [intercept, slope].map(|text| text.trim().parse::<f64>().unwrap());
        let ends = [100.0, 1123.0].map(|stored| slope * stored + intercept);
        assert_eq!(own.wide().map(|wide| (wide.used, wide.range, wide.levels())), Some((ends, ends, 256)), "{slope}");
        let whole = decode(SampleRange::Whole).wide().unwrap();
        assert!(whole.used == ends && whole.is_narrow() && whole.levels() <= 66, "{slope}: {whole:?}");
    }
}

#[test]
fn a_range_is_of_what_the_modality_makes() {
    // Twelve bits of which ten are used, in Hounsfield units from -1024.
    let samples: Vec<u16> = (0..1024).collect();
    let bytes = file(NATIVE, &rescaled(&radiograph(32, 32, ["1", "2"], &samples), "-1024 ", "1 "));
    let levels = |range| {
        let picture = Decoding::default().with_sample_range(range).decode(&bytes).unwrap();
        (picture.samples().iter().step_by(3).copied().collect::<Vec<u8>>(), picture.wide().unwrap())
    };
    let (whole, wide) = levels(SampleRange::Whole);
    assert_eq!((whole[1023], wide.used, wide.range), (64, [-1024.0, -1.0], [-1024.0, 3071.0]));
    assert!(wide.is_narrow());
    let expected: Vec<u8> = (0..1024_u32).map(|value| ((value * 255 + 511) / 1023) as u8).collect();
    for range in [SampleRange::Own, SampleRange::Between { least: -1024, most: -1 }] {
        let (levels, wide) = levels(range);
        assert_eq!((levels, wide.range), (expected.clone(), [-1024.0, -1.0]));
    }
    let (cut, wide) = levels(SampleRange::Between { least: -1000, most: -900 });
    assert!(wide.is_cut_off() && cut[..=24].iter().all(|&level| level == 0) && cut[124..].iter().all(|&level| level == 255));
    // A window is what was asked for.
    assert_eq!(Decoding::default().with_voi_lut(true).decode(&bytes).unwrap().wide(), None);
}

#[test]
fn a_file_without_a_window_says_so_where_one_is_asked_for() {
    let decoding = Decoding::default().with_voi_lut(true);
    let found = decoding.decode(&FILES["grey-12"]).unwrap();
    assert!(matches!(found.dicom(), Some(Dicom { frames: 1, lacks_voi_lut: true, .. })));
    assert_eq!(found.samples(), decoded("grey-12").samples());
    assert_eq!(Picture::decode(b"P5 1 1 255 x").unwrap().dicom(), None);
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    for (name, message) in [
        ("jpeg-ls-rgb", "expected a JPEG-LS of grey, found one of colour"),
        ("no-pixels", "expected pixel data, found none: the file is a report, a plan or the like, or is cut off"),
        ("no-rows", "expected Rows from 1, found 0"),
        ("short", "its first frame has 234 of 4000000 bytes"),
        ("slopeless", "expected a RescaleSlope other than 0"),
        ("floats", "expected integers as pixel data, found floats"),
        ("wide", "expected BitsAllocated of 8 or 16, or of 1 for grey, for MONOCHROME2, found 32"),
        ("partial", "as PhotometricInterpretation, found YBR_PARTIAL_420"),
        ("bits", "expected samples within their 8 bits, found 9 with the highest at 7"),
    ] {
        let error = Picture::decode(&FILES[&format!("refused/{name}")]).unwrap_err().to_string();
        assert!(error.contains(message), "{name}: {error}");
    }
    let error = Picture::decode(&FILES["refused/slopeless"]).unwrap_err().to_string();
    assert!(error.ends_with("; convert it to PNG or JPEG first"), "{error}");
    // What is not looked at may be wrong.
    let windowless = &FILES["refused/windowless"];
    assert!(Picture::decode(windowless).is_ok());
    let error = Decoding::default().with_voi_lut(true).decode(windowless).unwrap_err().to_string();
    assert!(error.contains("expected a window's centre and width, found 0"), "{error}");
}

/// What makes samples native keeps the window and all else, which PNG would lose.
#[test]
fn coded_pixel_data_that_are_not_read_are_to_be_made_native() {
    let jpeg_2000 = "`gdcmconv --raw IN OUT` makes its pixel data native";
    for (syntax, remedy) in [
        ("55", "`gdcmconv --raw IN OUT` or `dcmdjpeg IN OUT` makes its pixel data native"),
        ("102", "it is a video: save a picture of it as PNG or JPEG"),
        ("201", "save it with native pixel data, as pydicom's `decompress` does"),
        #[cfg(not(feature = "jpeg2000"))]
        ("90", &format!("({jpeg_2000}), for which densenet-wgpu is to be built with its feature `jpeg2000`")),
    ] {
        let error = Picture::decode(&file(&format!("1.2.840.10008.1.2.4.{syntax}"), &[])).unwrap_err().to_string();
        assert!(error.ends_with(remedy), "{syntax}: {error}");
    }
    let told = |content: &[u8], end: &str| {
        let error = Picture::decode(content).unwrap_err().to_string();
        assert!(error.ends_with(end), "{error}");
    };
    told(&FILES["refused/jpeg-ls-rgb"], "found one of colour; `gdcmconv --raw IN OUT` or `dcmdjpls IN OUT` makes its pixel data native");
    if cfg!(feature = "jpeg2000") {
        told(&FILES["refused/jpeg-2000-unsigned"], &format!("with the highest at 11; {jpeg_2000}"));
        let mut fast = CODED["jpeg-2000-lossy-precincts"].clone();
        let style = fast.windows(2).position(|window| window == [0xff, 0x52]).unwrap();
        fast[style + 1] = 0x50;
        told(&fast, &format!("(a JPEG 2000 of high throughput); {jpeg_2000}"));
    }
}

#[test]
fn limits_hold_before_memory_is_taken() {
    let limited = |decoding: &Decoding, bytes: &[u8]| match decoding.decode(bytes) {
        Err(Error::TooManyPixels { most, .. }) => ("pixels", most),
        Err(Error::TooManyBytes { most, .. }) => ("bytes", most),
        other => panic!("{other:?}"),
    };
    let huge = &FILES["refused/huge"];
    assert_eq!(limited(&Decoding::default(), huge), ("pixels", 178_956_970));
    assert_eq!(limited(&Decoding::default().with_max_pixels(u64::MAX), huge), ("bytes", 1 << 30));
    for name in ["grey-12", "rle-12", "lossless-12", "extended-12", "baseline", "baseline-422", "deflated", "jpeg-ls-12"] {
        let file = &FILES[name];
        assert_eq!(limited(&Decoding::default().with_max_pixels(13 * 18 - 1), file).0, "pixels", "{name}");
        assert_eq!(limited(&Decoding::default().with_max_decoder_bytes(200), file), ("bytes", 200), "{name}");
        let most = file.len() as u64 - 1;
        assert_eq!(limited(&Decoding::default().with_max_file_bytes(most), file), ("bytes", most), "{name}");
    }
    #[cfg(feature = "jpeg2000")]
    for name in ["jpeg-2000-12", "rgb.jp2"] {
        assert_eq!(limited(&Decoding::default().with_max_pixels(13 * 18 - 1), &CODED[name]).0, "pixels", "{name}");
        assert_eq!(limited(&Decoding::default().with_max_decoder_bytes(5000), &CODED[name]), ("bytes", 5000), "{name}");
    }
    // Two gibibytes of zeros.
    let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..2048).for_each(|_| deflater.write_all(&[0; 1 << 20]).unwrap());
    let bomb = file(DEFLATED, &deflater.finish().unwrap());
    assert_eq!(limited(&Decoding::default().with_max_decoder_bytes(1 << 20), &bomb), ("bytes", 1 << 20));
}

#[test]
fn sequences_within_sequences_are_passed_over() {
    let picture = radiograph(1, 2, ["1", "2"], &[0, 4095]);
    let open: &[u8] = b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff";
    let close: &[u8] = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0";
    let nested = |depth| file(NATIVE, &[open.repeat(depth), close.repeat(depth), picture.clone()].concat());
    assert_eq!(Picture::decode(&nested(1000)).unwrap().samples(), [0, 0, 0, 255, 255, 255]);
    for bytes in [nested(1001), nested(10_000), file(NATIVE, &open.repeat(1_000_000))] {
        let error = Picture::decode(&bytes).unwrap_err().to_string();
        assert!(error.contains("more than 1000 sequences are in one another"), "{error}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_a_message() {
    for (name, content) in FILES.iter().filter(|(name, content)| !name.starts_with("refused/") && content.len() < 10_000) {
        let whole = Picture::decode(content).unwrap();
        for length in (0..content.len()).step_by(7) {
            match Picture::decode(&content[..length]) {
                // What is missing is no sample.
                Ok(picture) => assert_eq!(picture, whole, "{name}, {length} of {}", content.len()),
                Err(error) => assert!(!error.to_string().contains("decoder failed"), "{name}, {length} of {}: {error}", content.len()),
            }
        }
    }
}

/// Where the data set begins, behind the meta information, which says how long it is.
fn data_set_at(content: &[u8]) -> usize {
    assert_eq!(content[132..140], *b"\x02\0\0\0UL\x04\0");
    144 + u32::from_le_bytes(content[140..144].try_into().unwrap()) as usize
}

#[test]
fn files_without_preamble_or_transfer_syntax_are_what_they_are_with_them() {
    let (mut bare, mut encoded) = (0, 0);
    for (name, content) in FILES.iter().filter(|(name, _)| !name.starts_with("refused/")) {
        let whole = Picture::decode(content).unwrap();
        for begin in [128, 132] {
            assert_eq!(Picture::decode(&content[begin..]).unwrap_or_else(|error| panic!("{name}, {begin}: {error}")), whole, "{name}");
        }
        // Alone a data set tells how its elements are encoded, but not its pixel data.
        let data_set = &content[data_set_at(content)..];
        let is_native = !["jpeg", "rle", "lossless", "baseline", "extended", "deflated"].iter().any(|word| name.contains(word));
        match Picture::decode(data_set) {
            Ok(picture) => {
                assert!(picture == whole, "{name}");
                bare += 1;
            }
            Err(error) => {
                assert!(!is_native, "{name}: {error}");
                let told = [
                    "its pixel data are encoded, where its transfer syntax, or none, says that they are not",
                    "expected JPEG 2000 for YBR_RCT or YBR_ICT, found Explicit VR Little Endian",
                    "not a picture",
                ];
                assert!(told.iter().any(|part| error.to_string().contains(part)), "{name}: {error}");
                encoded += 1;
            }
        }
    }
    assert!(bare > 20 && encoded > 5, "{bare} {encoded}");
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

proptest! {
    #[test]
    fn a_damaged_file_is_a_message_or_a_picture(
        which in 0.0..1.0,
        begin in 0..4,
        damage in prop::collection::vec((0.0..1.0, any::<u8>()), 1..6),
    ) {
        static SORTED: LazyLock<Vec<&String>> = LazyLock::new(|| {
            let mut names: Vec<&String> = FILES.keys().collect();
            names.sort();
            names
        });
        let name = SORTED[(which * SORTED.len() as f64) as usize];
        let whole = &FILES[name];
        // Whole, without its preamble, without its prefix, and without its meta information.
        let mut content = whole[[0, 128, 132, data_set_at(whole)][begin as usize]..].to_vec();
        for (place, byte) in damage {
            let place = (place * content.len() as f64) as usize;
            content[place] = byte;
        }
        match (Decoding::default().with_voi_lut(true)).decode(&content) {
            Ok(picture) => prop_assert_eq!(picture.samples().len(), picture.height() * picture.width() * 3, "{}", name),
            Err(error) => prop_assert!(!error.to_string().contains("decoder failed"), "{}: {}", name, error),
        }
    }
}
