//! What headers of JPEG 2000 may not ask for.

use densenet_wgpu::Error;
use densenet_wgpu::image::{Decoding, Picture};

use crate::{CODED, FILES};

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
    assert!(told("rgb.j2k", 0x51, &[(41, 2)]).contains("subsampled channels"));
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
        (&[(0, 4)], "a JPEG 2000 in colours specified by method 4, neither"),
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
    assert!(told(&with(&[0xff, 0x90], &[0xff, 0x5f, 0, 9, 0, 0, 0, 1, 1, 1, 0])).contains("progression order changes"));
    assert!(told(&with(&[0xff, 0x90], &[0xff, 0x5e, 0, 5, 0, 0, 1])).contains("with a region of interest"));
    assert!(told(&with(&[0xff, 0x90], &[[0xff, 0x5c, 0x01, 0x2f, 0x40].as_slice(), &[8; 300]].concat())).contains("wrong length"));
    assert!(told(&with(&[0xff, 0x90], &[0xff, 0x5c, 0, 7, 0x41, 0x48, 0x48, 0xff, 0x52])).contains("wrong length"));
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
