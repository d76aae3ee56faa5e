//! Pictures of kinds that are not read, told by how their files begin: so that none is taken for no picture at all.

use std::fmt::Display;

use crate::error::{Error, Result};

/// What a file that begins so is called, where it is a picture of a kind that is not read.
pub(super) fn kind(head: &[u8]) -> Option<&'static str> {
    match head {
        // ISO base media: the length of a box, its type, the brand.
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4)? {
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" | b"mif1" | b"msf1" => Some("HEIC"),
            b"avif" | b"avis" => Some("AVIF"),
            b"crx " => Some("a camera's raw data (CR3)"),
            _ => None,
        },
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => Some("JPEG XL"),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => Some("JPEG 2000"),
        [b'I', b'I', 0xbc, ..] => Some("JPEG XR"),
        [b'8', b'B', b'P', b'S', ..] => Some("Photoshop's"),
        [b'I', b'I', b'R', b'O' | b'S', ..] | [b'M', b'M', b'O', b'R', ..] => Some("a camera's raw data (ORF)"),
        [b'I', b'I', b'U', 0, ..] => Some("a camera's raw data (RW2)"),
        _ if head.starts_with(b"FUJIFILMCCD-RAW") => Some("a camera's raw data (RAF)"),
        _ if head.starts_with(b"\x76\x2f\x31\x01") => Some("OpenEXR"),
        _ if head.starts_with(b"#?RADIANCE") || head.starts_with(b"#?RGBE") => Some("Radiance HDR"),
        _ if head.starts_with(b"qoif") => Some("QOI"),
        _ if head.starts_with(b"DDS ") => Some("DDS"),
        _ => None,
    }
}

/// Errors with what the file is.
pub(super) fn refuse<T>(kind: impl Display) -> Result<T> {
    Err(Error::picture(format!("{kind} is not read; convert it to PNG or JPEG")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Picture;
    use std::io::Cursor;

    #[test]
    fn a_picture_that_is_not_read_is_called_by_its_kind() {
        for (head, name) in [
            (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "HEIC"),
            (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
            (b"\xff\x0a\0\0", "JPEG XL"),
            (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
            (b"8BPS\0\x01", "Photoshop"),
            (b"\x76\x2f\x31\x01\x02\0\0\0", "OpenEXR"),
            (b"qoif\0\0\0\x01", "QOI"),
        ] {
            assert!(Picture::recognises(Cursor::new(head)), "{name}");
            let error = Picture::decode(head).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("convert it to PNG or JPEG"), "{error}");
        }
        for other in [&b"\0\0\0\x18ftypisom\0\0\0\0"[..], b"II", b"#?sh", b"\0\0\0", b""] {
            assert_eq!(kind(other), None);
            assert!(!Picture::recognises(Cursor::new(other)));
        }
    }
}
