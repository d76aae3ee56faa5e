//! What Python gets: arrays and JSON.

use numpy::{Element, IntoPyArray, PyArrayMethods};
use pyo3::prelude::*;
use serde::Serialize;

use crate::error;

/// An array of `rows` of one length and shape.
pub(crate) fn array<'py, T: Element>(py: Python<'py>, rows: Vec<Vec<T>>, shape_of_row: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    let shape: Vec<usize> = std::iter::once(rows.len()).chain(shape_of_row.iter().copied()).collect();
    let values: Vec<T> = rows.into_iter().flatten().collect();
    Ok(values.into_pyarray(py).reshape(shape)?.into_any())
}

/// A report as JSON, which Python reads.
pub(crate) fn json(py: Python<'_>, report: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(report).map_err(|_| error::internal(py))
}
