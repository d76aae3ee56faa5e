//! Work without Python's lock, whose panics become exceptions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use densenet_wgpu::image::is_decoding;
use pyo3::prelude::*;

use crate::error;

/// The result of `work`, during which other Python threads run. A panic becomes an exception.
pub(crate) fn unlocked<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).map_err(|_| error::internal(py))
}

/// Reports every panic from now on, except those that the library turns into errors.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if !is_decoding() {
            eprintln!("densenet_wgpu: internal error, please report it: {panic}");
        }
    }));
}
