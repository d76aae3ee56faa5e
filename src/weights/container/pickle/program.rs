//! The bytes of a pickle, read one instruction after the other.

use crate::error::{Error, Result};

/// A program and where in it the next instruction is.
pub(super) struct Program<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Program<'a> {
    /// The program that `bytes` begin with.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes of the program and of what follows it.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes that were read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let found = self.bytes.len() - self.at;
        let part = self.at.checked_add(length).and_then(|end| self.bytes.get(self.at..end));
        let part = part.ok_or_else(|| Error::checkpoint(format!("pickle: expected {length} bytes at byte {}, found {found}", self.at)))?;
        self.at += length;
        Ok(part)
    }

    pub(super) fn skip(&mut self, length: usize) -> Result<()> {
        self.take(length).map(drop)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn length4(&mut self) -> Result<usize> {
        let length = u32::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| self.malformed("a length"))
    }

    pub(super) fn length8(&mut self) -> Result<usize> {
        let length = u64::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| self.malformed("a length that fits in memory"))
    }

    pub(super) fn line(&mut self) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| self.malformed("the end of a line"))?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    pub(super) fn malformed(&self, expected: &str) -> Error {
        Error::checkpoint(format!("pickle: expected {expected} at byte {}; the file is damaged or cut, get it again", self.at))
    }
}
