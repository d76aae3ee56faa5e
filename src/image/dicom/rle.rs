//! RLE Lossless (PS3.5, annex G): a plane for each byte of a sample, the highest first, compressed with TIFF's PackBits.

use super::image_pixel::ImagePixel;
use super::refusal::refused;
use crate::error::Result;
use crate::image::refusal::damaged;

/// Bytes before the first segment: the number of segments, and the beginnings of at most 15.
const BYTE_HEADER: usize = 64;

/// The words of a frame, channels side by side. Errors if its planes are not what `format` says.
pub(super) fn words(frame: &[u8], format: &ImagePixel) -> Result<Vec<u16>> {
    if format.bits_allocated == 1 {
        return Err(refused("BitsAllocated of 8 or 16 for RLE", 1));
    }
    let header = frame.first_chunk::<BYTE_HEADER>().ok_or_else(|| damaged("its RLE header is cut off"))?;
    let numbers: Vec<usize> = header.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes) as usize).collect();
    let bytes_of_sample = format.bits_allocated as usize / 8;
    let (found, expected) = (numbers[0], format.channels * bytes_of_sample);
    if found != expected {
        return Err(damaged(format!("it has {found} RLE segments for {expected}")));
    }
    let mut words = vec![0; format.elements()];
    for segment in 0..expected {
        // A segment may be padded, so its end does not matter.
        let packed = frame.get(numbers[segment + 1]..).unwrap_or_default();
        let channel = segment / bytes_of_sample;
        let mut samples = words.iter_mut().skip(channel).step_by(format.channels);
        unpack(packed, |byte| match samples.next() {
            Some(word) => {
                *word = *word << 8 | u16::from(byte);
                true
            }
            None => false,
        });
        if samples.next().is_some() {
            return Err(damaged("an RLE segment is too short"));
        }
    }
    Ok(words)
}

/// Passes each unpacked byte to `take`, until it has enough.
fn unpack(packed: &[u8], mut take: impl FnMut(u8) -> bool) {
    let mut rest = packed;
    while let [control, tail @ ..] = rest {
        let control = usize::from(*control);
        let goes_on = match control {
            0..128 => {
                let (literal, after) = tail.split_at(tail.len().min(control + 1));
                rest = after;
                literal.iter().all(|&byte| take(byte))
            }
            128 => {
                rest = tail;
                true
            }
            _ => {
                let Some((&byte, after)) = tail.split_first() else { return };
                rest = after;
                (0..257 - control).all(|_| take(byte))
            }
        };
        if !goes_on {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_unpacked_as_the_tiff_specification_shows() {
        // TIFF 6.0, section 9.
        let packed = b"\xfe\xaa\x02\x80\x00\x2a\xfd\xaa\x03\x80\x00\x2a\x22\xf7\xaa";
        let mut bytes = Vec::new();
        unpack(packed, |byte| {
            bytes.push(byte);
            true
        });
        let expected = b"\xaa\xaa\xaa\x80\x00\x2a\xaa\xaa\xaa\xaa\x80\x00\x2a\x22\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa";
        assert_eq!(bytes, expected);
    }
}
