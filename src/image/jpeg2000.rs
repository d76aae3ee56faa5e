//! JPEG 2000 (ISO/IEC 15444-1): what its headers say, looked at before anything is decoded, and its samples.

use hayro_jpeg2000::{DecodeError, DecodeSettings, DecoderContext, FormatError, Image, MarkerError};

use super::{Decoding, Picture, damaged, unsupported};
use crate::error::{Error, Result};

/// The decoder takes as many; it needs memory for each in each code-block.
const MAX_LAYERS: u16 = 32;

/// Table A.10 of the standard: the index of a tile has 16 bits, the last of which no tile has.
const MAX_TILES: u64 = 65535;

/// A codestream and what its headers say.
pub(super) struct Codestream<'a> {
    bytes: &'a [u8],
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) components: Vec<Component>,
    /// Whether red, green and blue are made of luma and chromas as it is decoded.
    pub(super) has_colour_transform: bool,
    /// What the decoder may take at the most.
    byte_size: u64,
}

/// The samples of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) bits: u32,
    pub(super) is_signed: bool,
}

/// Decodes the bytes of a file to three channels. Errors as [`Picture::read`] does.
pub(super) fn decode(decoding: &Decoding, bytes: &[u8]) -> Result<Picture> {
    let codestream = Codestream::of(bytes)?;
    let said = colours(bytes)?;
    decoding.takes_pixels(codestream.width as u64, codestream.height as u64)?;
    codestream.takes_bytes(decoding)?;
    let eight = Component { bits: 8, is_signed: false };
    if codestream.components.iter().any(|component| *component != eight) {
        return Err(unsupported(&"a JPEG 2000 of other than 8 bits"));
    }
    let image = Image::new(bytes, &settings()).map_err(told)?;
    let channels = usize::from(image.color_space().num_channels());
    // The decoder takes grey of three channels for RGB.
    if said.is_some_and(|said| said != channels && channels != 1) || !matches!(channels, 1 | 3) {
        return Err(unsupported(&"a JPEG 2000 that is neither grey nor RGB"));
    }
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(told)?;
    // What follows the colours is alpha.
    let planes: Vec<&[f32]> = decoded.components().iter().take(channels).map(|component| component.samples()).collect();
    if planes.iter().any(|plane| plane.len() != codestream.width * codestream.height) {
        return Err(damaged(&"its channels are not what its headers say"));
    }
    if planes.len() != channels || decoded.components().iter().any(|component| component.bit_depth() != 8) {
        return Err(unsupported(&"a JPEG 2000 with a palette of other than 8 bits, or of fewer columns than colours"));
    }
    let sample = |pixel: usize, channel: usize| planes[if channels == 1 { 0 } else { channel }][pixel].round().clamp(0.0, 255.0) as u8;
    let pixels = codestream.width * codestream.height;
    let mut samples = Vec::with_capacity(3 * pixels);
    (0..pixels).for_each(|pixel| samples.extend([0, 1, 2].map(|channel| sample(pixel, channel))));
    Picture::new(codestream.height, codestream.width, 3, samples)
}

/// Palettes are looked up; what is missing is an error, not grey.
fn settings() -> DecodeSettings {
    DecodeSettings { resolve_palette_indices: true, strict: true, target_resolution: None }
}

fn told(error: DecodeError) -> Error {
    match error {
        DecodeError::Format(FormatError::Unsupported) | DecodeError::Marker(MarkerError::Unsupported) => unsupported(&error),
        error => damaged(&error),
    }
}

fn cut_off() -> Error {
    damaged(&"the headers of its JPEG 2000 are cut off")
}

impl<'a> Codestream<'a> {
    /// The codestream of a file, which is it alone or has it in a box (annex I). Errors where its headers are damaged, or say what
    /// the decoder would compute wrongly or without limits.
    pub(super) fn of(file: &'a [u8]) -> Result<Self> {
        let bytes = contiguous(file)?;
        let (mut size, mut style, mut styles) = (None, None, Vec::new());
        let mut rest = bytes.get(2..).unwrap_or_default();
        while !rest.starts_with(&START_OF_TILE_PART) {
            let (marker, segment, behind) = split_segment(rest).ok_or_else(cut_off)?;
            rest = behind;
            match marker {
                0x50 => return Err(unsupported(&"a JPEG 2000 of high throughput")),
                0x51 => size = Some(Size::of(segment).ok_or_else(cut_off)?),
                0x52 => style = Some(Style::of(segment).ok_or_else(cut_off)?),
                0x53 => styles.push(segment),
                other => check_segment(other, segment)?,
            }
        }
        let (size, style) = size.zip(style).ok_or_else(cut_off)?;
        let tiles = size.tiles().ok_or_else(|| damaged(&"the size of its JPEG 2000, or of its tiles, is none"))?;
        if size.is_subsampled {
            return Err(unsupported(&"a JPEG 2000 whose channels have not as many samples as pixels"));
        }
        if style.layers > MAX_LAYERS {
            return Err(unsupported(&format!("a JPEG 2000 of more than {MAX_LAYERS} layers")));
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

    /// Errors where the decoder may take more bytes than it should.
    pub(super) fn takes_bytes(&self, decoding: &Decoding) -> Result<()> {
        if self.byte_size > decoding.max_decoder_bytes {
            return Err(decoding.too_many_bytes(self.byte_size));
        }
        Ok(())
    }

    /// The samples, `[height, width, channels]`, counted from the least that there may be.
    #[cfg(feature = "dicom")]
    pub(super) fn samples(&self) -> Result<Vec<u16>> {
        let image = Image::new(self.bytes, &settings()).map_err(told)?;
        let mut context = DecoderContext::default();
        let decoded = image.decode(&mut context).map_err(told)?;
        let planes: Vec<&[f32]> = decoded.components().iter().map(|component| component.samples()).collect();
        let pixels = self.width * self.height;
        if planes.len() != self.components.len() || planes.iter().any(|plane| plane.len() != pixels) {
            return Err(damaged(&"its channels are not what its headers say"));
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

const START_OF_TILE_PART: [u8; 2] = [0xff, 0x90];

/// The codestream of a file. Errors where it has none or several, of which the decoder would take another, or a palette without
/// bounds.
fn contiguous(file: &[u8]) -> Result<&[u8]> {
    const START: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];
    if file.starts_with(&START) {
        return Ok(file);
    }
    let none = || damaged(&"it has no JPEG 2000 codestream");
    let (mut codestream, mut rest) = (None, file);
    // Fewer bytes than a box's head fill up what a file is in.
    while rest.len() >= 8 {
        let (kind, content, behind) = split_box(rest).ok_or_else(none)?;
        rest = behind;
        match &kind {
            b"jp2c" if codestream.is_some() => return Err(unsupported(&"a JPEG 2000 of several pictures")),
            b"jp2c" => codestream = Some(content),
            b"jp2h" => check_palette(content)?,
            _ => {}
        }
    }
    codestream.filter(|codestream| codestream.starts_with(&START)).ok_or_else(none)
}

/// What is in the header box of a file: a palette has a column for each channel at the most, and each channel is looked up once.
fn check_palette(mut boxes: &[u8]) -> Result<()> {
    const MAX_CHANNELS: usize = 4;
    while let Some((kind, content, behind)) = split_box(boxes) {
        boxes = behind;
        let channels = match &kind {
            b"pclr" => content.get(2).map_or(0, |&columns| columns.into()),
            b"cmap" => content.len() / 4,
            b"cdef" => content.len().saturating_sub(2) / 6,
            _ => continue,
        };
        if channels > MAX_CHANNELS {
            return Err(unsupported(&format!("a JPEG 2000 whose colours have more than {MAX_CHANNELS} channels")));
        }
    }
    Ok(())
}

/// How many channels the colours of a file have, where it says it; the first that says it counts (I.5.3.3). Errors where they are
/// neither grey, RGB nor what the decoder makes RGB of: it would take those of some others for RGB too.
fn colours(file: &[u8]) -> Result<Option<usize>> {
    let Some(specification) = find_box(file, b"jp2h").and_then(|header| find_box(header, b"colr")) else { return Ok(None) };
    // Colours by their number (ISO/IEC 15444-2, table M.25), or by a profile, whose header says what it is of (ICC.1, 7.2.8).
    let space = match specification {
        [1, _, _, number @ ..] => match number.first_chunk().map(|&number| u32::from_be_bytes(number)) {
            Some(16 | 18) => return Ok(Some(3)),
            Some(17) => return Ok(Some(1)),
            Some(12) => "CMYK".into(),
            Some(14) => "CIE L*a*b*".into(),
            Some(20) => "e-sRGB".into(),
            Some(21) => "ROMM RGB".into(),
            Some(24) => "e-sYCC".into(),
            Some(number) => format!("the colours of number {number}"),
            None => return Err(cut_off()),
        },
        [2 | 3, _, _, profile @ ..] => match profile.get(16..20).ok_or_else(cut_off)? {
            b"RGB " => return Ok(Some(3)),
            b"GRAY" => return Ok(Some(1)),
            space => format!("the colours {:?} of a profile", String::from_utf8_lossy(space).trim_end()),
        },
        [method, _, _, ..] => format!("colours that are said by method {method}"),
        _ => return Err(cut_off()),
    };
    Err(unsupported(&format!("a JPEG 2000 in {space}, neither grey nor RGB")))
}

/// What the first box of that kind among `boxes` holds.
fn find_box<'a>(mut boxes: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    while let Some((kind, content, behind)) = split_box(boxes) {
        if kind == *wanted {
            return Some(content);
        }
        boxes = behind;
    }
    None
}

/// A box's kind, its content, and what follows (I.4).
fn split_box(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let (&[a, b, c, d, kind @ ..], after) = bytes.split_first_chunk::<8>()?;
    let (content, behind) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (after, &[][..]),
        1 => {
            let (&length, after) = after.split_first_chunk()?;
            after.split_at_checked(usize::try_from(u64::from_be_bytes(length)).ok()?.checked_sub(16)?)?
        }
        length => after.split_at_checked((length as usize).checked_sub(8)?)?,
    };
    Some((kind, content, behind))
}

/// A marker, the bytes of its segment, and what follows.
fn split_segment(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [0xff, marker, rest @ ..] = bytes else { return None };
    if matches!(marker, 0x30..=0x3f) {
        return Some((*marker, &[], rest));
    }
    let (&length, after) = rest.split_first_chunk()?;
    let (segment, behind) = after.split_at_checked(usize::from(u16::from_be_bytes(length)).checked_sub(2)?)?;
    Some((*marker, segment, behind))
}

/// Errors where a segment makes the decoder keep what nothing bounds, or is longer than what it reads of it: it would take the rest
/// for headers that are not seen here.
fn check_segment(marker: u8, segment: &[u8]) -> Result<()> {
    // Of 32 levels with three bands each, and one more, in two bytes each, behind a byte of style and one of a component.
    const MAX_STEPS: usize = 2 + 2 * 97;
    let steps = |steps: &[u8]| match steps {
        [style, sizes @ ..] if style & 0x1f == 1 => sizes.len() == 2,
        [style, sizes @ ..] if style & 0x1f == 2 => sizes.len().is_multiple_of(2),
        [_, ..] => steps.len() <= MAX_STEPS,
        [] => false,
    };
    let is_sound = match (marker, segment) {
        (0x5c, sizes) => steps(sizes) && sizes.len() <= MAX_STEPS,
        (0x5d, [_, sizes @ ..]) => steps(sizes) && sizes.len() <= MAX_STEPS,
        (0x5d, []) => false,
        (0x5e, _) => return Err(unsupported(&"a JPEG 2000 with a region of interest")),
        (0x5f, _) => return Err(unsupported(&"a JPEG 2000 whose order changes on the way")),
        _ => true,
    };
    if is_sound { Ok(()) } else { Err(damaged(&"a segment of its JPEG 2000 is longer or shorter than what it says")) }
}

/// Errors where a tile has no part, or a part has a style of its own: one that the decoder takes for all tiles, or whose blocks may
/// be many.
fn check_tile_parts(parts: &[u8], tiles: usize) -> Result<()> {
    let mut is_there = vec![false; tiles];
    let mut rest = parts;
    while let Some(part) = rest.strip_prefix(&START_OF_TILE_PART) {
        let Some(&[0, 10, high, low, a, b, c, d, ..]) = part.first_chunk::<10>() else { return Err(cut_off()) };
        let byte_len = u32::from_be_bytes([a, b, c, d]) as usize;
        if byte_len == 0 {
            return Err(unsupported(&"a JPEG 2000 whose last tile does not say how long it is"));
        }
        let (part, behind) = rest.split_at_checked(byte_len).ok_or_else(|| damaged(&"a tile of its JPEG 2000 is cut off"))?;
        let tile = is_there.get_mut(usize::from(u16::from_be_bytes([high, low])));
        *tile.ok_or_else(|| damaged(&"its JPEG 2000 has more tiles than its size says"))? = true;
        let mut headers = part.get(12..).ok_or_else(cut_off)?;
        while !headers.starts_with(&[0xff, 0x93]) {
            let (marker, segment, after) = split_segment(headers).ok_or_else(cut_off)?;
            if [0x52, 0x53].contains(&marker) {
                return Err(unsupported(&"a JPEG 2000 whose tiles are coded each in its own style"));
            }
            check_segment(marker, segment)?;
            headers = after;
        }
        rest = behind;
    }
    let missing = is_there.iter().filter(|is_there| !**is_there).count();
    if missing > 0 {
        return Err(damaged(&format!("{missing} of {tiles} tiles of its JPEG 2000 are missing")));
    }
    Ok(())
}

/// The picture and its tiles on their grid (A.5.1), across and down.
struct Size {
    begin: [u32; 2],
    end: [u32; 2],
    tile: [u32; 2],
    tile_begin: [u32; 2],
    components: Vec<Component>,
    is_subsampled: bool,
}

impl Size {
    fn of(segment: &[u8]) -> Option<Self> {
        let (_, after) = segment.split_first_chunk::<2>()?;
        let (sides, after) = after.split_first_chunk::<32>()?;
        let side = |place: usize| sides.as_chunks().0.get(place).map_or(0, |&bytes| u32::from_be_bytes(bytes));
        let (&count, after) = after.split_first_chunk()?;
        let (coded, beyond) = after.as_chunks::<3>();
        if !beyond.is_empty() || coded.len() != usize::from(u16::from_be_bytes(count)) || !(1..=4).contains(&coded.len()) {
            return None;
        }
        Some(Self {
            end: [side(0), side(1)],
            begin: [side(2), side(3)],
            tile: [side(4), side(5)],
            tile_begin: [side(6), side(7)],
            components: coded
                .iter()
                .map(|[bits, ..]| Component { bits: u32::from(bits & 0x7f) + 1, is_signed: bits & 0x80 != 0 })
                .collect(),
            is_subsampled: coded.iter().any(|[_, across, down]| [*across, *down] != [1, 1]),
        })
    }

    /// How many tiles there are; `None` where the picture or a tile is empty, or there are more than there may be.
    fn tiles(&self) -> Option<usize> {
        let along = |side: usize| {
            let is_sound = self.begin[side] < self.end[side] && self.tile_begin[side] <= self.begin[side] && self.tile[side] > 0;
            is_sound.then(|| u64::from((self.end[side] - self.tile_begin[side]).div_ceil(self.tile[side])))
        };
        let tiles = along(0)?.checked_mul(along(1)?)?;
        (tiles <= MAX_TILES).then_some(tiles as usize)
    }
}

/// How tiles are coded (A.6.1).
struct Style {
    layers: u16,
    has_colour_transform: bool,
    blocks: Blocks,
}

impl Style {
    fn of(segment: &[u8]) -> Option<Self> {
        let [flags, _, high, low, transform, blocks @ ..] = segment else { return None };
        let layers = u16::from_be_bytes([*high, *low]);
        Some(Self { layers, has_colour_transform: *transform == 1, blocks: Blocks::of(*flags, blocks)? })
    }
}

/// How a tile's channel is cut into code-blocks. Sides are powers of two, across and down.
#[derive(Clone)]
struct Blocks {
    block: [u8; 2],
    /// Whether a pass of a block may be a segment of its own.
    has_many_segments: bool,
    /// Precincts of each resolution, the lowest first.
    precincts: Vec<[u8; 2]>,
}

impl Blocks {
    fn of(flags: u8, parameters: &[u8]) -> Option<Self> {
        let [levels, across, down, style, _, precincts @ ..] = parameters else { return None };
        let resolutions = usize::from(*levels) + 1;
        let precincts = if flags & 1 == 0 {
            precincts.is_empty().then(|| vec![[15, 15]; resolutions])?
        } else {
            (precincts.len() == resolutions).then_some(precincts)?.iter().map(|sides| [sides & 15, sides >> 4]).collect()
        };
        let is_sound = *levels <= 32 && *across <= 8 && *down <= 8;
        is_sound.then(|| Self { block: [across + 2, down + 2], has_many_segments: style & 5 != 0, precincts })
    }

    /// What the decoder takes for the blocks of a tile at the most: each has a part in each layer, and nodes in two trees.
    fn byte_size(&self, tile: [u32; 2], layers: u16, byte_len: usize) -> u64 {
        let count = |resolution: usize, precinct: &[u8; 2]| {
            let reduced = self.precincts.len() - 1 - resolution;
            let side = |at: usize| u64::from(tile[at].checked_shr(reduced as u32).unwrap_or(0));
            let across = |at: usize, power: u8| (side(at) >> power) + 2;
            // A higher resolution adds three bands of half its size.
            let (bands, halves) = if resolution == 0 { (1, 0) } else { (3, 1) };
            let along = |at: usize| across(at, self.block[at].min(precinct[at].saturating_sub(halves)) + halves);
            let precincts = across(0, precinct[0]).saturating_mul(across(1, precinct[1]));
            let blocks = along(0).saturating_mul(along(1));
            precincts.saturating_mul(bands * 128).saturating_add(blocks.saturating_mul(bands * (192 + 64 * u64::from(layers))))
        };
        let blocks = self.precincts.iter().enumerate().map(|(resolution, precinct)| count(resolution, precinct));
        let segments = if self.has_many_segments { 96 * byte_len as u64 } else { 0 };
        blocks.fold(segments, u64::saturating_add)
    }
}
