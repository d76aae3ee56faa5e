//! The structure of files: nested, cut off, damaged, and without their first parts.

use std::sync::LazyLock;

use densenet_wgpu::image::{Decoding, Picture};
use proptest::prelude::*;

use crate::{FILES, NATIVE, file, radiograph};

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
        // A data set alone shows how its elements are encoded, but not its pixel data.
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
        // The whole file, or without its preamble, its prefix or its meta information.
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
