//! A device's peak performance.

use serde::{Deserialize, Serialize};

use super::median::median;
use crate::engine::{Engine, EngineOptions, Granularity, Input};
use crate::error::Result;
use crate::gpu::Gpu;
use crate::graph::Graph;
use crate::peak::Peak;
use crate::shape::Shape;
use crate::weights::Weights;

/// The peak performance of a device, with which the steps of a profile are compared.
///
/// ```no_run
/// use densenet_wgpu::profile::{Ceilings, Peak};
/// use densenet_wgpu::Gpu;
///
/// let ceilings = Ceilings::measure(&Gpu::open(None)?)?;
/// assert!(ceilings.gflops > 0.0 && ceilings.gigabytes_per_second > 0.0 && ceilings.launch_ms > 0.0);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// Billions of operations per second ([`Peak::gflops`]).
    pub gflops: f64,
    /// Billions of bytes per second ([`Peak::gigabytes_per_second`]), for buffers larger than caches.
    pub gigabytes_per_second: f64,
    /// The time of a pass with almost no work, in milliseconds.
    pub launch_ms: f64,
}

impl Ceilings {
    /// Measures the device for a few seconds, during which it should be idle otherwise. Errors as [`Peak::measure`] does.
    pub fn measure(gpu: &Gpu) -> Result<Self> {
        let Peak { gflops, gigabytes_per_second, .. } = Peak::measure(gpu)?;
        Ok(Self { gflops, gigabytes_per_second, launch_ms: launch_ms(gpu)? })
    }
}

/// The time of a pass that computes one number.
fn launch_ms(gpu: &Gpu) -> Result<f64> {
    let mut graph = Graph::new(Shape::new(1, 1, 1));
    let mut x = graph.input();
    for layer in 0..16 {
        x = graph.relu(&format!("relu{layer}"), x)?;
    }
    let engine = Engine::new(gpu, &graph, &Weights::new(), EngineOptions::default().with_fusion(false))?;
    let mut passes = Vec::new();
    for _ in 0..8 {
        passes.extend(engine.time(Input::values(&[1.0], [1, 1]), Granularity::Step)?.passes);
    }
    Ok(1e3 * median(passes.iter().map(|[begin, end]| end - begin)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::open_gpu;

    #[test]
    fn a_launch_takes_time() {
        let gpu = open_gpu();
        let ms = launch_ms(&gpu).unwrap();
        assert!(ms > 0.0 && ms < 10.0, "{ms}");
    }
}
