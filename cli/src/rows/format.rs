//! The formats of rows.

use clap::ValueEnum;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// Human-readable.
    Text,
    /// One JSON object per line.
    Json,
    /// Comma-separated values, one line per class.
    Csv,
}
