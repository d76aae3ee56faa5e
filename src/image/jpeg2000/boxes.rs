//! The boxes of a file that a codestream is in (annex I).

use super::segment::cut_off;
use crate::error::Result;
use crate::image::refusal::{damaged, unsupported};

/// The codestream of a file. Errors if it has none, or several, of which the decoder would choose another, or an unbounded palette.
pub(super) fn contiguous(file: &[u8]) -> Result<&[u8]> {
    const START: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];
    if file.starts_with(&START) {
        return Ok(file);
    }
    let none = || damaged("it has no JPEG 2000 codestream");
    let (mut codestream, mut rest) = (None, file);
    // Fewer bytes than the head of a box are padding.
    while rest.len() >= 8 {
        let (kind, content, behind) = split_box(rest).ok_or_else(none)?;
        rest = behind;
        match &kind {
            b"jp2c" if codestream.is_some() => return Err(unsupported("a JPEG 2000 of several pictures")),
            b"jp2c" => codestream = Some(content),
            b"jp2h" => check_palette(content)?,
            _ => {}
        }
    }
    codestream.filter(|codestream| codestream.starts_with(&START)).ok_or_else(none)
}

/// Errors if the header box of a file has a palette with more columns than channels, or looks up a channel more than once.
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
            return Err(unsupported(format!("a JPEG 2000 whose colours have more than {MAX_CHANNELS} channels")));
        }
    }
    Ok(())
}

/// The number of channels of a file's colours, if it states it; the first statement counts (I.5.3.3). Errors if they are neither grey, RGB
/// nor something that the decoder converts to RGB: it would mistake some others for RGB.
pub(super) fn colours(file: &[u8]) -> Result<Option<usize>> {
    let Some(specification) = find_box(file, b"jp2h").and_then(|header| find_box(header, b"colr")) else { return Ok(None) };
    // Colours by number (ISO/IEC 15444-2, table M.25), or by a profile, whose header names its colour space (ICC.1, 7.2.8).
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
        [method, _, _, ..] => format!("colours specified by method {method}"),
        _ => return Err(cut_off()),
    };
    Err(unsupported(format!("a JPEG 2000 in {space}, neither grey nor RGB")))
}

/// The content of the first box of that kind among `boxes`.
fn find_box<'a>(mut boxes: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    while let Some((kind, content, behind)) = split_box(boxes) {
        if kind == *wanted {
            return Some(content);
        }
        boxes = behind;
    }
    None
}

/// The kind and content of a box, and what follows it (I.4).
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
