//! JPEG 2000 (ISO/IEC 15444-1): checks the headers before anything is decoded, and reads the samples.

mod boxes;
mod codestream;
mod decoder;
mod segment;
mod size;
mod style;

use hayro_jpeg2000::{DecoderContext, Image};

use super::refusal::{damaged, unsupported};
use super::{Decoding, Picture};
use crate::error::Result;
use boxes::colours;
pub(super) use codestream::Codestream;
use decoder::{refusal, settings};
use size::Component;

/// Decodes the bytes of a file to three channels. Errors as [`Picture::read`] does.
pub(super) fn decode(decoding: &Decoding, bytes: &[u8]) -> Result<Picture> {
    let codestream = Codestream::of(bytes)?;
    let declared = colours(bytes)?;
    decoding.takes_pixels(codestream.width as u64, codestream.height as u64)?;
    codestream.takes_bytes(decoding)?;
    let eight = Component { bits: 8, is_signed: false };
    if codestream.components.iter().any(|component| *component != eight) {
        return Err(unsupported("a JPEG 2000 of other than 8 bits"));
    }
    let image = Image::new(bytes, &settings()).map_err(refusal)?;
    let channels = usize::from(image.color_space().num_channels());
    // The decoder takes grey of three channels for RGB.
    if declared.is_some_and(|declared| declared != channels && channels != 1) || !matches!(channels, 1 | 3) {
        return Err(unsupported("a JPEG 2000 that is neither grey nor RGB"));
    }
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(refusal)?;
    // What follows the colours is alpha.
    let planes: Vec<&[f32]> = decoded.components().iter().take(channels).map(|component| component.samples()).collect();
    if planes.iter().any(|plane| plane.len() != codestream.width * codestream.height) {
        return Err(damaged("its channels are not what its headers say"));
    }
    if planes.len() != channels || decoded.components().iter().any(|component| component.bit_depth() != 8) {
        return Err(unsupported("a JPEG 2000 with a palette of other than 8 bits, or of fewer columns than colours"));
    }
    let sample = |pixel: usize, channel: usize| planes[if channels == 1 { 0 } else { channel }][pixel].round().clamp(0.0, 255.0) as u8;
    let pixels = codestream.width * codestream.height;
    let mut samples = Vec::with_capacity(3 * pixels);
    (0..pixels).for_each(|pixel| samples.extend([0, 1, 2].map(|channel| sample(pixel, channel))));
    Picture::new(codestream.height, codestream.width, 3, samples)
}
