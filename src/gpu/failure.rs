//! What goes wrong with a device.

use std::sync::{Mutex, PoisonError};

/// Why nothing more runs on a device.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// It is gone.
    Lost(String),
    /// It met an error that nobody caught.
    Uncaught(String),
}

/// What was met first counts: the rest follows from it.
pub(super) fn record(failure: &Mutex<Option<Failure>>, met: Failure) {
    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(met);
}
