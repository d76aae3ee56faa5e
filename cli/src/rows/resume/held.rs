//! What a file of rows holds, and where it ends.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// What a file holds: the path of each row, and whether it is an error.
#[derive(Default)]
pub(super) struct Held {
    /// Where the last whole row ends.
    pub(super) byte_end: u64,
    pub(super) rows: Vec<(String, bool)>,
    /// Rows that have no settings, as earlier versions wrote them.
    pub(super) without_settings: usize,
}

/// The end of a file.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) byte: u64,
    /// Whether that is the end of a line.
    pub(super) is_of_line: bool,
}

impl End {
    pub(super) fn of(file: &mut File) -> io::Result<Self> {
        let byte = file.seek(SeekFrom::End(0))?;
        let mut last = [0];
        if byte > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        file.rewind()?;
        Ok(Self { byte, is_of_line: last == *b"\n" })
    }
}
