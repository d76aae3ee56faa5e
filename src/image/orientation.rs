//! The orientation of pictures, as recorded in EXIF.

use ::image::metadata::Orientation as ExifOrientation;

/// The orientation of a picture's samples: EXIF's tag 0x0112, from 1 (upright) to 8.
///
/// ```
/// use densenet_wgpu::image::{Orientation, Picture};
///
/// assert_eq!(Orientation::from_exif(1), Some(Orientation::UPRIGHT));
/// assert_eq!(Orientation::from_exif(9), None);
/// let drawn = Picture::new(1, 2, 1, vec![0, 255])?; // there is no file to say how it was held
/// assert_eq!(drawn.orientation().exif(), 1);
/// assert_eq!(drawn.clone().upright(), drawn);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// Upright.
    pub const UPRIGHT: Self = Self(1);
    /// Left and right are exchanged.
    pub const MIRRORED: Self = Self(2);

    /// The orientation that EXIF gives this number; `None` for other numbers.
    pub fn from_exif(number: u8) -> Option<Self> {
        (1..=8).contains(&number).then_some(Self(number))
    }

    /// EXIF's number, from 1 to 8.
    pub fn exif(self) -> u8 {
        self.0
    }

    /// The orientation in the EXIF data of a picture (from its TIFF header on), otherwise in its XMP packet, as Pillow finds it.
    pub(super) fn declared(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Self {
        let from_exif = exif.and_then(ExifOrientation::from_exif_chunk).map(ExifOrientation::to_exif);
        from_exif.or_else(|| xmp.and_then(in_xmp)).and_then(Self::from_exif).unwrap_or(Self::UPRIGHT)
    }

    /// The steps from a pixel of the upright picture to the stored pixel, in this order: whether height and width are exchanged, rows are
    /// counted from the bottom, and columns from the right.
    pub(super) fn steps(self) -> [bool; 3] {
        [matches!(self.0, 5..=8), matches!(self.0, 3 | 4 | 6 | 7), matches!(self.0, 2 | 3 | 7 | 8)]
    }
}

/// The digit after `tiff:Orientation="` or `tiff:Orientation>`.
fn in_xmp(packet: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"tiff:Orientation";
    let digit = |rest: &[u8]| match rest.strip_prefix(NAME)? {
        [b'=', b'"', digit, ..] | [b'>', digit, ..] if digit.is_ascii_digit() => Some(digit - b'0'),
        _ => None,
    };
    (0..packet.len()).find_map(|at| digit(&packet[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xmp_counts_where_exif_says_nothing() {
        let exif = |number: u8| [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[number, 0, 0, 0, 0, 0, 0, 0]].concat();
        let attribute = br#"<rdf:Description tiff:Orientation="6"/>"#;
        let element = b"<tiff:Orientation>8</tiff:Orientation>";
        let declared = |exif: Option<&[u8]>, xmp: Option<&[u8]>| Orientation::declared(exif, xmp).exif();
        assert_eq!(declared(Some(&exif(3)), Some(attribute)), 3);
        assert_eq!(declared(None, Some(attribute)), 6);
        assert_eq!(declared(Some(b"II*\0"), Some(element)), 8);
        assert_eq!(declared(Some(&exif(9)), None), 1);
        assert_eq!(declared(None, Some(b"tiff:Orientation=\"")), 1);
    }
}
