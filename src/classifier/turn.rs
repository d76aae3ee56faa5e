//! Whose turn it is among batches that finish in any order.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The number of the batch whose results are handed on next.
#[derive(Debug)]
pub(super) struct Turn {
    /// Batches that may be finished before it.
    ahead: usize,
    next: Mutex<usize>,
    moved: Condvar,
}

impl Turn {
    /// The turn of the first batch, before which so many others may be finished.
    pub(super) fn first(ahead: usize) -> Self {
        Self { ahead, next: Mutex::new(0), moved: Condvar::new() }
    }

    pub(super) fn advance(&self, next: usize) {
        let mut now = lock(&self.next);
        *now = next.max(*now);
        self.moved.notify_all();
    }

    /// There is none any more: lets everybody go.
    pub(super) fn end(&self) {
        self.advance(usize::MAX);
    }

    pub(super) fn is_ended(&self) -> bool {
        *lock(&self.next) == usize::MAX
    }

    /// Waits until no more batches come before this one than may be finished before their turn.
    pub(super) fn await_nearly(&self, number: usize) {
        let is_early = |next: &mut usize| next.saturating_add(self.ahead) < number;
        // The guard is of no use: the number only grows.
        drop(self.moved.wait_while(lock(&self.next), is_early));
    }
}

/// Ends all turns where its thread panics: the batch that it had never comes.
pub(super) struct EndOnPanic<'a>(pub(super) &'a Turn);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

/// The guarded value; a thread that panicked while it held the lock left nothing half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
