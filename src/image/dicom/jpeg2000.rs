//! JPEG 2000 in DICOM: grey and colour of up to 16 bits, lossless and lossy.

use super::image_pixel::{ImagePixel, Photometric};
use super::refusal::refused;
use super::values::Values;
use crate::error::Result;
use crate::image::Decoding;
use crate::image::jpeg2000::Codestream;
use crate::image::refusal::damaged;

/// The samples of a frame. Errors if it has another size than `format` says.
pub(super) fn values(decoding: &Decoding, bytes: &[u8], format: &ImagePixel) -> Result<Values> {
    let codestream = Codestream::of(bytes)?;
    let found = [codestream.height, codestream.width, codestream.components.len()];
    let expected = [format.rows, format.columns, format.channels];
    if found != expected {
        return Err(damaged(format!("its JPEG 2000 is {found:?} where the file says {expected:?}")));
    }
    codestream.components.iter().try_for_each(|component| format.takes_coded_bits(component.bits, component.is_signed))?;
    let photometric = match (format.photometric, codestream.has_colour_transform) {
        // Many files say RGB, although their encoder converted it to luma and chroma.
        (Photometric::YbrOfJpeg2000 | Photometric::Rgb, true) | (Photometric::Rgb, false) => Photometric::Rgb,
        (Photometric::YbrOfJpeg2000, false) => {
            return Err(refused("a JPEG 2000 with a colour transform for YBR_RCT or YBR_ICT", "one without"));
        }
        (Photometric::YbrFull | Photometric::YbrFull422, true) => {
            return Err(refused("a JPEG 2000 without a colour transform for YBR_FULL", "one with"));
        }
        // Here each pixel has its own chromas, despite the name.
        (Photometric::YbrFull422, false) => Photometric::YbrFull,
        (photometric, _) => photometric,
    };
    codestream.takes_bytes(decoding)?;
    let mut numbers = codestream.samples()?;
    for pixel in numbers.chunks_exact_mut(format.channels) {
        for (number, component) in pixel.iter_mut().zip(&codestream.components).filter(|(_, component)| component.is_signed) {
            *number = number.wrapping_sub(1 << (component.bits - 1));
        }
    }
    Ok(Values { numbers, photometric })
}
