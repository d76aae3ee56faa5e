//! What is not read is refused by name, before memory is taken for it.

use std::io::Write;

use densenet_wgpu::Error;
use densenet_wgpu::image::{Decoding, Picture};

#[cfg(feature = "jpeg2000")]
use crate::CODED;
use crate::{DEFLATED, FILES, file};

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
