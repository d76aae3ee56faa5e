//! Pixel data in JPEG-LS and JPEG 2000.

use densenet_wgpu::Error;
use densenet_wgpu::image::Picture;

use crate::{CODED, FILES, arrays, file};

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
