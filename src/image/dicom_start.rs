//! The beginning of DICOM files: with a preamble, as PS3.10 requires, or without, as older devices and exports write them.

/// Bytes before the prefix.
const PREAMBLE: usize = 128;

const PREFIX: &[u8] = b"DICM";

/// Number of elements that a file without a prefix must begin with to be recognised.
const ELEMENTS: usize = 3;

/// The last group that these may belong to: that of the picture.
const LAST_GROUP: u16 = 0x28;

/// The value representations of PS3.5, 6.2.
const VALUE_REPRESENTATIONS: &[u8] = b"AEASATCSDADSDTFDFLISLOLTOBODOFOLOVOWPNSHSLSQSSSTSVTMUCUIULUNURUSUTUV";

/// Those whose length has four bytes, after two reserved ones.
const LONG: &[u8] = b"OBODOFOLOVOWSQSVUCUNURUTUV";

/// How elements are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Implicit value representations, little endian.
    Implicit,
    /// Explicit ones, little endian.
    Explicit,
    /// Explicit ones, big endian.
    BigEndian,
}

impl Encoding {
    /// The encoding of elements of which the first begins with these bytes.
    pub(super) fn of(first: &[u8]) -> Option<Self> {
        let [a, b, _, _, vr @ ..] = first.get(..6)? else { return None };
        match (a, b, is_in(vr, VALUE_REPRESENTATIONS)) {
            (0, 2..=8, true) => Some(Self::BigEndian),
            (_, 0, true) => Some(Self::Explicit),
            (_, 0, false) => Some(Self::Implicit),
            _ => None,
        }
    }
}

/// Position of the first element of a DICOM file that begins with these bytes; `None` if it is none.
pub(super) fn first_element(head: &[u8]) -> Option<usize> {
    if head.get(PREAMBLE..PREAMBLE + PREFIX.len()) == Some(PREFIX) {
        return Some(PREAMBLE + PREFIX.len());
    }
    if head.starts_with(PREFIX) {
        return Some(PREFIX.len());
    }
    begins_with_elements(head).then_some(0)
}

/// Whether a DICOM file that begins with these bytes is a directory of other files, as on CDs (Media Storage Directory Storage).
pub(super) fn is_dicomdir(head: &[u8]) -> bool {
    const UID: &[u8] = b"1.2.840.10008.1.3.10";
    head.windows(UID.len()).any(|window| window == UID)
}

/// Whether these are elements of groups 2 or 8 in the order of their tags, judging by the first few.
fn begins_with_elements(head: &[u8]) -> bool {
    let Some(first) = Encoding::of(head) else { return false };
    let (mut rest, mut last) = (head, None);
    for _ in 0..ELEMENTS {
        let Some((tag, byte_len)) = element(rest, first) else { return false };
        let begins_well = last.is_some() || tag[0] == 8 || (tag[0] == 2 && first == Encoding::Explicit);
        let is_next = last.is_none_or(|last| last < tag) && tag[0] <= LAST_GROUP;
        if !begins_well || !is_next || !byte_len.is_multiple_of(2) {
            return false;
        }
        let Some(behind) = usize::try_from(byte_len).ok().and_then(|byte_len| rest.get(byte_len..)) else { return false };
        (rest, last) = (behind, Some(tag));
    }
    true
}

/// The tag of the element that `bytes` begin with, and its length with its value.
fn element(bytes: &[u8], encoding: Encoding) -> Option<([u16; 2], u64)> {
    let [a, b, c, d, e, f, g, h] = *bytes.first_chunk()?;
    let is_big = encoding == Encoding::BigEndian;
    let word = |bytes| if is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
    let long = |bytes| if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    let byte_len = match encoding {
        Encoding::Implicit => 8 + u64::from(long([e, f, g, h])),
        _ if !is_in(&[e, f], VALUE_REPRESENTATIONS) => return None,
        _ if is_in(&[e, f], LONG) => 12 + u64::from(long(*bytes.get(8..)?.first_chunk()?)),
        _ => 8 + u64::from(word([g, h])),
    };
    Some(([word([a, b]), word([c, d])], byte_len))
}

fn is_in(vr: &[u8], all: &[u8]) -> bool {
    all.as_chunks::<2>().0.iter().any(|known| known == vr)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPLICIT: &[u8] = b"\x08\0\x05\0CS\x04\0ISO \x08\0\x16\0UI\x02\x001\0\x08\0\x60\0CS\x02\0DX";
    const IMPLICIT: &[u8] = b"\x08\0\x05\0\x04\0\0\0ISO \x08\0\x16\0\x02\0\0\x001\0\x08\0\x60\0\x02\0\0\0DX";
    const BIG_ENDIAN: &[u8] = b"\0\x08\0\x05CS\0\x04ISO \0\x08\0\x16UI\0\x021\0\0\x08\0\x60CS\0\x02DX";

    #[test]
    fn files_begin_in_four_ways() {
        let preamble = [&[0; 128], PREFIX].concat();
        assert_eq!(first_element(&preamble), Some(132));
        assert_eq!(first_element(b"DICM"), Some(4));
        for (bytes, encoding) in [(EXPLICIT, Encoding::Explicit), (IMPLICIT, Encoding::Implicit), (BIG_ENDIAN, Encoding::BigEndian)] {
            assert_eq!((first_element(bytes), Encoding::of(bytes)), (Some(0), Some(encoding)));
            assert_eq!(first_element(&bytes[..bytes.len() - 1]), None, "three whole elements are needed");
        }
        let meta = b"\x02\0\0\0UL\x04\0\0\0\0\0\x02\0\x01\0OB\0\0\x02\0\0\0\0\x01\x02\0\x10\0UI\x02\x001\0";
        assert_eq!(first_element(meta), Some(0));
    }

    #[test]
    fn what_is_no_dicom_file_is_none() {
        let out_of_order = [&EXPLICIT[12..22], &EXPLICIT[..12], &EXPLICIT[22..]].concat();
        let odd = [b"\x08\0\x05\0CS\x03\0ISO", &EXPLICIT[12..]].concat();
        // As long as can be said: more than an address of 32 bits reaches.
        let endless = [b"\x08\0\x05\0\xfe\xff\xff\xff", &IMPLICIT[8..]].concat();
        let endless_explicit = [b"\x08\0\x05\0UT\0\0\xfe\xff\xff\xff", &EXPLICIT[8..]].concat();
        assert_eq!(element(&endless, Encoding::Implicit).map(|(_, byte_len)| byte_len), Some(0x1_0000_0006));
        assert_eq!(element(&endless_explicit, Encoding::Explicit).map(|(_, byte_len)| byte_len), Some(0x1_0000_000a));
        assert_eq!([&endless, &endless_explicit].map(|bytes| first_element(bytes)), [None; 2]);
        for bytes in [&b""[..], b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"\x08\0", &[8; 300], &[0; 300], b"BM", &out_of_order, &odd] {
            assert_eq!(first_element(bytes), None, "{bytes:?}");
        }
    }
}
