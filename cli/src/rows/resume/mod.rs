//! `--resume OUT`: rows of an earlier run in a file, and what is left to do.
//!
//! A row is one write, and the last may be torn where a run was killed. What is torn is cut off, so that the file holds whole
//! rows whenever a run begins; nothing else of it is ever changed.

mod csv;
mod expected;
mod held;
mod json;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
#[cfg(not(windows))]
use std::fs::TryLockError;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek, SeekFrom};
use std::path::Path;
#[cfg(not(windows))]
use std::time::Duration;

use super::format::RowFormat;
use crate::exit::Stop;
use crate::inputs::Input;
use crate::message;
pub(crate) use expected::Expected;
use held::{End, Held};

/// A file of rows that nobody else writes to, open at its end.
pub(crate) struct Resumed {
    pub(crate) file: File,
    /// Whether there is no row yet, nor what comes before the first.
    pub(crate) is_empty: bool,
    /// Inputs that have a row there.
    pub(crate) rows: usize,
    /// Those whose row says why there is no result.
    pub(crate) failed: usize,
    /// Of each path its rows that are no input's yet, the last first, and whether they say why there is no result: an input
    /// that is given twice has two.
    held: HashMap<String, Vec<bool>>,
}

impl Resumed {
    /// Opens the file at `path`, which is made if it is missing; cuts off a torn row. Stops where the file holds anything else
    /// than such rows, or another process writes to it.
    pub(crate) fn open(path: &Path, expected: &Expected<'_>) -> Result<Self, Stop> {
        let refused = |error: &dyn std::fmt::Display| Stop::refused(format!("--resume {}: {error}", path.display()));
        let mut file = open_alone(path).map_err(|error| refused(&error))?;
        let end = End::of(&mut file).map_err(|error| refused(&error))?;
        let reader = BufReader::new(&file);
        let held = match expected.format {
            RowFormat::Json => json::read(reader, expected),
            RowFormat::Csv => csv::read(reader, end, expected),
            RowFormat::Text => Err("expected --format json or csv, whose rows can be read again, found text".into()),
        };
        let Held { byte_end, rows, without_settings } = held.map_err(|error| refused(&error))?;
        if byte_end < end.byte {
            message::note(&format!("{}: cut off a torn row of {} bytes", path.display(), end.byte - byte_end));
            file.set_len(byte_end).map_err(|error| refused(&error))?;
        }
        if without_settings > 0 {
            let found = format!("{without_settings} rows do not say with which flags they were made, as those of earlier versions");
            message::warning(&format!("{}: {found}; they are taken for rows of these flags, else give another file", path.display()));
        }
        file.seek(SeekFrom::Start(byte_end)).map_err(|error| refused(&error))?;
        let mut resumed = Self { file, is_empty: byte_end == 0, rows: 0, failed: 0, held: HashMap::new() };
        for (path, failed) in rows.into_iter().rev() {
            resumed.held.entry(path).or_default().push(failed);
        }
        Ok(resumed)
    }

    /// The inputs without those that have a row, which are counted.
    pub(crate) fn left_of(&mut self, inputs: Vec<Input>) -> Vec<Input> {
        let mut left = Vec::new();
        for input in inputs {
            match self.held.get_mut(&*input.subject.name().to_string_lossy()).and_then(Vec::pop) {
                None => left.push(input),
                Some(failed) => {
                    self.rows += 1;
                    self.failed += usize::from(failed);
                }
            }
        }
        left
    }
}

/// How long, and how often, to wait for a process that was killed a moment ago and is not quite gone.
#[cfg(not(windows))]
const PAUSE: Duration = Duration::from_millis(100);
#[cfg(not(windows))]
const PAUSES: u32 = if cfg!(test) { 2 } else { 50 };

/// Opens a file that no other process can write to at the same time.
fn open_alone(path: &Path) -> Result<File, String> {
    let busy = "expected a file that nobody writes to, found one that another process appends rows to: wait for its end";
    let mut options = OpenOptions::new();
    // Where there are no locks, rows of two writers must not be written over each other. Windows, which can keep others from
    // writing, lets nobody cut a file that was opened for appending.
    options.read(true).write(true).create(true).append(cfg!(not(windows)));
    // Others may read: rows are there as they are done.
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1);
    if path.exists() && !path.is_file() {
        let found = if path.is_dir() { "a folder; give the name of a file in it" } else { "a device or a pipe; give another name" };
        return Err(format!("expected a file, which can be read and written again, found {found}"));
    }
    let file = options.open(path).map_err(|error| match error.raw_os_error() {
        Some(32) if cfg!(windows) => busy.into(),
        _ if error.kind() == io::ErrorKind::NotFound => "expected a folder that exists, found none; make it first".into(),
        _ => error.to_string(),
    })?;
    // Where there are no locks, as on some network file systems, there is nothing to do.
    #[cfg(not(windows))]
    for pause in 0.. {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if pause < PAUSES => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(busy.into()),
            _ => break,
        }
    }
    Ok(file)
}
