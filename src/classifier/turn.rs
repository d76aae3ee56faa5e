//! The turn of batches that finish in any order.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The number of the batch whose results are returned next.
#[derive(Debug)]
pub(super) struct Turn {
    /// Number of batches that may be finished before it.
    ahead: usize,
    next: Mutex<usize>,
    moved: Condvar,
}

impl Turn {
    /// The turn of the first batch, before which `ahead` others may be finished.
    pub(super) fn first(ahead: usize) -> Self {
        Self { ahead, next: Mutex::new(0), moved: Condvar::new() }
    }

    pub(super) fn advance(&self, next: usize) {
        let mut now = lock(&self.next);
        *now = next.max(*now);
        self.moved.notify_all();
    }

    /// Ends all turns, and releases waiting threads.
    pub(super) fn end(&self) {
        self.advance(usize::MAX);
    }

    pub(super) fn is_ended(&self) -> bool {
        *lock(&self.next) == usize::MAX
    }

    /// Waits until batch `number` may be finished before its turn.
    pub(super) fn await_nearly(&self, number: usize) {
        let is_early = |next: &mut usize| next.saturating_add(self.ahead) < number;
        // The guard is not needed: the number only grows.
        drop(self.moved.wait_while(lock(&self.next), is_early));
    }
}

/// Ends all turns if its thread panics, because its batch will never arrive.
pub(super) struct EndOnPanic<'a>(pub(super) &'a Turn);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

/// Locks `mutex`, also after a panic: no update can be left half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
