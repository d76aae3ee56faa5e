//! How a camera was held, as EXIF tells it.

use ::image::metadata::Orientation as ExifOrientation;

/// How the samples of a picture lie: EXIF's tag 0x0112, from 1 (upright) to 8.
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
    /// As it should be seen.
    pub const UPRIGHT: Self = Self(1);
    /// Left and right change places.
    pub const MIRRORED: Self = Self(2);

    /// The orientation that EXIF gives this number; `None` for one that means nothing.
    pub fn from_exif(number: u8) -> Option<Self> {
        (1..=8).contains(&number).then_some(Self(number))
    }

    /// EXIF's number, from 1 to 8.
    pub fn exif(self) -> u8 {
        self.0
    }

    /// What the EXIF data of a picture says (a TIFF header and what follows), else its XMP packet, as Pillow looks for it.
    pub(super) fn told(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Self {
        let from_exif = exif.and_then(ExifOrientation::from_exif_chunk).map(ExifOrientation::to_exif);
        from_exif.or_else(|| xmp.and_then(in_xmp)).and_then(Self::from_exif).unwrap_or(Self::UPRIGHT)
    }

    /// Whether height and width change places, the rows are counted from the bottom, and the columns from the right, in
    /// this order, on the way from a pixel as it is seen to the pixel as it lies.
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
    fn xmp_tells_where_exif_does_not() {
        let exif = |number: u8| [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[number, 0, 0, 0, 0, 0, 0, 0]].concat();
        let attribute = br#"<rdf:Description tiff:Orientation="6"/>"#;
        let element = b"<tiff:Orientation>8</tiff:Orientation>";
        let told = |exif: Option<&[u8]>, xmp: Option<&[u8]>| Orientation::told(exif, xmp).exif();
        assert_eq!(told(Some(&exif(3)), Some(attribute)), 3);
        assert_eq!(told(None, Some(attribute)), 6);
        assert_eq!(told(Some(b"II*\0"), Some(element)), 8);
        assert_eq!(told(Some(&exif(9)), None), 1);
        assert_eq!(told(None, Some(b"tiff:Orientation=\"")), 1);
    }
}
