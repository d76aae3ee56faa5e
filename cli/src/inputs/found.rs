//! A path that an argument stands for.

use std::path::PathBuf;

/// A path, to be tried or not.
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Why it cannot even be tried.
    pub(super) refusal: Option<String>,
}

impl Found {
    /// A path to try.
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), refusal: None }
    }

    /// A path that cannot be tried because of `error`.
    pub(super) fn refused(path: impl Into<PathBuf>, error: impl ToString) -> Self {
        Self { path: path.into(), refusal: Some(error.to_string()) }
    }
}
