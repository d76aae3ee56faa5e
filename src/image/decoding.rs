//! Options and limits of decoding.

use std::io::Read;

use super::refusal::unreadable;
use super::{MAX_PIXELS, SampleRange};
use crate::error::{Error, Result};
use crate::guarded::is_guarded;

/// How picture files are decoded. Limits are checked before memory is allocated.
///
/// ```
/// use densenet_wgpu::image::Decoding;
///
/// let small = Decoding::default().with_max_pixels(3);
/// let error = small.decode(b"P5 2 2 255 abcd").unwrap_err();
/// assert_eq!(error.to_string(), "2x2 is 4 pixels; expected at most 3: make it smaller first");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoding {
    /// Maximum number of pixels in a picture; [`MAX_PIXELS`] by default.
    pub max_pixels: u64,
    /// Maximum size of files that are read as a whole: JPEG, DICOM, and files that cannot be rewound. 256 MiB by default.
    pub max_file_bytes: u64,
    /// Maximum number of bytes that a decoder may allocate for a picture; 1 GiB by default.
    pub max_decoder_bytes: u64,
    /// Whether the VOI LUT or window of greyscale DICOM files is applied, the first of each (PS3.3, C.11.2), as viewers do; by default the
    /// range of the stored bits is scaled, as in torchxrayvision.
    pub voi_lut: bool,
    /// Whether a truncated or damaged JPEG file is decoded as far as possible, as by libjpeg, and by Pillow with `LOAD_TRUNCATED_IMAGES`;
    /// by default it is an error. [`Picture::is_cut_off`](super::Picture::is_cut_off) says so.
    pub truncated: bool,
    /// Which values become 0 and 255, for samples of more than 8 bits; in DICOM files only without [`Decoding::voi_lut`]. The full range by
    /// default.
    pub sample_range: SampleRange,
}

/// Whether this thread is decoding a picture or waiting for a device, so that a panic becomes an error: a program's panic hook need not
/// report it.
///
/// ```
/// use densenet_wgpu::image::is_decoding;
///
/// std::panic::set_hook(Box::new(|panic| {
///     if !is_decoding() {
///         eprintln!("please report this: {panic}");
///     }
/// }));
/// assert!(!is_decoding());
/// ```
pub fn is_decoding() -> bool {
    is_guarded()
}

impl Default for Decoding {
    fn default() -> Self {
        Self {
            max_pixels: MAX_PIXELS,
            max_file_bytes: 1 << 28,
            max_decoder_bytes: 1 << 30,
            voi_lut: false,
            truncated: false,
            sample_range: SampleRange::Whole,
        }
    }
}

impl Decoding {
    /// The same with this [`Decoding::max_pixels`].
    pub fn with_max_pixels(self, max_pixels: u64) -> Self {
        Self { max_pixels, ..self }
    }

    /// The same with this [`Decoding::max_file_bytes`].
    pub fn with_max_file_bytes(self, max_file_bytes: u64) -> Self {
        Self { max_file_bytes, ..self }
    }

    /// The same with this [`Decoding::max_decoder_bytes`].
    pub fn with_max_decoder_bytes(self, max_decoder_bytes: u64) -> Self {
        Self { max_decoder_bytes, ..self }
    }

    /// The same with this [`Decoding::voi_lut`].
    pub fn with_voi_lut(self, voi_lut: bool) -> Self {
        Self { voi_lut, ..self }
    }

    /// The same with this [`Decoding::truncated`].
    pub fn with_truncated(self, truncated: bool) -> Self {
        Self { truncated, ..self }
    }

    /// The same with this [`Decoding::sample_range`].
    pub fn with_sample_range(self, sample_range: SampleRange) -> Self {
        Self { sample_range, ..self }
    }

    /// All bytes of `source`. Errors if there are more than the limit.
    pub(super) fn whole(&self, source: impl Read) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        source.take(self.max_file_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > self.max_file_bytes {
            let found = "the file has more bytes".into();
            return Err(Error::TooManyBytes { path: None, found, most: self.max_file_bytes });
        }
        Ok(bytes)
    }

    /// Errors if a picture of this size has too many pixels.
    pub(super) fn takes_pixels(&self, width: u64, height: u64) -> Result<()> {
        let pixels = width.saturating_mul(height);
        if pixels > self.max_pixels {
            let found = format!("{width}x{height} is {pixels} pixels");
            return Err(Error::TooManyPixels { path: None, found, most: self.max_pixels });
        }
        Ok(())
    }

    /// The error for a picture whose decoder needs more memory than the limit.
    pub(super) fn too_many_bytes(&self, why: impl std::fmt::Display) -> Error {
        let found = format!("the picture takes more bytes to decode ({why})");
        Error::TooManyBytes { path: None, found, most: self.max_decoder_bytes }
    }
}
