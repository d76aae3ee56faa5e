//! The native module of the Python package `densenet-wgpu`: a thin floor over the library, without policy of its own.
//!
//! The package's own modules (`densenet_wgpu/`) are what people see. Everything that reads, decodes or computes runs without Python's
//! lock, and nothing that panics there reaches Python as a panic.

mod assumed;
mod classifier;
mod devices;
mod error;
mod held;
mod inputs;
mod inspection;
mod labels;
mod maps;
mod model;
mod notices;
mod options;
mod remedy;
mod results;
mod run;
mod unlocked;
mod verification;

use pyo3::prelude::*;

/// The native part of densenet_wgpu, which its modules wrap.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::classifier::OpenClassifier;
    #[pymodule_export]
    use crate::devices::devices;
    #[pymodule_export]
    use crate::inspection::inspect;
    #[pymodule_export]
    use crate::labels::nearest;
    #[pymodule_export]
    use crate::maps::overlay;
    #[pymodule_export]
    use crate::model::{models, presets};
    #[pymodule_export]
    use crate::verification::verify;

    use super::{PyModule, PyResult, unlocked};
    use pyo3::Bound;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        use pyo3::types::PyModuleMethods;
        unlocked::report_panics();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
