//! Totals of steps.

use serde::Serialize;

use super::step::StepProfile;

/// The total of some steps of a profile.
///
/// ```
/// use densenet_wgpu::profile::{Ceilings, Profile};
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
/// let ceilings = Ceilings { gflops: 100.0, gigabytes_per_second: 10.0, launch_ms: 0.01 }; // or `Ceilings::measure`
/// let profile = Profile::measure(&engine, Input::values(&[0.5; 3 * 64 * 64], [64, 64]), 1, ceilings)?;
/// for total in profile.by_operation() {
///     println!("{}: {} steps, {:.3} ms, {:.1} GFLOP/s", total.name, total.steps, total.gpu_ms, total.gflops());
/// }
/// assert_eq!(profile.by_module().iter().map(|total| total.steps).sum::<usize>(), profile.steps.len());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Total {
    /// Their common name.
    pub name: String,
    /// Number of steps.
    pub steps: usize,
    /// Milliseconds on the device.
    pub gpu_ms: f64,
    /// Their fraction of the time of all steps, from 0 to 1.
    pub share: f64,
    /// Operations.
    pub flops: u64,
    /// Bytes read and written.
    pub bytes: u64,
}

impl Total {
    /// A total for each value of `name`, in order of first occurrence.
    pub(super) fn of(steps: &[StepProfile], name: impl Fn(&StepProfile) -> &str) -> Vec<Self> {
        let mut totals: Vec<Self> = Vec::new();
        for step in steps {
            let position = totals.iter().position(|total| total.name == name(step)).unwrap_or_else(|| {
                totals.push(Self { name: name(step).to_owned(), steps: 0, gpu_ms: 0.0, share: 0.0, flops: 0, bytes: 0 });
                totals.len() - 1
            });
            let total = &mut totals[position];
            total.steps += 1;
            total.gpu_ms += step.gpu_ms;
            total.share += step.share;
            total.flops += step.flops;
            total.bytes += step.bytes;
        }
        totals
    }

    /// Billions of operations per second.
    pub fn gflops(&self) -> f64 {
        if self.gpu_ms > 0.0 { self.flops as f64 / self.gpu_ms / 1e6 } else { 0.0 }
    }

    /// Billions of bytes per second.
    pub fn gigabytes_per_second(&self) -> f64 {
        if self.gpu_ms > 0.0 { self.bytes as f64 / self.gpu_ms / 1e6 } else { 0.0 }
    }
}
