//! Python's exceptions for what the library refuses.

use densenet_wgpu::Error;
use pyo3::prelude::*;

use crate::remedy::explained;

/// Where the classes of exceptions are.
pub(crate) const MODULE: &str = "densenet_wgpu.errors";

/// What was going on when an error arose: a file that cannot be read is a checkpoint, or a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum During {
    /// Opening a model.
    Opening,
    /// Running pictures.
    Running,
}

/// The exception for an error of the library.
pub(crate) fn exception(py: Python<'_>, error: &Error, during: During) -> PyErr {
    made(py, class(error, during), &explained(error), error.place().as_deref())
}

/// The exception for an argument that does not fit: what was expected, what was found, and the remedy.
pub(crate) fn refused(py: Python<'_>, text: &str) -> PyErr {
    made(py, "InputError", text, None)
}

/// The exception for work that panicked; the panic's message is on standard error.
pub(crate) fn internal(py: Python<'_>) -> PyErr {
    failed(py, "internal error, please report it with the message on standard error")
}

/// The exception for what the system refuses.
pub(crate) fn failed(py: Python<'_>, text: &str) -> PyErr {
    made(py, "Error", text, None)
}

/// The exception for a classifier that was closed.
pub(crate) fn closed(py: Python<'_>) -> PyErr {
    made(py, "ClosedError", "expected an open classifier, found a closed one; make another", None)
}

/// The exception for a device that a parent process opened.
pub(crate) fn inherited(py: Python<'_>) -> PyErr {
    let text = "expected a classifier that this process opened, found one of its parent's; make it again after the fork";
    made(py, "DeviceError", text, None)
}

/// Tells an exception which of many inputs it is about, counted from 0.
pub(crate) fn about(py: Python<'_>, error: PyErr, index: usize) -> PyErr {
    // An exception of a caller's iterator may have no such attribute.
    let _ = error.value(py).setattr("index", index);
    error
}

fn made(py: Python<'_>, class: &str, text: &str, place: Option<&str>) -> PyErr {
    let exception = py.import(MODULE).and_then(|module| module.getattr(class)).and_then(|class| class.call1((text, place)));
    exception.map_or_else(|failed| failed, PyErr::from_value)
}

fn class(error: &Error, during: During) -> &'static str {
    match error {
        Error::Checkpoint { .. } | Error::Tensor { .. } | Error::NoSuchModel { .. } | Error::NoWeights { .. } | Error::Hub { .. } => {
            "CheckpointError"
        }
        Error::File { .. } | Error::MissingFeature { .. } if during == During::Opening => "CheckpointError",
        Error::Picture { .. }
        | Error::CutOff { .. }
        | Error::TooManyPixels { .. }
        | Error::TooManyBytes { .. }
        | Error::File { .. }
        | Error::MissingFeature { .. } => "PictureError",
        Error::Graph { .. }
        | Error::TooSmall { .. }
        | Error::Preprocessing { .. }
        | Error::Input { .. }
        | Error::Channels { .. }
        | Error::NoSuchLayer { .. }
        | Error::Options { .. }
        | Error::HalfRange { .. }
        | Error::HalfOverflow => "InputError",
        Error::Variable { source, .. } => class(source, during),
        Error::DeviceLost { .. } => "DeviceLostError",
        Error::OutOfMemory { .. } | Error::TooLarge { .. } => "OutOfMemoryError",
        Error::NoAdapter
        | Error::NoSuchAdapter { .. }
        | Error::NoAdapterAt { .. }
        | Error::Software { .. }
        | Error::DeviceRefused { .. }
        | Error::DeviceFailed { .. }
        | Error::SelfTest { .. }
        | Error::NoKernel { .. } => "DeviceError",
        _ => "Error",
    }
}
