//! A codestream and what its headers say (annex A).

#[cfg(feature = "dicom")]
use hayro_jpeg2000::{DecoderContext, Image};

use super::boxes::contiguous;
#[cfg(feature = "dicom")]
use super::decoder::{refusal, settings};
use super::segment::{START_OF_TILE_PART, check_segment, check_tile_parts, cut_off, split_segment};
use super::size::{Component, Size};
use super::style::{Blocks, Style};
use crate::error::Result;
use crate::image::Decoding;
use crate::image::refusal::{damaged, unsupported};

/// The limit of the decoder, which needs memory for each layer in each code-block.
const MAX_LAYERS: u16 = 32;

/// A codestream and what its headers say.
pub(in crate::image) struct Codestream<'a> {
    bytes: &'a [u8],
    pub(in crate::image) height: usize,
    pub(in crate::image) width: usize,
    pub(in crate::image) components: Vec<Component>,
    /// Whether decoding converts luma and chroma to red, green and blue.
    pub(in crate::image) has_colour_transform: bool,
    /// Upper bound of the memory that the decoder needs.
    byte_size: u64,
}

impl<'a> Codestream<'a> {
    /// The codestream of a file, bare or in a box (annex I). Errors if its headers are damaged, or describe something that the decoder
    /// would compute wrongly or without limits.
    pub(in crate::image) fn of(file: &'a [u8]) -> Result<Self> {
        let bytes = contiguous(file)?;
        let (mut size, mut style, mut styles) = (None, None, Vec::new());
        let mut rest = bytes.get(2..).unwrap_or_default();
        while !rest.starts_with(&START_OF_TILE_PART) {
            let (marker, segment, behind) = split_segment(rest).ok_or_else(cut_off)?;
            rest = behind;
            match marker {
                0x50 => return Err(unsupported("a JPEG 2000 of high throughput")),
                0x51 => size = Some(Size::of(segment).ok_or_else(cut_off)?),
                0x52 => style = Some(Style::of(segment).ok_or_else(cut_off)?),
                0x53 => styles.push(segment),
                other => check_segment(other, segment)?,
            }
        }
        let (size, style) = size.zip(style).ok_or_else(cut_off)?;
        let tiles = size.tiles().ok_or_else(|| damaged("the size of its JPEG 2000, or of its tiles, is none"))?;
        if size.is_subsampled {
            return Err(unsupported("a JPEG 2000 with subsampled channels"));
        }
        if style.layers > MAX_LAYERS {
            return Err(unsupported(format!("a JPEG 2000 of more than {MAX_LAYERS} layers")));
        }
        let mut blocks: Vec<Blocks> = size.components.iter().map(|_| style.blocks.clone()).collect();
        for segment in styles {
            let (component, blocks_of_it) = segment.split_first().ok_or_else(cut_off)?;
            let place = blocks.get_mut(usize::from(*component)).ok_or_else(cut_off)?;
            *place = blocks_of_it.split_first().and_then(|(flags, after)| Blocks::of(*flags, after)).ok_or_else(cut_off)?;
        }
        check_tile_parts(rest, tiles)?;
        let [width, height] = [size.end[0] - size.begin[0], size.end[1] - size.begin[1]];
        let pixels = u64::from(width).saturating_mul(height.into());
        let channels = size.components.len() as u64;
        // Of each sample: twice as a float, and as a number; of a tile's channel two floats more; of each tile its channels' headers.
        let samples = pixels.saturating_mul(10 * channels + 12);
        let headers = tiles as u64 * channels * 1024;
        let tile = [size.tile[0].min(width), size.tile[1].min(height)];
        let coded = blocks.iter().map(|blocks| blocks.byte_size(tile, style.layers, bytes.len())).fold(0, u64::saturating_add);
        Ok(Self {
            bytes,
            height: height as usize,
            width: width as usize,
            components: size.components,
            has_colour_transform: style.has_colour_transform,
            byte_size: samples.saturating_add(headers).saturating_add(coded),
        })
    }

    /// Errors if the decoder may need more memory than allowed.
    pub(in crate::image) fn takes_bytes(&self, decoding: &Decoding) -> Result<()> {
        if self.byte_size > decoding.max_decoder_bytes {
            return Err(decoding.too_many_bytes(self.byte_size));
        }
        Ok(())
    }

    /// The samples, `[height, width, channels]`, relative to the smallest possible value.
    #[cfg(feature = "dicom")]
    pub(in crate::image) fn samples(&self) -> Result<Vec<u16>> {
        let image = Image::new(self.bytes, &settings()).map_err(refusal)?;
        let mut context = DecoderContext::default();
        let decoded = image.decode(&mut context).map_err(refusal)?;
        let planes: Vec<&[f32]> = decoded.components().iter().map(|component| component.samples()).collect();
        let pixels = self.width * self.height;
        if planes.len() != self.components.len() || planes.iter().any(|plane| plane.len() != pixels) {
            return Err(damaged("its channels are not what its headers say"));
        }
        // Lossy samples overshoot.
        let most: Vec<f32> = self.components.iter().map(|component| (u16::MAX >> (16 - component.bits.min(16))).into()).collect();
        let mut numbers = Vec::with_capacity(pixels * planes.len());
        for pixel in 0..pixels {
            numbers.extend(planes.iter().zip(&most).map(|(plane, most)| plane[pixel].round().clamp(0.0, *most) as u16));
        }
        Ok(numbers)
    }
}
