//! The segments of a codestream, checked before the decoder sees them.

use crate::error::{Error, Result};
use crate::image::refusal::{damaged, unsupported};

pub(super) const START_OF_TILE_PART: [u8; 2] = [0xff, 0x90];

pub(super) fn cut_off() -> Error {
    damaged("the headers of its JPEG 2000 are cut off")
}

/// A marker, the bytes of its segment, and what follows.
pub(super) fn split_segment(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [0xff, marker, rest @ ..] = bytes else { return None };
    if matches!(marker, 0x30..=0x3f) {
        return Some((*marker, &[], rest));
    }
    let (&length, after) = rest.split_first_chunk()?;
    let (segment, behind) = after.split_at_checked(usize::from(u16::from_be_bytes(length)).checked_sub(2)?)?;
    Some((*marker, segment, behind))
}

/// Errors if a segment makes the decoder store an unbounded amount, or is longer than what it reads: it would interpret the rest as
/// headers that were not checked here.
pub(super) fn check_segment(marker: u8, segment: &[u8]) -> Result<()> {
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
        (0x5e, _) => return Err(unsupported("a JPEG 2000 with a region of interest")),
        (0x5f, _) => return Err(unsupported("a JPEG 2000 whose progression order changes")),
        _ => true,
    };
    if is_sound { Ok(()) } else { Err(damaged("a segment of its JPEG 2000 has the wrong length")) }
}

/// Errors if a tile has no part, or a part has its own style, which the decoder would apply to all tiles, or which may have many blocks.
pub(super) fn check_tile_parts(parts: &[u8], tiles: usize) -> Result<()> {
    let mut is_there = vec![false; tiles];
    let mut rest = parts;
    while let Some(part) = rest.strip_prefix(&START_OF_TILE_PART) {
        let Some(&[0, 10, high, low, a, b, c, d, ..]) = part.first_chunk::<10>() else { return Err(cut_off()) };
        let byte_len = u32::from_be_bytes([a, b, c, d]) as usize;
        if byte_len == 0 {
            return Err(unsupported("a JPEG 2000 whose last tile does not say how long it is"));
        }
        let (part, behind) = rest.split_at_checked(byte_len).ok_or_else(|| damaged("a tile of its JPEG 2000 is cut off"))?;
        let tile = is_there.get_mut(usize::from(u16::from_be_bytes([high, low])));
        *tile.ok_or_else(|| damaged("its JPEG 2000 has more tiles than its size says"))? = true;
        let mut headers = part.get(12..).ok_or_else(cut_off)?;
        while !headers.starts_with(&[0xff, 0x93]) {
            let (marker, segment, after) = split_segment(headers).ok_or_else(cut_off)?;
            if [0x52, 0x53].contains(&marker) {
                return Err(unsupported("a JPEG 2000 whose tiles have different coding styles"));
            }
            check_segment(marker, segment)?;
            headers = after;
        }
        rest = behind;
    }
    let missing = is_there.iter().filter(|is_there| !**is_there).count();
    if missing > 0 {
        return Err(damaged(format!("{missing} of {tiles} tiles of its JPEG 2000 are missing")));
    }
    Ok(())
}
