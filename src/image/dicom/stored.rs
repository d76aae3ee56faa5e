//! The stored values of a file's first frame, whatever their encoding.

use dicom_core::VR;
use dicom_dictionary_std::uids;

use super::data_set::{DataSet, Element, PixelData};
use super::image_pixel::{ImagePixel, Photometric};
use super::refusal::refused;
use super::transfer_syntax::{is_jpeg, is_jpeg_ls, is_jpeg2000, is_native, refused_as_coded};
use super::values::Values;
use super::{jpeg, jpeg_ls, rle};
use crate::error::Result;
use crate::image::Decoding;
use crate::image::refusal::damaged;

/// The samples of the first frame. Errors if there are too few.
pub(super) fn values(decoding: &Decoding, data_set: &DataSet, format: &ImagePixel) -> Result<Values> {
    if format.photometric == Photometric::YbrOfJpeg2000 && !is_jpeg2000(data_set.syntax.uid()) {
        return Err(refused("JPEG 2000 for YBR_RCT or YBR_ICT", data_set.syntax.name()));
    }
    let stored = |words: Vec<u16>| Values { numbers: words, photometric: format.photometric };
    let uid = data_set.syntax.uid();
    let values = match (&data_set.pixel_data, uid) {
        (PixelData::Native(element), uid) if is_native(uid) => stored(native(element, format)?),
        (PixelData::Encoded(frame), uid) if !is_native(uid) => {
            let values = match uid {
                uids::RLE_LOSSLESS => rle::words(frame, format).map(stored),
                uid if is_jpeg(uid) => jpeg::values(decoding, frame, format),
                uid if is_jpeg_ls(uid) => jpeg_ls::words(decoding, frame, format).map(stored),
                _ => jpeg2000_values(decoding, frame, format),
            };
            values.map_err(|error| refused_as_coded(error, uid))?
        }
        (PixelData::Encoded(_), _) => {
            return Err(damaged("its pixel data are encoded, where its transfer syntax, or none, says that they are not"));
        }
        _ => return Err(damaged("its pixel data are not as its transfer syntax says")),
    };
    let numbers = values.numbers.into_iter().map(|word| format.masked(word)).collect();
    Ok(Values { numbers, ..values })
}

#[cfg(feature = "jpeg2000")]
fn jpeg2000_values(decoding: &Decoding, frame: &[u8], format: &ImagePixel) -> Result<Values> {
    super::jpeg2000::values(decoding, frame, format)
}

#[cfg(not(feature = "jpeg2000"))]
fn jpeg2000_values(_: &Decoding, _: &[u8], _: &ImagePixel) -> Result<Values> {
    Err(super::transfer_syntax::without_jpeg2000())
}

/// The words of the first native frame, channels interleaved.
fn native(element: &Element, format: &ImagePixel) -> Result<Vec<u16>> {
    if format.photometric == Photometric::YbrFull422 && !format.columns.is_multiple_of(2) {
        return Err(refused("an even number of Columns for YBR_FULL_422", format.columns));
    }
    let bits = match format.photometric {
        // Two lumas, and their shared chromas.
        Photometric::YbrFull422 => format.pixels() as u64 * 2 * 8,
        _ => format.elements() as u64 * u64::from(format.bits_allocated),
    };
    let (byte_len, found) = (bits.div_ceil(8) as usize, element.bytes.len());
    if found < byte_len {
        return Err(damaged(format!("its first frame has {found} of {byte_len} bytes")));
    }
    let words: Vec<u16> = match format.bits_allocated {
        1 => (0..format.pixels()).map(|pixel| u16::from(element.bytes[pixel / 8] >> (pixel % 8) & 1)).collect(),
        // Big endian also applies to words that two samples share (PS3.5, 8.1.1).
        8 if element.vr == VR::OW && element.is_big_endian => {
            (0..byte_len).map(|byte| u16::from(element.bytes.get(byte ^ 1).copied().unwrap_or_default())).collect()
        }
        8 => element.bytes[..byte_len].iter().map(|&byte| byte.into()).collect(),
        _ => element.words().take(format.elements()).collect(),
    };
    Ok(match format.photometric {
        Photometric::YbrFull422 => words.as_chunks().0.iter().flat_map(|&[y0, y1, cb, cr]| [y0, cb, cr, y1, cb, cr]).collect(),
        _ if format.is_planar => {
            let planes: Vec<&[u16]> = words.chunks_exact(format.pixels()).collect();
            (0..format.pixels()).flat_map(|pixel| planes.iter().map(move |plane| plane[pixel])).collect()
        }
        _ => words,
    })
}
