//! Files of every kind are what Pillow makes of them.

use densenet_wgpu::Error;
use densenet_wgpu::image::{Decoding, Orientation, Picture};

use crate::{assert_same, files, fixture, pictures};

#[test]
fn every_kind_of_png_is_what_pillow_makes_of_it() {
    let expected = pictures("modes.npz");
    assert_eq!(expected.len(), 9);
    for (mode, expected) in expected {
        assert_same(&mode, &Picture::open(fixture(&format!("{mode}.png"))).unwrap(), &expected);
    }
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

#[test]
fn pictures_are_recognised_by_their_content() {
    let recognises = |bytes: &[u8]| Picture::recognises(std::io::Cursor::new(bytes));
    assert!(recognises(&std::fs::read(fixture("L.png")).unwrap()));
    assert!(recognises(b"P5 1 1 255 x"));
    for text in [&b""[..], b"P5 is a letter and a digit", b"BM stands for many things", b"plain text"] {
        assert!(!recognises(text), "{}", String::from_utf8_lossy(text));
    }
}
