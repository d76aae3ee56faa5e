//! What came of one picture.

use std::path::PathBuf;

use densenet_wgpu::evaluate::{JudgedPicture, Known};

/// What came of one picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Where it is, as in rows of other commands.
    pub(super) path: String,
    /// What is true of it.
    pub(super) known: Known,
    /// Its scores, or why there are none.
    pub(super) scores: Result<Vec<f64>, String>,
}

impl Row {
    /// The picture with its scores, or its path and why there are none.
    pub(super) fn judged(self) -> Result<JudgedPicture, (String, String)> {
        match self.scores {
            Ok(scores) => Ok(JudgedPicture { path: PathBuf::from(self.path), known: self.known, scores }),
            Err(error) => Err((self.path, error)),
        }
    }
}
