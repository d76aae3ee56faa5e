//! How a plan is made.

use crate::kernels::Tuning;

/// How a plan is made.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let graph = Config::densenet121().graph(224, 224)?;
/// let fused = Plan::new(&graph, PlanOptions::default().with_batch(8))?;
/// let unfused = Plan::new(&graph, PlanOptions::default().with_batch(8).with_fusion(false))?;
/// assert!(fused.steps().len() < unfused.steps().len() && fused.byte_total() < unfused.byte_total());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// Images at once.
    pub batch: usize,
    /// Whether operations share kernels. Without, each is a step of its own and every concat copies.
    pub fusion: bool,
    /// The largest buffer of weights, in bytes. The default is what every WebGPU device can bind.
    pub byte_weight_buffer: u64,
    /// Which kernels compute convolutions, and the storage dtype. The default runs on every WebGPU device.
    pub tuning: Tuning,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { batch: 1, fusion: true, byte_weight_buffer: 128 << 20, tuning: Tuning::default() }
    }
}

impl PlanOptions {
    /// Plans for `batch` images at once.
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch, ..self }
    }

    /// Sets [`PlanOptions::fusion`].
    pub fn with_fusion(self, fusion: bool) -> Self {
        Self { fusion, ..self }
    }

    /// Sets [`PlanOptions::byte_weight_buffer`].
    pub fn with_byte_weight_buffer(self, byte_weight_buffer: u64) -> Self {
        Self { byte_weight_buffer, ..self }
    }

    /// Sets [`PlanOptions::tuning`].
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }
}
