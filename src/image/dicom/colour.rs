//! Colour: palettes, and luma with chroma (PS3.3, C.7.6.3.1.2 and C.7.6.3.1.5).

use dicom_dictionary_std::tags;

use super::data_set::{DataSet, TOP};
use super::image_pixel::ImagePixel;
use super::lookup::Lookup;
use super::refusal::refused;
use crate::error::Result;

/// The colour of each stored value.
pub(super) struct Palette {
    /// Red, green and blue, by the stored bits.
    pub(super) table: Vec<[u8; 3]>,
}

impl Palette {
    /// The palette of a picture. Errors if it has none, or one in segments.
    pub(super) fn of(data_set: &DataSet, format: &ImagePixel) -> Result<Self> {
        let lookup = |descriptor, data| {
            if data_set.get(TOP, data).is_none() {
                return Err(refused("a palette of plain tables", "none"));
            }
            let table = Lookup::of(data_set, TOP, [descriptor, data], format.is_signed)?;
            table.ok_or_else(|| refused("a palette with its descriptors", "none"))
        };
        let tables = [
            lookup(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA)?,
            lookup(tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA)?,
            lookup(tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA)?,
        ];
        // The high byte of wide entries, as for wide colour in other files.
        let sample = |table: &Lookup, number: u16| (table.at(format.signed(number).into()) >> table.bits.saturating_sub(8)) as u8;
        let colour = |number| tables.each_ref().map(|table| sample(table, number));
        Ok(Self { table: (0..=format.max()).map(colour).collect() })
    }
}

/// Stored numbers as 8-bit samples, scaled by the range of their bits, which does not change 8-bit numbers.
pub(super) fn rgb(numbers: &[u16], format: &ImagePixel) -> Vec<u8> {
    let max = u32::from(format.max());
    numbers.iter().map(|&number| ((u32::from(number) * 255 + max / 2) / max) as u8).collect()
}

/// Red, green and blue from luma and chroma, ITU-R BT.601 at full range.
pub(super) fn rgb_of_ybr(samples: &[u8]) -> Vec<u8> {
    let rounded = |sample: f64| (sample + 0.5).floor().clamp(0.0, 255.0) as u8;
    let pixel = |&[y, cb, cr]: &[u8; 3]| {
        let [y, cb, cr] = [f64::from(y), f64::from(cb) - 128.0, f64::from(cr) - 128.0];
        let green = y - (0.114 * 1.772 / 0.587) * cb - (0.299 * 1.402 / 0.587) * cr;
        [rounded(y + 1.402 * cr), rounded(green), rounded(y + 1.772 * cb)]
    };
    samples.as_chunks().0.iter().flat_map(pixel).collect()
}
