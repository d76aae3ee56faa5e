//! The pictures and their classes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use densenet_wgpu::evaluate::TruePicture;

use crate::exit::Stop;
use crate::inputs::Content;
use crate::message;
use crate::truth::{SaidTruth, TruthSource};

/// The pictures and their classes.
pub(super) struct Data {
    /// What the folder or table is called.
    pub(super) name: String,
    pub(super) classes: Vec<String>,
    pub(super) pictures: Vec<TruePicture>,
    /// Of pictures that were found in folders, where their content is.
    contents: HashMap<PathBuf, Content>,
    /// How many rows say nothing.
    pub(super) unreadable: usize,
}

impl Data {
    /// Reads what DATA says. Reports what was assumed or left out.
    pub(super) fn read(path: &Path, source: &TruthSource, group_column: Option<&str>) -> Result<Self, Stop> {
        let SaidTruth { truth, contents } = source.said(path, &[], group_column)?;
        truth.notes.iter().for_each(|note| message::note(note));
        for row in &truth.unreadable {
            message::error(&format!("{}: line {}: {}", path.display(), row.line, row.reason));
        }
        // The name of `.` or `..` is that of the folder.
        let whole = path.canonicalize().unwrap_or_else(|_| path.into());
        let name = if whole.is_dir() { whole.file_name() } else { whole.file_stem() };
        let name = name.map_or_else(|| "fitted".into(), |name| name.to_string_lossy().into_owned());
        Ok(Self { name, classes: truth.classes, pictures: truth.pictures, contents, unreadable: truth.unreadable.len() })
    }

    /// Where the content of the picture at `path` is.
    pub(super) fn content(&self, path: &Path) -> Content {
        self.contents.get(path).cloned().unwrap_or_else(|| Content::File(path.into()))
    }
}
