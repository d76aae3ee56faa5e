//! DICOM files: from stored values to 8-bit samples, in the order of the standard's grey scale pipeline.
//!
//! Elements are found in [`data_set`], [`image_pixel`] says how samples are stored, [`stored`] decodes them to numbers, whatever their
//! encoding, and [`levels`] or [`colour`] converts those to 8-bit samples. Sections are those of DICOM PS3 2025.

mod colour;
mod data_set;
mod image_pixel;
mod jpeg;
#[cfg(feature = "jpeg2000")]
mod jpeg2000;
mod jpeg_ls;
mod levels;
mod lookup;
mod refusal;
mod rle;
mod stored;
mod transfer_syntax;
mod values;

use super::{Decoding, Dicom, Picture};
use crate::error::Result;

use colour::Palette;
use data_set::DataSet;
use image_pixel::{ImagePixel, Photometric};
use levels::Levels;

/// Decodes the bytes of a file to three channels. Errors as [`Picture::read`] does.
pub(super) fn decode(decoding: &Decoding, bytes: &[u8]) -> Result<Picture> {
    let file = data_set::File::open(bytes)?;
    transfer_syntax::check(file.syntax)?;
    let inflated;
    let encoded = if file.is_deflated() {
        inflated = file.inflated(decoding)?;
        &inflated
    } else {
        file.data_set
    };
    let data_set = DataSet::read(file.syntax, encoded)?;
    let format = ImagePixel::of(&data_set)?;
    decoding.takes_pixels(format.columns as u64, format.rows as u64)?;
    // Per pixel: its stored values in 16 bits and three 8-bit samples; in colour, temporarily two copies of values or samples.
    let byte_size = format.pixels() as u64 * if format.channels == 1 { 5 } else { 12 };
    if byte_size > decoding.max_decoder_bytes {
        return Err(decoding.too_many_bytes(byte_size));
    }
    let values = stored::values(decoding, &data_set, &format)?;
    let (mut lacks_voi_lut, mut sample_scaling) = (false, None);
    let samples = match values.photometric {
        Photometric::Monochrome { .. } => {
            let levels = Levels::of(&data_set, &format, decoding, &values.numbers)?;
            (lacks_voi_lut, sample_scaling) = (levels.lacks_voi_lut, levels.scaling);
            values.numbers.iter().flat_map(|&number| [levels.table[usize::from(number)]; 3]).collect()
        }
        Photometric::Palette => {
            let palette = Palette::of(&data_set, &format)?;
            values.numbers.iter().flat_map(|&number| palette.table[usize::from(number)]).collect()
        }
        Photometric::Rgb | Photometric::YbrOfJpeg2000 => colour::rgb(&values.numbers, &format),
        Photometric::YbrFull | Photometric::YbrFull422 => colour::rgb_of_ybr(&colour::rgb(&values.numbers, &format)),
    };
    let picture = Picture::new(format.rows, format.columns, 3, samples)?;
    Ok(Picture { dicom: Some(Dicom { frames: format.frames, lacks_voi_lut }), sample_scaling, ..picture })
}
