//! `--resume FILE`: the predictions of an earlier run, and the inputs that remain.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::layout::Layout;
use super::reading::read;
use crate::commands::evaluate::row::Row;
use crate::exit::Stop;
use crate::inputs::Input;
use crate::message;
use crate::output::Output;
use crate::rows::resume::{Expected, open_alone};

/// A file of predictions that no other process writes to, open at its end.
pub(in crate::commands::evaluate) struct Resumed {
    /// Where further rows go.
    pub(in crate::commands::evaluate) output: Output,
    /// For each path its rows that are not taken yet, the last first.
    held: HashMap<String, Vec<Row>>,
}

impl Resumed {
    /// Opens the file at `path`, creating it if it does not exist, and cuts off a torn row. Stops if it holds anything but rows of this
    /// `layout` made with these settings.
    pub(in crate::commands::evaluate) fn open(path: &Path, layout: &Layout, expected: &Expected<'_>) -> Result<Self, Stop> {
        let refused = |error: &dyn std::fmt::Display| Stop::refused(format!("--resume {}: {error}", path.display()));
        let mut file = open_alone(path).map_err(|error| refused(&error))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| refused(&error))?;
        let held = read(&bytes).map_err(|error| refused(&error))?;
        if let Some(found) = &held.layout {
            check(found, layout, expected).map_err(|error| refused(&error))?;
        }
        let header = layout.header()?;
        if held.byte_end > 0 && !bytes.starts_with(&header) {
            let expected = String::from_utf8_lossy(&header);
            return Err(refused(&format!("line 1: expected the columns {}, found others; give another file", expected.trim_end())));
        }
        if held.byte_end < bytes.len() {
            message::note(&format!("{}: cut off a torn row of {} bytes", path.display(), bytes.len() - held.byte_end));
            file.set_len(held.byte_end as u64).map_err(|error| refused(&error))?;
        }
        file.seek(SeekFrom::Start(held.byte_end as u64)).map_err(|error| refused(&error))?;
        let mut output = Output::to_file(path.into(), file);
        if held.byte_end == 0 {
            output.write(&header)?;
        }
        let mut by_path: HashMap<String, Vec<Row>> = HashMap::new();
        held.rows.into_iter().rev().for_each(|(_, row)| by_path.entry(row.path.clone()).or_default().push(row));
        Ok(Self { output, held: by_path })
    }

    /// The row of an input, if it has one that is not taken yet.
    pub(in crate::commands::evaluate) fn take(&mut self, input: &Input) -> Option<Row> {
        self.held.get_mut(&*input.subject.name().to_string_lossy()).and_then(Vec::pop)
    }
}

/// Errors if rows of the layout `found` are not those of `layout`.
fn check(found: &Layout, layout: &Layout, expected: &Expected<'_>) -> Result<(), String> {
    if found.model.identity != layout.model.identity {
        return Err(expected.other_model(2, &found.model.name, &found.model.identity));
    }
    expected.check_settings(2, &found.settings)
}
