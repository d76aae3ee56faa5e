//! How much a device may differ.

use crate::kernels::Precision;

/// How much a value may differ, relative to the largest magnitude of its layer.
///
/// ```
/// use densenet_wgpu::{Precision, verify::tolerance};
///
/// assert!(tolerance(Precision::F32) < tolerance(Precision::F16));
/// ```
pub const fn tolerance(precision: Precision) -> f64 {
    match precision {
        Precision::F32 => 1e-4,
        Precision::F16 => 2e-2,
    }
}
