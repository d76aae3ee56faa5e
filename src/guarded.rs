//! Panics that become errors: of decoders, and of wgpu where it waits for a device that is lost.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread becomes an error, so that a program's panic hook may stay silent.
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// What `work` makes; an error where it panics.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    let before = GUARDED.replace(true);
    let made = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    made
}
