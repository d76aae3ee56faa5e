//! A path that an argument stands for.

use std::path::PathBuf;

/// A path, with the reason if it cannot be read.
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Why it cannot be read.
    pub(super) refusal: Option<String>,
}

impl Found {
    /// A path to read.
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), refusal: None }
    }

    /// A path that cannot be read because of `error`.
    pub(super) fn refused(path: impl Into<PathBuf>, error: impl ToString) -> Self {
        Self { path: path.into(), refusal: Some(error.to_string()) }
    }
}
