//! Files that prove what they are: torchvision's downloads have the first digits of their own SHA-256 in their names.

use crate::weights::sha256;

/// torchvision's DenseNets of ImageNet-1k, also those of 2017 (`torchvision/models/densenet.py`).
const TORCHVISION: [&str; 7] = [
    "densenet121-a639ec97",
    "densenet161-8d451a50",
    "densenet169-b2777c0a",
    "densenet201-c1103571",
    "densenet121-241335ed",
    "densenet169-6f0f7f60",
    "densenet201-4c113574",
];

/// Whether a file of that name, without its ending, and content is one that torchvision downloads.
pub(super) fn is_torchvisions(name: &str, bytes: &[u8]) -> bool {
    TORCHVISION.contains(&name) && has_own_digest(name, bytes)
}

/// Whether a name ends in the first digits of the content's SHA-256.
fn has_own_digest(name: &str, bytes: &[u8]) -> bool {
    name.rsplit_once('-').is_some_and(|(_, digits)| digits.len() == 8 && sha256(bytes).starts_with(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_proves_the_name() {
        // FIPS 180-2's example of a message of one block.
        assert!(has_own_digest("any-ba7816bf", b"abc"));
        for (name, bytes) in [("any-ba7816be", "abc"), ("any-ba7816bf", "abd"), ("any-ba", "abc"), ("ba7816bf", "abc")] {
            assert!(!has_own_digest(name, bytes.as_bytes()), "{name}");
        }
        assert!(!is_torchvisions("densenet121-a639ec97", b"abc"));
        assert!(!is_torchvisions("any-ba7816bf", b"abc"));
    }
}
