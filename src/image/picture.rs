//! A decoded picture.

use std::io::Write;

use ::image::{ExtendedColorType, ImageEncoder};

use super::{Orientation, SampleScaling};
use crate::error::{Error, Result};

/// Default limit of the pixels in a picture ([`Decoding`](super::Decoding)): above it Pillow reports a decompression bomb.
pub const MAX_PIXELS: u64 = 178_956_970;

/// Properties of the picture in a DICOM file, besides its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dicom {
    /// Number of pictures in the file, of which the first was read.
    pub frames: u32,
    /// Whether a VOI LUT was requested ([`Decoding::voi_lut`](super::Decoding::voi_lut)) and the file has none.
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
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
    pub(super) samples: Vec<u8>,
    pub(super) orientation: Orientation,
    pub(super) sample_scaling: Option<SampleScaling>,
    pub(super) is_cut_off: bool,
    pub(super) dicom: Option<Dicom>,
}

impl Picture {
    /// A picture from its samples `[height, width, channels]`. Errors if the sizes do not agree.
    pub fn new(height: usize, width: usize, channels: usize, samples: Vec<u8>) -> Result<Self> {
        let expected = height * width * channels;
        if expected == 0 || samples.len() != expected {
            let shape = format!("{height}x{width} pixels of {channels} channels");
            return Err(Error::picture(format!("expected {shape}, found {} samples", samples.len())));
        }
        Ok(Self {
            width,
            height,
            channels,
            samples,
            orientation: Orientation::UPRIGHT,
            sample_scaling: None,
            is_cut_off: false,
            dicom: None,
        })
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Samples per pixel.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The samples, `[height, width, channels]`.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// The orientation in the file's metadata; [`Picture::upright`] applies it.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Whether the file has 16-bit grey, which was scaled by its range (0 to 65535, or what the file or
    /// [`Decoding::sample_range`](super::Decoding::sample_range) says) to 8 bits, where Pillow would have clipped it.
    pub fn has_scaled_grey(&self) -> bool {
        self.dicom.is_none() && self.sample_scaling.is_some_and(|scaling| scaling.is_grey)
    }

    /// How samples of more than 8 bits became 8 bits; `None` if there were no more, and for DICOM files with a VOI LUT applied.
    pub fn sample_scaling(&self) -> Option<SampleScaling> {
        self.sample_scaling
    }

    /// Whether its JPEG file is truncated or damaged, so that a part of the picture is missing: grey, or coarse in a progressive file. Only
    /// [`Decoding::truncated`](super::Decoding::truncated) reads such a file.
    pub fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    /// Properties from its DICOM file; `None` for any other.
    pub fn dicom(&self) -> Option<Dicom> {
        self.dicom
    }

    /// Writes the picture as PNG. Errors unless it has one or three channels, and if `target` cannot be written.
    pub fn write_png(&self, target: impl Write) -> Result<()> {
        let colour = match self.channels {
            1 => ExtendedColorType::L8,
            3 => ExtendedColorType::Rgb8,
            channels => return Err(Error::picture(format!("expected a picture of 1 or 3 channels to write, found {channels}"))),
        };
        let side = |side: usize| {
            u32::try_from(side).map_err(|_| Error::picture(format!("expected a height and width that PNG supports, found {side}")))
        };
        let (width, height) = (side(self.width)?, side(self.height)?);
        let encoder = ::image::codecs::png::PngEncoder::new(target);
        encoder.write_image(&self.samples, width, height, colour).map_err(|error| Error::picture(format!("cannot be written: {error}")))
    }

    /// One channel from three, as Pillow's `convert("L")`: ITU-R 601-2 luma in 16-bit fixed point.
    /// A picture of one channel does not change.
    pub fn grey(&self) -> Self {
        if self.channels != 3 {
            return self.clone();
        }
        let luma = |rgb: &[u8]| ((u32::from(rgb[0]) * 19595 + u32::from(rgb[1]) * 38470 + u32::from(rgb[2]) * 7471 + 0x8000) >> 16) as u8;
        Self { channels: 1, samples: self.samples.chunks_exact(3).map(luma).collect(), ..*self }
    }

    /// Three equal channels from one.
    pub(super) fn repeated(&self) -> Self {
        Self { channels: 3, samples: self.samples.iter().flat_map(|&grey| [grey; 3]).collect(), ..*self }
    }

    /// The picture turned and mirrored according to its [orientation](Picture::orientation), which is then upright. Pillow's
    /// `ImageOps.exif_transpose`.
    pub fn upright(self) -> Self {
        let orientation = self.orientation;
        if orientation == Orientation::UPRIGHT { self } else { self.seen(orientation) }
    }

    /// This picture turned upright, given the orientation of its samples.
    pub(super) fn seen(&self, orientation: Orientation) -> Self {
        let [turned, from_bottom, from_right] = orientation.steps();
        let [height, width] = if turned { [self.width, self.height] } else { [self.height, self.width] };
        let mut samples = Vec::with_capacity(self.samples.len());
        for y in 0..height {
            for x in 0..width {
                let [row, column] = if turned { [x, y] } else { [y, x] };
                let row = if from_bottom { self.height - 1 - row } else { row };
                let column = if from_right { self.width - 1 - column } else { column };
                let element = (row * self.width + column) * self.channels;
                samples.extend_from_slice(&self.samples[element..element + self.channels]);
            }
        }
        Self { height, width, samples, orientation: Orientation::UPRIGHT, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_is_seen_as_exif_means_it() {
        let lying = Picture::new(2, 3, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        // What is seen, row by row: the specification says where the first row and the first column are.
        for (number, seen, height) in [
            (1, [1, 2, 3, 4, 5, 6], 2),
            (2, [3, 2, 1, 6, 5, 4], 2),
            (3, [6, 5, 4, 3, 2, 1], 2),
            (4, [4, 5, 6, 1, 2, 3], 2),
            (5, [1, 4, 2, 5, 3, 6], 3),
            (6, [4, 1, 5, 2, 6, 3], 3),
            (7, [6, 3, 5, 2, 4, 1], 3),
            (8, [3, 6, 2, 5, 1, 4], 3),
        ] {
            let orientation = Orientation::from_exif(number).unwrap();
            let upright = Picture { orientation, ..lying.clone() }.upright();
            assert_eq!((upright.samples(), upright.height()), (&seen[..], height), "{number}");
            assert_eq!(upright.orientation(), Orientation::UPRIGHT);
        }
        assert_eq!([0, 9].map(Orientation::from_exif), [None, None]);
    }
}
