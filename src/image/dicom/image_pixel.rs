//! How samples are stored: the Image Pixel module (PS3.3, C.7.6.3), checked.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::data_set::{DataSet, TOP};
use super::refusal::refused;
use crate::error::Result;
use crate::image::refusal::damaged;

/// The meaning of the samples of a pixel (PS3.3, C.7.6.3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Photometric {
    /// Grey.
    Monochrome {
        /// Whether the smallest value is white.
        is_inverted: bool,
    },
    /// Indices into tables of red, green and blue.
    Palette,
    /// Red, green, blue.
    Rgb,
    /// Luma and two chromas, as in JPEG.
    YbrFull,
    /// The same; two neighbouring pixels of a row share their chromas.
    YbrFull422,
    /// Luma and two chromas of JPEG 2000's own colour transform, which decoding reverses.
    YbrOfJpeg2000,
}

/// How the samples of a picture are stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct ImagePixel {
    /// Height in pixels.
    pub(super) rows: usize,
    /// Width in pixels.
    pub(super) columns: usize,
    /// Samples per pixel: 1 or 3.
    pub(super) channels: usize,
    /// Whether each channel is a separate plane.
    pub(super) is_planar: bool,
    /// Bits allocated for a sample: 1, 8 or 16.
    pub(super) bits_allocated: u32,
    /// Bits of them that hold the sample.
    pub(super) bits_stored: u32,
    /// The position of the sample's lowest bit.
    pub(super) low_bit: u32,
    /// Whether samples are two's complement.
    pub(super) is_signed: bool,
    /// The meaning of the samples.
    pub(super) photometric: Photometric,
    /// Number of pictures in the file.
    pub(super) frames: u32,
}

impl ImagePixel {
    /// How `data_set` stores its samples. Errors if that is missing, or not supported.
    pub(super) fn of(data_set: &DataSet) -> Result<Self> {
        let given = |tag: Tag| data_set.get(TOP, tag).and_then(|element| element.words().next());
        let number = |name: &str, tag: Tag| given(tag).ok_or_else(|| refused(name, "none"));
        let size = |name: &str, tag: Tag| match number(name, tag)? {
            0 => Err(refused(format!("{name} from 1"), 0)),
            size => Ok(usize::from(size)),
        };
        let (rows, columns) = (size("Rows", tags::ROWS)?, size("Columns", tags::COLUMNS)?);
        let (name, photometric) = photometric(data_set)?;
        let channels = usize::from(given(tags::SAMPLES_PER_PIXEL).unwrap_or(1));
        let expected = if matches!(photometric, Photometric::Monochrome { .. } | Photometric::Palette) { 1 } else { 3 };
        if channels != expected {
            return Err(refused(format!("{expected} samples a pixel for {name}"), channels));
        }
        let bits_allocated = u32::from(number("BitsAllocated", tags::BITS_ALLOCATED)?);
        let is_ybr = matches!(photometric, Photometric::YbrFull | Photometric::YbrFull422);
        if !matches!((bits_allocated, channels, is_ybr), (1, 1, _) | (8, ..) | (16, _, false)) {
            return Err(refused(format!("BitsAllocated of 8 or 16, or of 1 for grey, for {name}"), bits_allocated));
        }
        let bits_stored = u32::from(number("BitsStored", tags::BITS_STORED)?);
        let high_bit = given(tags::HIGH_BIT).map_or_else(|| bits_stored.wrapping_sub(1), u32::from);
        if bits_stored == 0 || high_bit >= bits_allocated || high_bit + 1 < bits_stored {
            return Err(refused(
                format!("samples within their {bits_allocated} bits"),
                format!("{bits_stored} with the highest at {high_bit}"),
            ));
        }
        let frames = data_set.get(TOP, tags::NUMBER_OF_FRAMES).and_then(|element| element.text().parse().ok());
        Ok(Self {
            rows,
            columns,
            channels,
            is_planar: channels > 1 && given(tags::PLANAR_CONFIGURATION) == Some(1),
            bits_allocated,
            bits_stored,
            low_bit: high_bit + 1 - bits_stored,
            is_signed: given(tags::PIXEL_REPRESENTATION) == Some(1),
            photometric,
            frames: frames.unwrap_or(1).max(1),
        })
    }

    /// Pixels of a frame.
    pub(super) fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Samples of a frame.
    pub(super) fn elements(&self) -> usize {
        self.pixels() * self.channels
    }

    /// Errors if samples coded in this number of bits, with or without a sign, do not determine the stored bits.
    pub(super) fn takes_coded_bits(&self, bits: u32, is_signed: bool) -> Result<()> {
        if bits > self.bits_allocated {
            return Err(damaged(format!("its samples are coded in {bits} bits where the file has {} for them", self.bits_allocated)));
        }
        if self.low_bit > 0 || (bits < self.bits_stored && self.is_signed && !is_signed) {
            let stored = format!("{} stored with the highest at {}", self.bits_stored, self.low_bit + self.bits_stored - 1);
            return Err(refused("samples coded in the bits that are stored", format!("{bits} coded, {stored}")));
        }
        Ok(())
    }

    /// The largest unsigned number in the stored bits.
    pub(super) fn max(&self) -> u16 {
        u16::MAX >> (16 - self.bits_stored)
    }

    /// The unsigned stored number in the bits allocated for it.
    pub(super) fn masked(&self, word: u16) -> u16 {
        (word >> self.low_bit) & self.max()
    }

    /// The signed number that masked bits stand for.
    pub(super) fn signed(&self, number: u16) -> i32 {
        let is_negative = self.is_signed && number > self.max() / 2;
        i32::from(number) - if is_negative { i32::from(self.max()) + 1 } else { 0 }
    }
}

fn photometric(data_set: &DataSet) -> Result<(String, Photometric)> {
    let name = data_set.get(TOP, tags::PHOTOMETRIC_INTERPRETATION).map(|element| element.text()).unwrap_or_default();
    let photometric = match name.as_str() {
        "MONOCHROME1" => Photometric::Monochrome { is_inverted: true },
        "MONOCHROME2" => Photometric::Monochrome { is_inverted: false },
        "PALETTE COLOR" => Photometric::Palette,
        "RGB" => Photometric::Rgb,
        "YBR_FULL" => Photometric::YbrFull,
        "YBR_FULL_422" => Photometric::YbrFull422,
        "YBR_RCT" | "YBR_ICT" => Photometric::YbrOfJpeg2000,
        _ => {
            let expected =
                "MONOCHROME1, MONOCHROME2, PALETTE COLOR, RGB, YBR_FULL, YBR_FULL_422, YBR_RCT or YBR_ICT as PhotometricInterpretation";
            return Err(refused(expected, if name.is_empty() { "none" } else { &name }));
        }
    };
    Ok((name, photometric))
}
