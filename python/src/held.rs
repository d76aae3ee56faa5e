//! A library's classifier while Python holds it: closed when nothing uses it, and left alone by forked processes.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use densenet_wgpu::Classifier;
use pyo3::prelude::*;

use crate::error;
use crate::model::PATIENCE;
use crate::unlocked::unlocked;

/// A classifier that this process opened, until it is closed.
pub(crate) struct Held {
    /// `None` once it is closed.
    classifier: Mutex<Option<Classifier>>,
    /// Calls that use it now.
    uses: Mutex<usize>,
    unused: Condvar,
    process: u32,
}

/// A call's use of a classifier, which is not closed meanwhile.
pub(crate) struct Use<'a> {
    pub(crate) classifier: Classifier,
    // Dropped last: whoever closes it then has the only one.
    _counted: Counted<'a>,
}

/// One of the uses that are counted.
struct Counted<'a>(&'a Held);

impl Held {
    pub(crate) fn new(classifier: Classifier) -> Self {
        Self { classifier: Mutex::new(Some(classifier)), uses: Mutex::new(0), unused: Condvar::new(), process: std::process::id() }
    }

    /// The classifier, for a call. Errors if it is closed, or was opened by a parent of this process.
    pub(crate) fn used(&self, py: Python<'_>) -> PyResult<Use<'_>> {
        if self.is_inherited() {
            return Err(error::inherited(py));
        }
        let classifier = lock(&self.classifier);
        let classifier = classifier.as_ref().ok_or_else(|| error::closed(py))?.clone();
        *lock(&self.uses) += 1;
        Ok(Use { classifier, _counted: Counted(self) })
    }

    /// Closes it when what runs has finished. Later calls are errors.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_inherited() {
            return Ok(());
        }
        let classifier = lock(&self.classifier).take();
        let wait = || {
            let is_used = |uses: &mut usize| *uses > 0;
            let waited = self.unused.wait_timeout_while(lock(&self.uses), PATIENCE, is_used);
            *waited.unwrap_or_else(PoisonError::into_inner).0 > 0
        };
        while py.detach(wait) {
            py.check_signals()?;
        }
        unlocked(py, move || drop(classifier))
    }

    /// Whether a parent of this process opened it: none of its threads is here.
    fn is_inherited(&self) -> bool {
        self.process != std::process::id()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_inherited() {
            // Destroying its device would wait for threads that are not here.
            mem::forget(self.classifier.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        *lock(&self.0.uses) -= 1;
        self.0.unused.notify_all();
    }
}

/// Locks `mutex`, also after a panic: no update can be left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
