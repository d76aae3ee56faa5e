//! What runs, in which order, and where in memory: pure data, made without a device.
//!
//! ```
//! use densenet_wgpu::planning::PlanOptions;
//! use densenet_wgpu::{Config, Plan};
//!
//! # fn main() -> densenet_wgpu::Result<()> {
//! let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
//! assert_eq!(plan.flops() / 10_000_000, 520); // 5.2 GFLOP
//! println!("{plan}");
//! # Ok(())
//! # }
//! ```

mod allocation;
mod emit;
mod lower;
mod options;
mod pack;
mod parents;
mod place;
mod report;
mod stage;
mod step;
mod svg;
mod text;
mod values;

pub use options::PlanOptions;
pub use pack::{Pack, PackedWeights};
pub use stage::{Norm, NormRelu};
pub use step::Step;

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::kernels::Region;
use crate::shape::Shape;
use stage::TensorId;

/// The steps of one network for one input shape, and their memory.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default().with_batch(8))?;
/// assert_eq!(plan.input().batch, 8);
/// assert_eq!(plan.output().shape.channels, 1000);
/// assert!(plan.byte_peak() <= plan.byte_buffers().sum());
/// assert!(plan.svg().starts_with("<svg") && plan.json().starts_with("{\"batch\":8,"));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    options: PlanOptions,
    steps: Vec<Step>,
    packs: Vec<PackedWeights>,
    element_weight_buffers: Vec<usize>,
    byte_buffers: Vec<u64>,
    byte_peak: u64,
    input: Region,
    outputs: Vec<Region>,
}

impl Plan {
    /// Plans `graph`. Errors for a batch of 0, for tensors that no 32-bit index reaches, and where the tuning excludes
    /// every tile for a convolution.
    #[tracing::instrument(level = "debug", name = "plan", skip_all, fields(input = %graph.input_shape(), batch = options.batch))]
    pub fn new(graph: &Graph, options: PlanOptions) -> Result<Self> {
        if options.batch == 0 {
            return Err(Error::Input { expected: "a batch of at least 1".into(), found: "0".into() });
        }
        let Shape { channels, height, width } = graph.input_shape();
        if [channels, height, width].contains(&0) {
            let expected = "pictures of at least one channel and one pixel".into();
            return Err(Error::Input { expected, found: graph.input_shape().to_string() });
        }
        // Before anything is multiplied: no tensor may be so large that a product overflows.
        check_indices(graph, options.batch, graph.nodes().iter().map(|node| byte_tensor(node.shape, options.batch)).max())?;
        let stages = lower::lower(graph, options.fusion);
        let placement = place::place(&stages, options.batch, options.fusion, options.tuning.precision());
        let mut plan = Self {
            options,
            steps: Vec::new(),
            packs: Vec::new(),
            element_weight_buffers: Vec::new(),
            input: placement.region(TensorId(0)),
            outputs: placement.outputs.clone(),
            byte_peak: placement.byte_peak,
            byte_buffers: placement.byte_buffers.clone(),
        };
        check_indices(graph, plan.options.batch, plan.byte_buffers().max())?;
        let values = values::completed(&stages, &placement, graph.outputs());
        for (step, values) in placement.steps.iter().zip(values) {
            let step = Step { values, ..plan.step(&stages, &placement, step)? };
            plan.steps.push(step);
        }
        Ok(plan)
    }

    /// The options that it was made with.
    pub fn options(&self) -> &PlanOptions {
        &self.options
    }

    /// Dispatches, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The weights every step reads, in order. They depend on the graph's layers, not on batch or input size.
    #[doc(hidden)]
    pub fn packs(&self) -> &[PackedWeights] {
        &self.packs
    }

    /// Bytes of each weight buffer.
    pub fn byte_weight_buffers(&self) -> impl Iterator<Item = u64> + '_ {
        self.element_weight_buffers.iter().map(|&elements| self.byte_weights(elements))
    }

    /// Bytes of each activation buffer. Input and outputs are among them.
    pub fn byte_buffers(&self) -> impl Iterator<Item = u64> + '_ {
        self.byte_buffers.iter().copied()
    }

    /// The most bytes of activations that are alive at once.
    pub fn byte_peak(&self) -> u64 {
        self.byte_peak
    }

    /// Bytes of all buffers: weights and activations.
    pub fn byte_total(&self) -> u64 {
        self.byte_weight_buffers().chain(self.byte_buffers()).sum()
    }

    /// Where the input `[N, C, H, W]` is expected.
    #[doc(hidden)]
    pub fn input(&self) -> Region {
        self.input
    }

    /// Where the output `[N, C, H, W]` is left, the first where there are several.
    #[doc(hidden)]
    pub fn output(&self) -> Region {
        self.outputs[0]
    }

    /// Where each of the graph's outputs `[N, C, H, W]` is left, in their order.
    #[doc(hidden)]
    pub fn outputs(&self) -> &[Region] {
        &self.outputs
    }

    /// Floating point operations of all steps.
    pub fn flops(&self) -> u64 {
        self.steps.iter().map(|s| s.flops).sum()
    }

    /// Bytes of `elements` packed weights.
    fn byte_weights(&self, elements: usize) -> u64 {
        (elements * self.options.tuning.precision().bytes()) as u64
    }
}

/// Every element must be reachable by the kernels' 32-bit indices.
fn check_indices(graph: &Graph, batch: usize, largest: Option<u64>) -> Result<()> {
    let limit = u64::from(u32::MAX);
    match largest {
        Some(needed) if needed > limit => Err(Error::TooLarge {
            what: format!("an activation buffer for {batch} images of {}", graph.input_shape()),
            needed,
            limit,
            adapter: "any device".into(),
        }),
        _ => Ok(()),
    }
}

/// Bytes of a batch of tensors; the largest number there is where that overflows.
fn byte_tensor(shape: Shape, batch: usize) -> u64 {
    let sizes = [batch, shape.channels, shape.height, shape.width];
    sizes.iter().fold(size_of::<f32>() as u64, |product, &size| product.saturating_mul(size as u64))
}
