//! Exit statuses, and why a command stops before its end.

use std::fmt::Display;
use std::io;
use std::path::Path;

use densenet_wgpu::Error;

use crate::remedy::told;

/// All well.
pub(crate) const WELL: u8 = 0;
/// At least one input failed.
pub(crate) const FAILED: u8 = 1;
/// No input could be tried: usage, model, device, output.
pub(crate) const REFUSED: u8 = 2;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command stops before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Whoever reads standard output has gone away, as `head` does.
    ReaderGone,
    /// Something to tell, and the status to leave with.
    With {
        /// The exit status.
        status: u8,
        /// One message: what was expected, what was found, the remedy.
        message: String,
    },
}

impl Stop {
    /// Nothing could be tried.
    pub(crate) fn refused(message: impl ToString) -> Self {
        Self::With { status: REFUSED, message: message.to_string() }
    }

    /// The input was tried and failed.
    pub(crate) fn failed(message: impl ToString) -> Self {
        Self::With { status: FAILED, message: message.to_string() }
    }

    /// A file cannot be opened, begun or put in its place.
    pub(crate) fn in_file(path: &Path, error: impl Display) -> Self {
        Self::refused(format!("{}: {error}", path.display()))
    }

    /// A file that appears when it is complete could not be completed.
    pub(crate) fn unwritten(path: &Path, error: impl Display) -> Self {
        Self::failed(format!("{}: {error}; nothing of it is kept", path.display()))
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
        Self::refused(told(&error))
    }
}
