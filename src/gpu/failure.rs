//! Failures of a device.

use std::sync::{Mutex, PoisonError};

/// Why nothing more runs on a device.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The device was lost.
    Lost(String),
    /// It had an error that was not caught.
    Uncaught(String),
}

/// Records a failure, unless there was one before: the first is the cause of the others.
pub(super) fn record(failure: &Mutex<Option<Failure>>, met: Failure) {
    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(met);
}
