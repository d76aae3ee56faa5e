//! A zip archive in memory, as PyTorch and Keras write them: entries whose checksums hold and whose size is bounded.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use crate::error::{Error, Result};

/// How many times the file's own size all entries together may unpack to. PyTorch and Keras store without compression.
const LARGEST_EXPANSION: u64 = 2;

/// What is granted to an archive of any size: the smallest ones compress best.
const SMALLEST_BUDGET: u64 = 1 << 20;

/// An archive and how much more may be unpacked from it.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    zip: ZipArchive<Cursor<&'a [u8]>>,
    budget: u64,
}

impl<'a> Archive<'a> {
    /// Errors where `bytes` have no valid directory of entries.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self> {
        // The first entry is where the file begins: there is no other archive or program before it to look for.
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let zip = ZipArchive::with_config(config, Cursor::new(bytes)).map_err(|error| damaged("directory", &error))?;
        Ok(Self { bytes, zip, budget: (bytes.len() as u64).saturating_mul(LARGEST_EXPANSION).saturating_add(SMALLEST_BUDGET) })
    }

    /// The names of all entries.
    pub(super) fn names(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.zip.file_names().flatten()
    }

    /// The content of an entry: a part of the archive where it is stored as it is. `None` where there is no entry of
    /// that name. Errors where it is damaged, encrypted or unreasonably large.
    pub(super) fn entry(&mut self, name: &str) -> Result<Option<Cow<'a, [u8]>>> {
        let Some(index) = self.zip.index_for_name(name) else { return Ok(None) };
        let mut entry = self.zip.by_index(index).map_err(|error| damaged(name, &error))?;
        let size = entry.size();
        if size > self.budget {
            let found = format!("{name:?} of {size} bytes in a file of {}", self.bytes.len());
            return Err(Error::checkpoint(format!("zip: expected at most {} more bytes to unpack, found {found}", self.budget)));
        }
        self.budget -= size;
        // The reader compares the checksum when it reaches the end; one byte more than announced is one too many.
        let stored = match (entry.compression(), entry.data_start()) {
            (CompressionMethod::Stored, Some(start)) => {
                let start = usize::try_from(start).ok();
                let range = start.zip(usize::try_from(size).ok()).and_then(|(start, size)| Some(start..start.checked_add(size)?));
                range.and_then(|range| self.bytes.get(range))
            }
            _ => None,
        };
        let content = match stored {
            Some(content) => {
                std::io::copy(&mut entry, &mut std::io::sink()).map_err(|error| damaged(name, &error))?;
                Cow::Borrowed(content)
            }
            None => {
                let mut content = Vec::new();
                entry.take(size.saturating_add(1)).read_to_end(&mut content).map_err(|error| damaged(name, &error))?;
                Cow::Owned(content)
            }
        };
        if content.len() as u64 != size {
            return Err(damaged(name, &format!("expected {size} bytes, found {}", content.len())));
        }
        Ok(Some(content))
    }
}

fn damaged(what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::checkpoint(format!("zip {what}: {error}; the file is damaged or cut, get it again"))
}
