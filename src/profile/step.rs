//! A step of a profile.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ceilings::Ceilings;
use crate::plan::Step;

/// What limits a step: the longest of the minimum times that its operations, its bytes and its launch take on the device.
///
/// ```
/// use densenet_wgpu::profile::{Bound, Ceilings, Profile};
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
/// let ceilings = Ceilings { gflops: 100.0, gigabytes_per_second: 10.0, launch_ms: 0.01 }; // or `Ceilings::measure`
/// let profile = Profile::measure(&engine, Input::values(&[0.5; 3 * 64 * 64], [64, 64]), 1, ceilings)?;
/// let small = profile.steps.iter().filter(|step| step.bound == Bound::Launch);
/// println!("{} of {} steps are too small for the device", small.count(), profile.steps.len());
/// assert_eq!(Bound::Launch.to_string(), "launch");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// Its operations.
    Compute,
    /// The bytes that it reads and writes.
    Bandwidth,
    /// Its launch: it has too little work.
    Launch,
}

impl Bound {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Bandwidth => "bandwidth",
            Self::Launch => "launch",
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The time of a step, and what it is compared with.
///
/// ```
/// use densenet_wgpu::profile::{Ceilings, Profile};
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
/// let ceilings = Ceilings { gflops: 100.0, gigabytes_per_second: 10.0, launch_ms: 0.01 }; // or `Ceilings::measure`
/// let profile = Profile::measure(&engine, Input::values(&[0.5; 3 * 64 * 64], [64, 64]), 1, ceilings)?;
/// let longest = profile.steps.iter().max_by(|a, b| a.gpu_ms.total_cmp(&b.gpu_ms)).expect("it has steps");
/// println!("{} ({}): {:.3} ms, bound by {}", longest.name, longest.kernel, longest.gpu_ms, longest.bound);
/// let shares: f64 = profile.steps.iter().map(|step| step.share).sum();
/// assert!((shares - 1.0).abs() < 1e-6);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepProfile {
    /// The layer that it is named after, as in the checkpoint.
    pub name: String,
    /// All layers that it computes.
    pub layers: Vec<String>,
    /// The part of the network that it belongs to: `features.denseblock1`.
    pub module: String,
    /// Its kind of operation: `3x3 convolution`, `pool`.
    pub operation: String,
    /// The shader and its tile.
    pub kernel: String,
    /// Milliseconds on the device.
    pub gpu_ms: f64,
    /// Its fraction of the time of all steps, from 0 to 1.
    pub share: f64,
    /// Operations of convolutions and linear layers, two per multiply-add.
    pub flops: u64,
    /// Bytes read and written, each counted once.
    pub bytes: u64,
    /// Billions of operations per second.
    pub gflops: f64,
    /// Billions of bytes per second.
    pub gigabytes_per_second: f64,
    /// The same as a fraction of the device's peak, from 0 to 1.
    pub share_of_compute: f64,
    /// The same as a fraction of the device's peak. More than 1 if the bytes are still in a cache.
    pub share_of_bandwidth: f64,
    /// What limits it.
    pub bound: Bound,
}

impl StepProfile {
    pub(super) fn new(step: &Step, gpu_ms: f64, ceilings: Ceilings) -> Self {
        let a_second = |amount: u64| if gpu_ms > 0.0 { amount as f64 / gpu_ms / 1e6 } else { 0.0 };
        let (gflops, gigabytes_per_second) = (a_second(step.flops), a_second(step.bytes));
        let operation = match &step.tile {
            Some((_, convolution)) => {
                let [height, width] = convolution.window.kernel;
                format!("{height}x{width} convolution")
            }
            None => step.kernel.variant.shader.name().to_owned(),
        };
        Self {
            name: step.name.clone(),
            layers: step.layers.clone(),
            module: step.module().to_owned(),
            operation,
            kernel: step.kernel.variant.to_string(),
            gpu_ms,
            share: 0.0,
            flops: step.flops,
            bytes: step.bytes,
            gflops,
            gigabytes_per_second,
            share_of_compute: gflops / ceilings.gflops,
            share_of_bandwidth: gigabytes_per_second / ceilings.gigabytes_per_second,
            bound: bound(step.flops, step.bytes, ceilings),
        }
    }
}

fn bound(flops: u64, bytes: u64, ceilings: Ceilings) -> Bound {
    let compute_ms = flops as f64 / ceilings.gflops / 1e6;
    let bandwidth_ms = bytes as f64 / ceilings.gigabytes_per_second / 1e6;
    match () {
        () if ceilings.launch_ms > compute_ms.max(bandwidth_ms) => Bound::Launch,
        () if compute_ms > bandwidth_ms => Bound::Compute,
        () => Bound::Bandwidth,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_three_floors_bounds() {
        // 1 ms is 1e9 operations, 1e7 bytes.
        let ceilings = Ceilings { gflops: 1e3, gigabytes_per_second: 10.0, launch_ms: 0.1 };
        assert_eq!(bound(1_000_000_000, 5_000_000, ceilings), Bound::Compute);
        assert_eq!(bound(1_000_000_000, 20_000_000, ceilings), Bound::Bandwidth);
        assert_eq!(bound(1000, 1000, ceilings), Bound::Launch);
    }
}
