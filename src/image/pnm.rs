//! What the header of a PNM says: the largest value, by which Pillow scales samples and the crate `image` does not.

use std::io::BufRead;

/// Bytes in which a header must end, comments and all.
const LONGEST_HEADER: usize = 4096;

/// The largest value of a grey or coloured PNM that begins in what `source` has at hand; `None` where it has none or says none.
pub(super) fn largest_value(source: &mut impl BufRead) -> Option<u16> {
    let head = source.fill_buf().ok()?;
    let head = &head[..head.len().min(LONGEST_HEADER)];
    match head.get(..2)? {
        b"P7" => {
            let mut lines = head.split(|&byte| byte == b'\n').take_while(|line| !line.starts_with(b"ENDHDR"));
            lines.find_map(|line| number(line.strip_prefix(b"MAXVAL")?))
        }
        b"P2" | b"P3" | b"P5" | b"P6" => words(&head[2..]).nth(2).and_then(number),
        _ => None,
    }
}

/// What lies between spaces and comments.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|&byte| byte == b'\n');
    let told = lines.map(|line| line.split(|&byte| byte == b'#').next().unwrap_or_default());
    told.flat_map(|line| line.split(u8::is_ascii_whitespace)).filter(|word| !word.is_empty())
}

fn number(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text).ok()?.trim().parse().ok().filter(|&number| number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_is_the_third_number() {
        let value = |text: &[u8]| largest_value(&mut &text[..]);
        assert_eq!(value(b"P5 2 1 4095 abcd"), Some(4095));
        assert_eq!(value(b"P2\n# drawn 9 9 9\n2 1 # size\n15\n0 1 15"), Some(15));
        assert_eq!(value(b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 1023\nTUPLTYPE GRAYSCALE\nENDHDR\nMAXVAL 3\n"), Some(1023));
        for none in [&b"P4 2 1 255 abcd"[..], b"P5 2 1", b"P5 2 1 0 a", b"P5 2 1 65536 a", b"P", b""] {
            assert_eq!(value(none), None);
        }
    }
}
