//! What a device may differ by.

use crate::kernels::Precision;

/// What a value may differ by, of its layer's largest magnitude.
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
