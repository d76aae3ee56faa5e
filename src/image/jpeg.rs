//! JPEG files, decoded bit-identically to libjpeg-turbo, which Pillow uses.

use libjpeg_turbo_rs::{ComponentInfo, DecodeLimits, DecodeWarning, Decoder, FrameHeader, JpegError, PixelFormat};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::refusal::{damaged, unsupported};
use super::{Decoding, Orientation, Picture};
use crate::error::{Error, Result};

/// Maximum number of scans in a progressive file, as in libjpeg-turbo's fuzzers. Each costs a pass over the picture.
const MAX_SCANS: usize = 500;

/// Decodes the bytes of a file to three channels. Errors as [`Picture::read`] does.
pub(super) fn decode(decoding: &Decoding, bytes: &[u8]) -> Result<Picture> {
    let error = |error| refusal(decoding, &error);
    let limits = limits(decoding);
    let ended;
    let bytes = if decoding.truncated {
        ended = self::ended(bytes);
        &ended
    } else {
        bytes
    };
    let mut decoder = Decoder::new_with_limits(bytes, limits).map_err(error)?;
    let (width, height) = (decoder.header().width(), decoder.header().height());
    decoding.takes_pixels(width as u64, height as u64)?;
    let format = match decoder.header().components.len() {
        1 => PixelFormat::Grayscale,
        3 => PixelFormat::Rgb,
        4 => PixelFormat::Cmyk,
        count => return Err(unsupported(format!("a JPEG of {count} channels"))),
    };
    if format == PixelFormat::Cmyk && !is_evenly_sampled(decoder.header()) {
        return unevenly_sampled(decoding, bytes, width * height);
    }
    decoder.set_output_format(format);
    decoder.set_lenient(decoding.truncated);
    let image = decoder.decode_image().map_err(|error| match refusal(decoding, &error) {
        Error::Picture { .. } if !decoding.truncated && is_damage(&error) => Error::CutOff { path: None, how: error.to_string() },
        refusal => refusal,
    })?;
    // The decoder leaves unreadable parts grey: refuse such a picture.
    let unread = image.warnings.iter().find(|warning| matches!(warning, DecodeWarning::UnsupportedRecovered { .. }));
    if let Some(DecodeWarning::UnsupportedRecovered { detail }) = unread {
        return Err(unsupported(detail));
    }
    let samples = match format {
        PixelFormat::Grayscale => image.data.iter().flat_map(|&grey| [grey; 3]).collect(),
        PixelFormat::Cmyk => image.data.as_chunks().0.iter().flat_map(|&ink| rgb(ink)).collect(),
        _ => image.data,
    };
    let orientation = Orientation::declared(image.exif_data.as_deref(), image.xmp_data.as_deref());
    let is_cut_off = image.warnings.iter().any(|warning| !matches!(warning, DecodeWarning::ExtraneousData { .. }));
    Ok(Picture { orientation, is_cut_off, ..Picture::new(image.height, image.width, 3, samples)? })
}

/// Limits of the decoder. The caller checks the number of pixels.
pub(super) fn limits(decoding: &Decoding) -> DecodeLimits {
    DecodeLimits { max_scans: MAX_SCANS, max_memory: Some(decoding.max_decoder_bytes), max_pixels: u64::MAX, ..DecodeLimits::default() }
}

/// The bytes of a file without an incomplete last marker, and with an end marker: what Pillow gives libjpeg with
/// `LOAD_TRUNCATED_IMAGES`.
fn ended(bytes: &[u8]) -> Vec<u8> {
    const END: [u8; 2] = [0xff, 0xd9];
    let whole = whole_segments(bytes);
    let mut ended = bytes[..whole].to_vec();
    if !ended.ends_with(&END) {
        ended.extend(END);
    }
    ended
}

/// The number of bytes without an incomplete last marker.
fn whole_segments(bytes: &[u8]) -> usize {
    let mut at = 2;
    while let Some(&[first, marker]) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        match (first, marker) {
            // Samples, a stuffed byte or a restart, which have no length.
            (..0xff, _) | (0xff, 0xff) => at += 1,
            (_, 0 | 1 | 0xd0..=0xd8) => at += 2,
            (_, 0xd9) => return bytes.len(),
            _ => {
                let length = bytes.get(at + 2..).and_then(|rest| rest.first_chunk());
                let end = length.map(|&length| at + 2 + usize::from(u16::from_be_bytes(length)));
                match end.filter(|&end| end <= bytes.len()) {
                    Some(end) => at = end,
                    None => return at,
                }
            }
        }
    }
    // Drop half a marker.
    if bytes.ends_with(&[0xff]) { bytes.len() - 1 } else { bytes.len() }
}

/// Whether the last channel has as many samples as the first; libjpeg-turbo-rs panics if not.
fn is_evenly_sampled(header: &FrameHeader) -> bool {
    let factors = |component: &ComponentInfo| (component.horizontal_sampling, component.vertical_sampling);
    header.components.first().map(factors) == header.components.last().map(factors)
}

/// Decodes a JPEG of four channels of which some have fewer samples than the first, within two levels of libjpeg-turbo.
fn unevenly_sampled(decoding: &Decoding, bytes: &[u8], pixels: usize) -> Result<Picture> {
    // This decoder has no memory limit: it may hold four inks in 16 and in 8 bits, and the three colours made of them.
    let byte_size = 15 * pixels as u64;
    if byte_size > decoding.max_decoder_bytes {
        return Err(decoding.too_many_bytes(byte_size));
    }
    let options = DecoderOptions::default().set_strict_mode(true).jpeg_set_out_colorspace(ColorSpace::CMYK);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let inks = decoder.decode().map_err(damaged)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let orientation = Orientation::declared(decoder.exif().map(Vec::as_slice), decoder.xmp().map(Vec::as_slice));
    let samples = inks.as_chunks().0.iter().flat_map(|&ink| rgb(ink)).collect();
    Ok(Picture { orientation, ..Picture::new(height, width, 3, samples)? })
}

/// Converts cyan, magenta, yellow and black to red, green and blue. 255 means no ink, as Adobe writes it and Pillow assumes: `cmyk2rgb` in
/// its `src/libImaging/Convert.c`.
fn rgb([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    [cyan, magenta, yellow].map(|paper| {
        let product = u32::from(255 - paper) * u32::from(black) + 128;
        black.saturating_sub((((product >> 8) + product) >> 8) as u8)
    })
}

/// Whether the file is damaged, rather than of an unsupported kind.
fn is_damage(error: &JpegError) -> bool {
    !matches!(error, JpegError::LimitExceeded { .. } | JpegError::Unsupported(_) | JpegError::AllocationFailed { .. })
}

pub(super) fn refusal(decoding: &Decoding, error: &JpegError) -> Error {
    match error {
        JpegError::LimitExceeded { actual, limit, .. } if *limit == decoding.max_decoder_bytes => decoding.too_many_bytes(actual),
        JpegError::AllocationFailed { .. } => decoding.too_many_bytes(error),
        JpegError::LimitExceeded { .. } | JpegError::Unsupported(_) => unsupported(error),
        error => damaged(error),
    }
}
