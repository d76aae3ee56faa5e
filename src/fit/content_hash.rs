//! What tells one file's content from another's.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The SHA-256 of a picture's file: pictures with the same one are copies of each other, whatever they are called.
///
/// ```
/// use densenet_wgpu::fit::ContentHash;
///
/// let bytes = std::fs::read("examples/digits/7-1442-8.png").expect("it is there");
/// assert_eq!(ContentHash::of_file("examples/digits/7-1442-8.png".as_ref())?, ContentHash::of(&bytes));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub(super) [u8; Self::BYTES]);

impl ContentHash {
    pub(super) const BYTES: usize = 32;

    /// That of a file with this content.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// That of the file at `path`. Errors if it cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let refused = |source| Error::File { path: path.into(), source };
        let mut file = File::open(path).map_err(refused)?;
        let (mut hash, mut bytes) = (Sha256::new(), vec![0; 1 << 16]);
        loop {
            match file.read(&mut bytes).map_err(refused)? {
                0 => return Ok(Self(hash.finalize().into())),
                count => hash.update(&bytes[..count]),
            }
        }
    }
}
