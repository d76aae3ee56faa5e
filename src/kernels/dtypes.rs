//! The dtypes of a kernel.

use super::{Precision, Region, WeightRows};

/// The dtypes of a kernel's source, weights and target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dtypes {
    pub(super) source: Precision,
    pub(super) weights: Precision,
    pub(super) target: Precision,
}

impl Dtypes {
    /// Those of a kernel between two regions, with weights or without.
    pub(super) fn of(source: Region, target: Region, rows: Option<WeightRows>) -> Self {
        let (source, target) = (source.precision, target.precision);
        Self { source, weights: rows.map_or(source.max(target), |rows| rows.precision), target }
    }

    /// Those that plans contain: a network's input and output are f32 with any dtype between them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        use Precision::{F16, F32};
        [(F32, F32, F32), (F16, F16, F16), (F32, F16, F16), (F16, F16, F32), (F32, F16, F32)]
            .into_iter()
            .map(|(source, weights, target)| Self { source, weights, target })
    }
}
