//! How fast a device is, as its runs have shown, and how much it is given at once: no driver shall take it for hung.
//!
//! A network's steps differ in how fast they are, and networks do. That is what the difference between [`SUBMISSION_SECONDS`] and
//! the seconds that drivers wait is for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cache::SealedFile;
use crate::kernels::{Precision, Shader};
use crate::plan::Plan;

/// What a submission may take, in seconds: an eighth of what Windows waits before it resets a device.
pub(crate) const SUBMISSION_SECONDS: f64 = 0.25;

/// Floating point operations of a submission while nothing is known of a device: a second's for the slowest GPUs there are.
const FIRST_FLOPS: u64 = 2_000_000_000;

/// The least that is submitted at once: a run that was waited for late, or that was too small to keep the device busy, makes a
/// device seem slower than it is.
const LEAST_FLOPS: u64 = FIRST_FLOPS / 4;

/// By how much a run must be faster than all before for its pace to be kept.
const NOTEWORTHY: f64 = 1.05;

/// What computes: matrix units are another matter than what else a device has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Units {
    /// Floats of 32 bits, or stored in 16.
    Vector(Precision),
    /// A GPU's matrix units, where they compute a convolution.
    Matrix,
}

impl Units {
    /// Those that run the plan's steps.
    pub(crate) fn of(plan: &Plan) -> Self {
        let has_matrices = plan.steps().iter().any(|step| step.kernel.variant.shader == Shader::ConvMatrix);
        if has_matrices { Self::Matrix } else { Self::Vector(plan.options().tuning.precision()) }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Vector(precision) => precision.name(),
            Self::Matrix => "matrix",
        }
    }
}

/// Floating point operations a second of the fastest run so far, by what computes.
///
/// A run is timed by the host, from its submission to its end: that is never less than what the device took, so that the
/// device is at least as fast as its fastest run.
#[derive(Debug)]
pub(crate) struct Pace {
    fastest: Mutex<BTreeMap<String, f64>>,
    file: Option<SealedFile>,
}

impl Pace {
    /// As it is known from earlier starts, where a file keeps it.
    pub(super) fn open(file: Option<SealedFile>) -> Self {
        let kept = file.as_ref().and_then(SealedFile::read).and_then(|kept| serde_json::from_slice(&kept).ok());
        let mut fastest: BTreeMap<String, f64> = kept.unwrap_or_default();
        fastest.retain(|_, pace| pace.is_finite() && *pace > 0.0);
        Self { fastest: Mutex::new(fastest), file }
    }

    /// Takes note of a run of `flops` floating point operations.
    pub(super) fn note(&self, units: Units, flops: u64, took: Duration) {
        let pace = flops as f64 / took.as_secs_f64();
        if !pace.is_finite() || pace <= 0.0 {
            return;
        }
        let mut fastest = self.fastest.lock().unwrap_or_else(PoisonError::into_inner);
        let before = fastest.entry(units.name().into()).or_default();
        if pace < *before * NOTEWORTHY {
            return;
        }
        *before = pace;
        if let (Some(file), Ok(content)) = (&self.file, serde_json::to_vec(&*fastest)) {
            file.write(&content);
        }
    }

    /// Floating point operations that would take the device's fastest run [`SUBMISSION_SECONDS`].
    pub(super) fn flops_per_submission(&self, units: Units) -> u64 {
        let fastest = self.fastest.lock().unwrap_or_else(PoisonError::into_inner);
        fastest.get(units.name()).map_or(FIRST_FLOPS, |pace| LEAST_FLOPS.max((pace * SUBMISSION_SECONDS) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;

    #[test]
    fn the_fastest_run_tells_and_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Pace::open(Cache::at(folder.path()).file("pace", "a device", &["its driver"]));
        let pace = open();
        let vector = Units::Vector(Precision::F32);
        assert_eq!(pace.flops_per_submission(vector), FIRST_FLOPS);
        pace.note(vector, 1_000_000, Duration::from_secs(2)); // somebody looked late
        assert_eq!(pace.flops_per_submission(vector), LEAST_FLOPS);
        pace.note(vector, 64_000_000_000, Duration::from_secs(1));
        pace.note(vector, 1_000_000, Duration::from_secs(2));
        pace.note(vector, 1_000_000, Duration::ZERO);
        for pace in [pace, open()] {
            assert_eq!(pace.flops_per_submission(vector), 16_000_000_000);
            for other in [Units::Vector(Precision::F16), Units::Matrix] {
                assert_eq!(pace.flops_per_submission(other), FIRST_FLOPS, "{other:?}");
            }
        }
        for nonsense in [&b"{\"f32\":-1}"[..], b"{\"f32\":null}", b"[]"] {
            Cache::at(folder.path()).file("pace", "a device", &["its driver"]).unwrap().write(nonsense);
            assert_eq!(open().flops_per_submission(vector), FIRST_FLOPS);
        }
    }
}
