//! `--resume OUT`: the rows of an earlier run in a file, and the inputs that remain.
//!
//! A row is one write, so only the last can be torn if a run was killed. A torn row is cut off before a run begins; nothing else in the
//! file is ever changed.

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

/// A file of rows that no other process writes to, open at its end.
pub(crate) struct Resumed {
    pub(crate) file: File,
    /// Whether the file is empty: without rows, and without what comes before them.
    pub(crate) is_empty: bool,
    /// Inputs that have a row in it.
    pub(crate) rows: usize,
    /// Inputs whose row has an error.
    pub(crate) failed: usize,
    /// For each path, its rows that are not matched with an input yet, the last first, and whether they are errors. An input that is
    /// given twice has two rows.
    held: HashMap<String, Vec<bool>>,
}

impl Resumed {
    /// Opens the file at `path`, creating it if it does not exist, and cuts off a torn row. Stops if the file holds anything but
    /// `expected` rows, or if another process writes to it.
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

    /// The inputs that have no row; counts those that have one.
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

/// How long, and how often, to wait for the end of a process that was just killed.
#[cfg(not(windows))]
const PAUSE: Duration = Duration::from_millis(100);
#[cfg(not(windows))]
const PAUSES: u32 = if cfg!(test) { 2 } else { 50 };

/// Opens a file so that no other process can write to it at the same time.
pub(crate) fn open_alone(path: &Path) -> Result<File, String> {
    let busy = "expected a file that no other process writes to, found one that another process appends rows to: wait for its end";
    let mut options = OpenOptions::new();
    // On file systems without locks, appending keeps two writers from overwriting each other's rows. Windows can exclude other
    // writers, but cannot truncate a file that was opened for appending.
    options.read(true).write(true).create(true).append(cfg!(not(windows)));
    // Others may read rows as they are written.
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
    // Some network file systems have no locks.
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
