//! `--merge PARTS`: the predictions of several runs as one.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use super::layout::Layout;
use super::reading::{other, read};
use crate::commands::evaluate::row::Row;
use crate::exit::Stop;
use crate::message;

/// The rows of all `parts`, and what they share. Stops if they are not of one model, if a picture has two rows, or if there is no row.
pub(in crate::commands::evaluate) fn merged(parts: &[PathBuf]) -> Result<(Layout, Vec<Row>), Stop> {
    let mut layout: Option<Layout> = None;
    let mut places: HashMap<String, String> = HashMap::new();
    let mut rows = Vec::new();
    for part in parts {
        let refused = |error: String| Stop::refused(format!("--merge {}: {error}", part.display()));
        let bytes = fs::read(part).map_err(|error| refused(error.to_string()))?;
        let held = read(&bytes).map_err(refused)?;
        if held.byte_end < bytes.len() {
            message::warning(&format!("{}: its last row is torn, and left out; its run was not completed", part.display()));
        }
        match (&layout, held.layout) {
            (None, found) => layout = found,
            (Some(first), Some(found)) if *first != found => return Err(refused(other(2, first, &found))),
            _ => {}
        }
        for (line, row) in held.rows {
            let place = format!("{} line {line}", part.display());
            if let Some(before) = places.insert(row.path.clone(), place) {
                let expected = "expected a row for each picture";
                return Err(refused(format!(
                    "line {line}: {expected}, found {} again, which has one in {before}; give each part once",
                    row.path
                )));
            }
            rows.push(row);
        }
    }
    let files = parts.iter().map(|part| part.display().to_string()).collect::<Vec<_>>().join(", ");
    let layout = layout.ok_or_else(|| Stop::refused(format!("--merge {files}: expected rows, found none")))?;
    Ok((layout, rows))
}
