//! The chunks of a PNG before its samples.

use std::io::{BufRead, Seek, SeekFrom};

/// Position of the first chunk.
const SIGNATURE: u64 = 8;

/// Maximum number of chunks before the samples, more than any program writes.
const MAX_CHUNKS: usize = 1000;

/// The number of significant bits (sBIT, 11.3.2.4 of the PNG specification), the maximum of the colour or grey channels; `None` if not
/// stated. Does not move `source`.
pub(super) fn significant_bits(source: &mut (impl BufRead + Seek)) -> Option<u32> {
    let begin = source.stream_position().ok()?;
    let bits = chunk(source, begin + SIGNATURE);
    source.seek(SeekFrom::Start(begin)).ok()?;
    // The last of two or four is alpha.
    let bits = bits?;
    let colour = if bits.len() % 2 == 0 { &bits[..bits.len() - 1] } else { &bits[..] };
    colour.iter().max().map(|&bits| u32::from(bits)).filter(|bits| (1..=16).contains(bits))
}

/// The content of the sBIT chunk.
fn chunk(source: &mut (impl BufRead + Seek), first: u64) -> Option<Vec<u8>> {
    source.seek(SeekFrom::Start(first)).ok()?;
    for _ in 0..MAX_CHUNKS {
        let mut head = [0; 8];
        source.read_exact(&mut head).ok()?;
        let [a, b, c, d, kind @ ..] = head;
        let byte_len = u32::from_be_bytes([a, b, c, d]);
        match &kind {
            b"sBIT" if (1..=4).contains(&byte_len) => {
                let mut bits = vec![0; byte_len as usize];
                source.read_exact(&mut bits).ok()?;
                return Some(bits);
            }
            b"IDAT" | b"IEND" => return None,
            _ => source.seek_relative(i64::from(byte_len) + 4).ok()?,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    /// The chunks of a PNG, without checksums.
    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let chunk = |(kind, content): &(&[u8; 4], &[u8])| [&(content.len() as u32).to_be_bytes(), &kind[..], content, &[0; 4]].concat();
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.iter().flat_map(chunk).collect()].concat()
    }

    #[test]
    fn bits_are_said_before_the_samples() {
        let bits = |chunks: &[(&[u8; 4], &[u8])]| {
            let mut source = Cursor::new(png(chunks));
            let bits = significant_bits(&mut source);
            let mut first = [0; 4];
            source.read_exact(&mut first).unwrap();
            assert_eq!(&first, b"\x89PNG");
            bits
        };
        assert_eq!(bits(&[(b"IHDR", &[0; 13]), (b"gAMA", &[0; 4]), (b"sBIT", &[12])]), Some(12));
        assert_eq!(bits(&[(b"sBIT", &[10, 16])]), Some(10), "alpha does not count");
        assert_eq!(bits(&[(b"sBIT", &[10, 12, 11])]), Some(12));
        assert_eq!(bits(&[(b"sBIT", &[10, 12, 11, 16])]), Some(12));
        for chunks in [&[(b"IDAT", &b""[..]), (b"sBIT", &[12])][..], &[(b"sBIT", &[])], &[(b"sBIT", &[17])], &[(b"sBIT", &[0; 5])], &[]] {
            assert_eq!(bits(chunks), None);
        }
    }
}
