//! Exit statuses, and why a command stops early.

use std::fmt::Display;
use std::io;
use std::path::Path;

use densenet_wgpu::Error;

use crate::remedy::explained;

/// Success.
pub(crate) const SUCCESS: u8 = 0;
/// At least one input failed.
pub(crate) const FAILED: u8 = 1;
/// Nothing could be run: wrong usage, model, device or output.
pub(crate) const REFUSED: u8 = 2;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command stops early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The reader of standard output has closed it, as `head` does.
    ReaderGone,
    /// With a message and an exit status.
    With {
        /// The exit status.
        status: u8,
        /// One message: what was expected, what was found, the remedy.
        message: String,
    },
}

impl Stop {
    /// Nothing could be run.
    pub(crate) fn refused(message: impl ToString) -> Self {
        Self::With { status: REFUSED, message: message.to_string() }
    }

    /// The input was tried and failed.
    pub(crate) fn failed(message: impl ToString) -> Self {
        Self::With { status: FAILED, message: message.to_string() }
    }

    /// A file cannot be opened, created or moved into place.
    pub(crate) fn in_file(path: &Path, error: impl Display) -> Self {
        Self::refused(format!("{}: {error}", path.display()))
    }

    /// A file that appears only when complete could not be completed.
    pub(crate) fn unwritten(path: &Path, error: impl Display) -> Self {
        Self::failed(format!("{}: {error}; nothing was written", path.display()))
    }

    /// Standard output could not be written.
    pub(crate) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::failed(format!("standard output: {error}")),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::refused(explained(&error))
    }
}
