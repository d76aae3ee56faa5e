//! Picture formats that are not supported, recognised by their first bytes, and commands that convert them.

use super::refusal::AS_PNG;
use crate::error::Error;

/// A format that is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Foreign {
    name: &'static str,
    /// A command that converts all such files to PNG, if there is one.
    converter: Option<&'static str>,
}

const HEIC: Foreign = Foreign { name: "HEIC", converter: Some("heif-convert IN OUT.png") };
const AVIF: Foreign = Foreign { name: "AVIF", converter: Some("avifdec IN OUT.png") };
const JPEG_2000: Foreign = Foreign { name: "JPEG 2000", converter: None };
const JPEG_XL: Foreign = Foreign { name: "JPEG XL", converter: Some("djxl IN OUT.png") };
const JPEG_LS: Foreign = Foreign { name: "JPEG-LS", converter: Some("ffmpeg -i IN OUT.png") };

/// Formats that are recognised by their first bytes alone.
const OTHERS: [(&[u8], &str); 13] = [
    (b"II\xbc", "JPEG XR"),
    (b"8BPS", "Photoshop's format"),
    (b"IIRO", "a camera's raw data (ORF)"),
    (b"IIRS", "a camera's raw data (ORF)"),
    (b"MMOR", "a camera's raw data (ORF)"),
    (b"IIU\0", "a camera's raw data (RW2)"),
    (b"FUJIFILMCCD-RAW", "a camera's raw data (RAF)"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"#?RGBE", "Radiance HDR"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"gimp xcf", "GIMP's format"),
];

/// Brands of ISO/IEC 14496-12 files that are pictures.
const BRANDS: [(&[u8], Foreign); 13] = [
    (b"avif", AVIF),
    (b"avis", AVIF),
    (b"heic", HEIC),
    (b"heix", HEIC),
    (b"heim", HEIC),
    (b"heis", HEIC),
    (b"hevc", HEIC),
    (b"hevx", HEIC),
    (b"mif1", HEIC),
    (b"mif2", HEIC),
    (b"msf1", HEIC),
    (b"heif", HEIC),
    (b"crx ", Foreign { name: "a camera's raw data (CR3)", converter: None }),
];

impl Foreign {
    /// The format of a file that begins with `head`; `None` if it is none of these.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => Some(JPEG_2000),
            [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] | [0xff, 0x0a, ..] => Some(JPEG_XL),
            [0xff, 0xd8, markers @ ..] if is_jpeg_ls(markers) => Some(JPEG_LS),
            _ if head.get(4..8) == Some(b"ftyp") => {
                let byte_len = head.first_chunk().map_or(0, |&length| u32::from_be_bytes(length)) as usize;
                Self::branded(&head[8..byte_len.clamp(8, head.len())])
            }
            _ => {
                let (_, name) = OTHERS.iter().find(|(start, _)| head.starts_with(start))?;
                Some(Self { name, converter: None })
            }
        }
    }

    /// The format for brands: the file's own, a version, and compatible ones. AVIF files have HEIC's brands too.
    fn branded(brands: &[u8]) -> Option<Self> {
        let known = |brand: &[u8]| BRANDS.iter().find(|(known, _)| *known == brand).map(|(_, foreign)| *foreign);
        let found = || brands.as_chunks::<4>().0.iter().filter_map(|brand| known(brand));
        found().find(|foreign| *foreign == AVIF).or_else(|| found().next())
    }

    /// Whether it is JPEG 2000, which is read with the feature `jpeg2000`.
    pub(super) fn is_jpeg2000(self) -> bool {
        self == JPEG_2000
    }

    /// The error for such a file.
    pub(super) fn error(self) -> Error {
        let by = self.converter.map_or(String::new(), |converter| format!(", as `{converter}` does"));
        Error::picture(format!("{} is not read here; {AS_PNG}{by}", self.name))
    }
}

/// Whether the first frame after a JPEG's first marker is one of JPEG-LS.
fn is_jpeg_ls(mut rest: &[u8]) -> bool {
    while let [0xff, marker, high, low, ..] = *rest {
        match marker {
            0xf7 => return true,
            // Tables, applications' and JPEG-LS's own segments may come before it.
            0xc4 | 0xdb | 0xdd | 0xe0..=0xef | 0xf8 | 0xfe => {
                rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..).unwrap_or_default();
            }
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_how_they_begin() {
        let name = |head: &[u8]| Foreign::of(head).map(|foreign| foreign.name);
        assert_eq!(name(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), Some("HEIC"));
        assert_eq!(name(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic"), Some("HEIC"));
        assert_eq!(name(b"\0\0\0\x20ftypavif\0\0\0\0avifmif1"), Some("AVIF"));
        assert_eq!(name(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif"), Some("AVIF"));
        assert_eq!(name(b"\0\0\0\x0cjP  \r\n\x87\n"), Some("JPEG 2000"));
        assert_eq!(name(b"\xff\x4f\xff\x51\0/"), Some("JPEG 2000"));
        assert_eq!(name(b"\xff\x0a\xfa"), Some("JPEG XL"));
        assert_eq!(name(b"\xff\xd8\xff\xf7\0\x0b"), Some("JPEG-LS"));
        assert_eq!(name(b"\xff\xd8\xff\xe8\0\x04..\xff\xf7\0\x0b"), Some("JPEG-LS"));
        assert_eq!(name(b"\xff\xd8\xff\xe0\0\x04..\xff\xc0\0\x0b\xff\xf7"), None);
        assert_eq!(name(b"8BPS\0\x01"), Some("Photoshop's format"));
        assert_eq!(name(b"\x76\x2f\x31\x01\x02\0\0\0"), Some("OpenEXR"));
        assert_eq!(name(b"qoif\0\0\0\x01"), Some("QOI"));
        let isom = b"\0\0\0\x14ftypisom\0\0\x02\0isomheic";
        for other in [&isom[..], b"\xff\xd8\xff\xe0", b"\x89PNG", b"\0\0\0\x02ftypheic", b"ftyp", b"II", b"#?sh", b""] {
            assert_eq!(name(other), None, "{other:?}");
        }
    }
}
