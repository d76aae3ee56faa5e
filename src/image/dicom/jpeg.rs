//! JPEG in DICOM: 8 and 12 bits, and lossless up to 16.

use libjpeg_turbo_rs::precision::{decompress_12bit_with_limits, decompress_lossless_arbitrary};
use libjpeg_turbo_rs::{ColorSpace, ComponentInfo, Decoder, FrameHeader, PixelFormat};

use super::image_pixel::{ImagePixel, Photometric};
use super::refusal::refused;
use super::values::Values;
use crate::error::Result;
use crate::image::refusal::damaged;
use crate::image::{Decoding, jpeg};

/// The samples of a frame. Errors if it has another size than `format` says.
pub(super) fn values(decoding: &Decoding, bytes: &[u8], format: &ImagePixel) -> Result<Values> {
    let error = |error| jpeg::refusal(decoding, &error);
    let limits = jpeg::limits(decoding);
    let mut decoder = Decoder::new_with_limits(bytes, limits).map_err(error)?;
    let header = decoder.header();
    let found = [header.height(), header.width(), header.components.len()];
    let expected = [format.rows, format.columns, format.channels];
    if found != expected {
        return Err(damaged(format!("its JPEG is {found:?} where the file says {expected:?}")));
    }
    let is_colour = format.channels == 3;
    let (photometric, numbers) = match (header.is_lossless, header.precision) {
        (true, _) if decoder.is_arithmetic() || !is_whole(header) => {
            return Err(refused("a lossless JPEG in Huffman's code, of channels of one size", "another"));
        }
        (true, _) => {
            // Planes, and their samples interleaved.
            let byte_size = 4 * format.elements() as u64;
            if byte_size > decoding.max_decoder_bytes {
                return Err(decoding.too_many_bytes(byte_size));
            }
            (format.photometric, decompress_lossless_arbitrary(bytes).map_err(error)?.data)
        }
        (false, 8) if is_colour => {
            decoder.set_output_format(PixelFormat::Rgb);
            // Without a marker, a JPEG of three channels has luma and chroma, unless DICOM says otherwise.
            if format.photometric == Photometric::Rgb && !has_adobe_marker(bytes) && decoder.jpeg_color_space() == ColorSpace::YCbCr {
                decoder.set_output_colorspace(ColorSpace::YCbCr);
            }
            (Photometric::Rgb, decoder.decode_image().map_err(error)?.data.into_iter().map(u16::from).collect())
        }
        (false, 8) => {
            decoder.set_output_format(PixelFormat::Grayscale);
            (format.photometric, decoder.decode_image().map_err(error)?.data.into_iter().map(u16::from).collect())
        }
        (false, 12) if !is_colour => {
            let image = decompress_12bit_with_limits(bytes, &limits).map_err(error)?;
            (format.photometric, image.data.into_iter().map(|sample| sample as u16).collect())
        }
        (false, bits) => return Err(refused("a JPEG of 8 bits, or of 12 for grey", format!("one of {bits}"))),
    };
    Ok(Values { numbers, photometric })
}

/// Whether all channels have the same number of samples.
fn is_whole(header: &FrameHeader) -> bool {
    let factors = |component: &ComponentInfo| (component.horizontal_sampling, component.vertical_sampling);
    header.components.windows(2).all(|pair| factors(&pair[0]) == factors(&pair[1]))
}

/// Whether Adobe's marker (APP14), which says whether there is luma, comes before the first scan.
fn has_adobe_marker(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let [0xff, marker, high, low, after @ ..] = rest {
        if *marker == 0xee && after.starts_with(b"Adobe") {
            return true;
        }
        let byte_len = usize::from(u16::from_be_bytes([*high, *low]));
        if *marker == 0xda || byte_len < 2 {
            return false;
        }
        rest = rest.get(2 + byte_len..).unwrap_or_default();
    }
    false
}
