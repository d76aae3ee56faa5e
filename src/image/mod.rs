//! From a picture file to the network's input tensor.
//!
//! [`Picture`] decodes ([`Decoding`] within which limits), [`resize()`] resizes as Pillow does, and a model's
//! [`Preprocessing`](crate::preprocessing::Preprocessing) makes of it what the network takes. The way back is a [`Heatmap`]: where
//! in the picture a class was seen.
//!
//! ```
//! use densenet_wgpu::image::Picture;
//! use densenet_wgpu::preprocessing::Preprocessing;
//!
//! let picture = Picture::open("examples/digits/7-1442-8.png")?.upright(); // turned as its EXIF orientation says
//! let input = Preprocessing::torchvision(3).apply(&picture)?;
//! assert_eq!(input.values.len(), 3 * 224 * 224); // [C, H, W]
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod crop;
mod decode;
mod decoding;
#[cfg(feature = "dicom")]
mod dicom;
mod dicom_start;
mod figure;
mod foreign;
mod heatmap;
mod interpolate;
mod jpeg;
#[cfg(feature = "jpeg2000")]
mod jpeg2000;
mod orientation;
mod png;
mod preprocess;
pub(crate) mod resize;
mod text;
mod tiff;
mod wide;

use std::fs::File;
use std::io::{BufRead, Seek, Write};
use std::path::Path;

use ::image::{ExtendedColorType, ImageEncoder, ImageFormat, ImageReader};

use crate::error::{Error, Result};

use decode::{damaged, unsupported};
use foreign::Foreign;

use crate::guarded::guarded;
pub use decoding::{Decoding, is_decoding};
pub use heatmap::Heatmap;
pub use orientation::Orientation;
pub use preprocess::{PictureTensor, Prepared, View};
pub use resize::resize;
pub use wide::{SampleRange, Wide};

/// Pixels a picture may have unless [`Decoding`] says otherwise: the number at which Pillow refuses one as a decompression bomb.
pub const MAX_PIXELS: u64 = 178_956_970;

/// What a DICOM file says of its picture, beside the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dicom {
    /// Pictures in the file, of which the first was read.
    pub frames: u32,
    /// Whether a VOI LUT was asked for ([`Decoding::voi_lut`]) and the file has none.
    pub lacks_voi_lut: bool,
}

/// A decoded picture: 8-bit samples, row by row from the top, the channels of a pixel side by side.
///
/// ```
/// use densenet_wgpu::image::Picture;
/// use std::io::Cursor;
///
/// let drawn = Picture::new(2, 3, 3, [[255, 0, 0]; 6].concat())?; // [height, width, channels]: six red pixels
/// let mut png = Vec::new();
/// drawn.write_png(&mut png)?;
/// assert!(Picture::recognises(Cursor::new(&png)) && !Picture::recognises(Cursor::new(b"no picture")));
///
/// let read = Picture::decode(&png)?; // of a file: `Picture::open`
/// assert_eq!((read.height(), read.width(), read.channels()), (2, 3, 3));
/// assert_eq!(read.samples(), drawn.samples());
/// assert_eq!(read.grey().samples(), [76; 6]); // Pillow's luma
/// let error = Picture::open("README.md").unwrap_err().to_string();
/// assert!(error.starts_with("README.md: "), "{error}");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    channels: usize,
    samples: Vec<u8>,
    orientation: Orientation,
    wide: Option<Wide>,
    is_cut_off: bool,
    dicom: Option<Dicom>,
}

impl Picture {
    /// A picture from its samples `[height, width, channels]`. Errors where the numbers do not agree.
    pub fn new(height: usize, width: usize, channels: usize, samples: Vec<u8>) -> Result<Self> {
        let expected = height * width * channels;
        if expected == 0 || samples.len() != expected {
            let shape = format!("{height}x{width} pixels of {channels} channels");
            return Err(Error::picture(format!("expected {shape}, found {} samples", samples.len())));
        }
        Ok(Self { width, height, channels, samples, orientation: Orientation::UPRIGHT, wide: None, is_cut_off: false, dicom: None })
    }

    /// Reads the picture at `path`; see [`Picture::read`]. Errors name the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Decoding::default().open(path)
    }

    /// Decodes an open file; see [`Picture::read`]. What cannot be rewound, such as a pipe, is read to its end first.
    pub fn from_file(file: File) -> Result<Self> {
        Decoding::default().read_file(file)
    }

    /// Decodes a picture in memory; see [`Picture::read`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Decoding::default().decode(bytes)
    }

    /// Decodes a picture, its format guessed from the content, to three channels as Pillow's `convert("RGB")` does:
    /// grey is repeated, palettes are looked up, alpha is dropped (not blended), 16-bit colour keeps its high byte, ink
    /// becomes light. Of a file with several pictures it is the first. DICOM files are read with the feature `dicom`, JPEG 2000 with `jpeg2000`; grey is
    /// scaled by the range of its stored bits, or through the file's own window ([`Decoding::voi_lut`]).
    ///
    /// One difference, on purpose: 16-bit grey is scaled by its range ([`Decoding::sample_range`]), where Pillow clips it to white;
    /// [`Picture::has_scaled_grey`] tells, and [`Picture::wide`] whether it was scaled from more than its samples use. As in
    /// torchvision, EXIF orientation is not applied; [`Picture::orientation`] tells, [`Picture::upright`] applies it.
    ///
    /// Errors where the content is no picture, is damaged, or is larger than the default [`Decoding`] takes; also where a
    /// decoder panics, which is caught, after the program's panic hook has seen it.
    pub fn read(source: impl BufRead + Seek) -> Result<Self> {
        Decoding::default().read(source)
    }

    /// Whether `source` looks like a picture this library can decode; it may still turn out to be damaged. A DICOM file does
    /// without the feature `dicom` too, and so does one of a kind that is not read here, as HEIC: reading it says what it is.
    pub fn recognises(mut source: impl BufRead + Seek) -> bool {
        if let Ok(head) = source.fill_buf()
            && dicom_start::first_element(head).is_some()
        {
            return !dicom_start::is_dicomdir(head);
        }
        if source.fill_buf().is_ok_and(|head| Foreign::of(head).is_some()) {
            return true;
        }
        let Ok(reader) = ImageReader::new(source).with_guessed_format() else { return false };
        match reader.format() {
            // Two letters begin these files: too many texts do as well.
            Some(ImageFormat::Bmp | ImageFormat::Pnm) => matches!(guarded(|| reader.into_dimensions()), Ok(Ok(_))),
            Some(format) => format == ImageFormat::Jpeg || format.reading_enabled(),
            None => false,
        }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Samples of each pixel.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The samples, `[height, width, channels]`.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// How the samples lie, as the file's metadata says; [`Picture::upright`] turns them.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Whether the file has 16-bit grey, which was scaled by its range (0 to 65535, or what the file or
    /// [`Decoding::sample_range`] says) to 8 bits, where Pillow would have clipped it.
    pub fn has_scaled_grey(&self) -> bool {
        self.dicom.is_none() && self.wide.is_some_and(|wide| wide.is_grey)
    }

    /// What its samples were where they had more than 8 bits; `None` where they had not, and of DICOM files that were seen
    /// through a VOI LUT.
    pub fn wide(&self) -> Option<Wide> {
        self.wide
    }

    /// Whether its JPEG file ends too early or is damaged, so that a part of the picture is missing: grey, or coarse where the
    /// file is progressive. Only [`Decoding::truncated`] reads such a file.
    pub fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    /// What its file said where that is a DICOM file; `None` for any other.
    pub fn dicom(&self) -> Option<Dicom> {
        self.dicom
    }

    /// Writes the picture as PNG. Errors where it has other than one or three channels, or `target` cannot be written to.
    pub fn write_png(&self, target: impl Write) -> Result<()> {
        let colour = match self.channels {
            1 => ExtendedColorType::L8,
            3 => ExtendedColorType::Rgb8,
            channels => return Err(Error::picture(format!("expected a picture of 1 or 3 channels to write, found {channels}"))),
        };
        let side = |side: usize| u32::try_from(side).map_err(|_| Error::picture(format!("expected sides that PNG can have, found {side}")));
        let (width, height) = (side(self.width)?, side(self.height)?);
        let encoder = ::image::codecs::png::PngEncoder::new(target);
        encoder.write_image(&self.samples, width, height, colour).map_err(|error| Error::picture(format!("cannot be written: {error}")))
    }

    /// One channel from three, as Pillow's `convert("L")`: ITU-R 601-2 luma in 16-bit fixed point.
    /// A picture that has one channel already stays as it is.
    pub fn grey(&self) -> Self {
        if self.channels != 3 {
            return self.clone();
        }
        let luma = |rgb: &[u8]| ((u32::from(rgb[0]) * 19595 + u32::from(rgb[1]) * 38470 + u32::from(rgb[2]) * 7471 + 0x8000) >> 16) as u8;
        Self { channels: 1, samples: self.samples.chunks_exact(3).map(luma).collect(), ..*self }
    }
}
