//! Locks that outlive a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The guarded value; a thread that panicked while it held the lock left nothing half done in any of ours.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
