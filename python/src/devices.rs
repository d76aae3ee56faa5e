//! What there is to run on.

use densenet_wgpu::Gpu;
use pyo3::prelude::*;

use crate::results::json;
use crate::unlocked::unlocked;

/// Every adapter, the best first, as JSON.
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> PyResult<String> {
    json(py, &unlocked(py, Gpu::adapters)?)
}
