//! Large numbers, as in `--max-pixels 500M`.

use std::str::FromStr;

/// A number of things, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

/// Suffixes of a number, and their factors.
const SUFFIXES: [(&str, u64); 8] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
];

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let split = SUFFIXES.iter().find_map(|(suffix, each)| Some((text.strip_suffix(suffix)?, *each)));
        let (number, each) = split.unwrap_or((text, 1));
        let count = number.parse().ok().and_then(|number: u64| number.checked_mul(each)).filter(|count| *count > 0);
        let refused = || {
            "expected a whole number from 1, with or without k, M, G, T (powers of 1000) or Ki, Mi, Gi, Ti (powers of 1024) behind it"
                .into()
        };
        count.map(Self).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_multiply() {
        for (text, count) in
            [("1", 1), ("178956970", 178_956_970), ("500M", 500_000_000), ("2G", 2_000_000_000), ("512Mi", 512 << 20), ("3k", 3000)]
        {
            assert_eq!(text.parse(), Ok(Count(count)), "{text}");
        }
        for wrong in ["", "0", "-1", "M", "1.5G", "5 M", "2GB", "99999999999T", "0x10"] {
            assert!(wrong.parse::<Count>().is_err(), "{wrong}");
        }
    }
}
