//! How rows are written.

use clap::ValueEnum;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// For reading.
    Text,
    /// One JSON object a line.
    Json,
    /// Comma-separated values, one line a class.
    Csv,
}
