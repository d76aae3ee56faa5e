//! JPEG-LS in DICOM (ITU-T T.87): grey of 2 to 16 bits, lossless and near-lossless.

use super::image_pixel::ImagePixel;
use super::refusal::refused;
use crate::error::Result;
use crate::guarded::guarded;
use crate::image::Decoding;
use crate::image::refusal::damaged;

/// The headers before the first scan.
struct Header {
    bits: u32,
    /// Height, width, channels.
    shape: [usize; 3],
}

/// The words of a frame. Errors if it has another size than `format` says, or is of a kind that the decoder gets wrong.
pub(super) fn words(decoding: &Decoding, bytes: &[u8], format: &ImagePixel) -> Result<Vec<u16>> {
    let header = Header::of(bytes)?;
    let expected = [format.rows, format.columns, format.channels];
    if header.shape != expected {
        return Err(damaged(format!("its JPEG-LS is {:?} where the file says {expected:?}", header.shape)));
    }
    if format.channels != 1 {
        return Err(refused("a JPEG-LS of grey", "one of colour"));
    }
    format.takes_coded_bits(header.bits, false)?;
    // Temporarily two copies of the samples: the decoder's and ours.
    let byte_size = 4 * format.elements() as u64;
    if byte_size > decoding.max_decoder_bytes {
        return Err(decoding.too_many_bytes(byte_size));
    }
    // Its sums overflow on data that no encoder writes, which panics in builds with overflow checks.
    let decoded = guarded(|| jpegls::decode(bytes, format.columns as u32, format.rows as u32));
    let (words, ..) = decoded.map_err(|_| damaged("samples of its JPEG-LS are too large"))?.map_err(damaged)?;
    Ok(words)
}

impl Header {
    /// Reads the segments before the first scan. Errors if one is cut off, or if the scan's samples are shifted or mapped by a table, which
    /// the decoder ignores.
    fn of(bytes: &[u8]) -> Result<Self> {
        let cut_off = || damaged("the headers of its JPEG-LS are cut off");
        let mut rest = bytes.strip_prefix(&[0xff, 0xd8]).ok_or_else(|| damaged("it has no JPEG-LS where one should be"))?;
        let mut header = None;
        loop {
            let [0xff, marker, high, low, after @ ..] = rest else { return Err(cut_off()) };
            let byte_len = usize::from(u16::from_be_bytes([*high, *low])).checked_sub(2).ok_or_else(cut_off)?;
            let (segment, behind) = after.split_at_checked(byte_len).ok_or_else(cut_off)?;
            rest = behind;
            match (*marker, segment) {
                (0xf7, &[bits, a, b, c, d, channels, ..]) => {
                    let [height, width] = [[a, b], [c, d]].map(|side| usize::from(u16::from_be_bytes(side)));
                    header = Some(Self { bits: bits.into(), shape: [height, width, channels.into()] });
                }
                (0xda, &[channels, ref selected @ ..]) => {
                    let tables = selected.chunks(2).take(channels.into()).any(|component| component.get(1) != Some(&0));
                    let shift = selected.get(2 * usize::from(channels) + 2).ok_or_else(cut_off)?;
                    if tables || *shift != 0 {
                        return Err(refused("a JPEG-LS without tables and shifts", "one with"));
                    }
                    return header.ok_or_else(cut_off);
                }
                (0xf7 | 0xda, _) => return Err(cut_off()),
                _ => {}
            }
        }
    }
}
