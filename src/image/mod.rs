//! From a picture file to the network's input tensor.
//!
//! [`Picture`] decodes, [`resize()`] resizes as Pillow does, and a model's
//! [`Preprocessing`](crate::weights::Preprocessing) makes of it what the network takes.

mod preprocess;
mod resize;

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::error::{Error, Result};

pub use preprocess::{Input, Prepared};
pub use resize::{Region, resize, resize_region};

/// Pixels a picture may have: the number at which Pillow refuses one as a decompression bomb.
pub const MAX_PIXELS: u64 = 178_956_970;

/// Bytes a decoder may allocate for one picture.
const MAX_DECODER_BYTES: u64 = 1 << 30;

/// Bytes read from what is no regular file.
const MAX_PIPED_BYTES: u64 = 1 << 28;

/// A decoded picture: 8-bit samples, row by row from the top, the channels of a pixel side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    channels: usize,
    samples: Vec<u8>,
}

impl Picture {
    /// A picture from its samples `[height, width, channels]`. Errors where the numbers do not agree.
    pub fn new(height: usize, width: usize, channels: usize, samples: Vec<u8>) -> Result<Self> {
        let expected = height * width * channels;
        if expected == 0 || samples.len() != expected {
            let shape = format!("{height}x{width} pixels of {channels} channels");
            return Err(Error::Picture(format!("expected {shape}, found {} samples", samples.len())));
        }
        Ok(Self { width, height, channels, samples })
    }

    /// Reads the picture at `path`; see [`Picture::read`]. Errors name the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| Error::File { path: path.into(), source })?;
        Self::from_file(file).map_err(|error| Error::Picture(format!("{}: {error}", path.display())))
    }

    /// Decodes an open file; see [`Picture::read`]. What cannot be rewound, such as a pipe, is read to its end first.
    pub fn from_file(file: File) -> Result<Self> {
        if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Self::read(BufReader::new(file));
        }
        let mut bytes = Vec::new();
        file.take(MAX_PIPED_BYTES + 1).read_to_end(&mut bytes).map_err(read_error)?;
        if bytes.len() as u64 > MAX_PIPED_BYTES {
            return Err(Error::Picture(format!("expected a picture of at most {MAX_PIPED_BYTES} bytes, found more: no regular file")));
        }
        Self::decode(&bytes)
    }

    /// Decodes a picture in memory; see [`Picture::read`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Self::read(Cursor::new(bytes))
    }

    /// Decodes a picture, its format guessed from the content, to three channels as Pillow's `convert("RGB")` does:
    /// grey is repeated, palettes are looked up, alpha is dropped (not blended), 16-bit colour keeps its high byte.
    /// One difference, on purpose: 16-bit grey is scaled by its range, where Pillow clips it to white.
    /// EXIF orientation is not applied, as in torchvision.
    ///
    /// Errors where the content is no picture, is damaged, or has more than [`MAX_PIXELS`] pixels.
    pub fn read(source: impl BufRead + Seek) -> Result<Self> {
        // Decoders parse what strangers wrote: a bug in one must cost one picture, not the run.
        let decoded = catch_unwind(AssertUnwindSafe(|| decode(source)));
        let picture = decoded.unwrap_or_else(|_| Err(Error::Picture("the picture's decoder failed on this file".into())))?;
        Self::new(picture.height() as usize, picture.width() as usize, 3, rgb(picture))
    }

    /// Whether `source` looks like a picture this library can decode; it may still turn out to be damaged.
    pub fn recognises(source: impl BufRead + Seek) -> bool {
        let Ok(reader) = ImageReader::new(source).with_guessed_format() else { return false };
        match reader.format() {
            // Two letters begin these files: too many texts do as well.
            Some(ImageFormat::Bmp | ImageFormat::Pnm) => matches!(catch_unwind(AssertUnwindSafe(|| reader.into_dimensions())), Ok(Ok(_))),
            Some(format) => format.reading_enabled(),
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

fn decode(source: impl BufRead + Seek) -> Result<DynamicImage> {
    let mut source = source;
    if source.fill_buf().map_err(read_error)?.is_empty() {
        return Err(Error::Picture("the file is empty; expected a picture".into()));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = ImageReader::new(source).with_guessed_format().map_err(read_error)?;
    if reader.format().is_none() {
        return Err(Error::Picture("not a picture; expected PNG, JPEG, GIF, BMP, WebP, TIFF or PNM".into()));
    }
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(decode_error)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(Error::Picture(format!("{width}x{height} is {pixels} pixels; expected at most {MAX_PIXELS}: make it smaller first")));
    }
    limits.reserve(decoder.total_bytes()).map_err(decode_error)?;
    decoder.set_limits(limits).map_err(decode_error)?;
    DynamicImage::from_decoder(decoder).map_err(decode_error)
}

fn read_error(error: std::io::Error) -> Error {
    Error::Picture(format!("cannot be read: {error}"))
}

fn decode_error(error: ::image::ImageError) -> Error {
    Error::Picture(match error {
        ::image::ImageError::Limits(_) => format!("the picture is too large to decode ({error}); make it smaller first"),
        ::image::ImageError::Unsupported(_) => format!("this kind of picture is not supported ({error}); convert it to PNG or JPEG"),
        error => format!("the picture is damaged or cut off ({error})"),
    })
}

/// Samples `[height, width, 3]` in 8 bits.
fn rgb(picture: DynamicImage) -> Vec<u8> {
    let repeat = |grey: u8| [grey; 3];
    let high = |wide: u16| (wide >> 8) as u8;
    match picture {
        DynamicImage::ImageRgb8(p) => p.into_raw(),
        DynamicImage::ImageLuma8(p) => p.into_raw().into_iter().flat_map(repeat).collect(),
        DynamicImage::ImageLumaA8(p) => p.as_raw().chunks_exact(2).flat_map(|la| repeat(la[0])).collect(),
        DynamicImage::ImageRgba8(p) => p.as_raw().chunks_exact(4).flat_map(|rgba| [rgba[0], rgba[1], rgba[2]]).collect(),
        DynamicImage::ImageLuma16(p) => p.as_raw().iter().flat_map(|&wide| repeat(((u32::from(wide) + 128) / 257) as u8)).collect(),
        DynamicImage::ImageLumaA16(p) => p.as_raw().chunks_exact(2).flat_map(|la| repeat(high(la[0]))).collect(),
        DynamicImage::ImageRgb16(p) => p.as_raw().iter().map(|&wide| high(wide)).collect(),
        DynamicImage::ImageRgba16(p) => p.as_raw().chunks_exact(4).flat_map(|rgba| [high(rgba[0]), high(rgba[1]), high(rgba[2])]).collect(),
        other => other.into_rgb8().into_raw(),
    }
}
