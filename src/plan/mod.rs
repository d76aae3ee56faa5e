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

mod lower;
mod pack;
mod place;
mod report;
mod step;
mod svg;
mod text;
mod values;

pub use lower::{Norm, NormRelu};
pub use pack::Pack;
pub use step::Step;

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::kernels::{
    Convolution, Kernel, Region, Tile, Tuning, WeightRows, blur_pool, copy, global_pool, linear, nonlinearity, norm_relu, pool, strip_pool,
};
use crate::shape::Shape;
use lower::{Operation, Stage, Stages};
use place::{Move, Placement};

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
    /// Which kernels compute convolutions, and in which numbers. The default runs on every WebGPU device.
    pub tuning: Tuning,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { batch: 1, fusion: true, byte_weight_buffer: 128 << 20, tuning: Tuning::default() }
    }
}

impl PlanOptions {
    /// The same for so many images at once.
    pub fn with_batch(self, batch: usize) -> Self {
        Self { batch, ..self }
    }

    /// The same with this [`PlanOptions::fusion`].
    pub fn with_fusion(self, fusion: bool) -> Self {
        Self { fusion, ..self }
    }

    /// The same with this [`PlanOptions::byte_weight_buffer`].
    pub fn with_byte_weight_buffer(self, byte_weight_buffer: u64) -> Self {
        Self { byte_weight_buffer, ..self }
    }

    /// The same with this [`PlanOptions::tuning`].
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }
}

/// Packed weights and where they lie.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let first = &plan.packs()[0];
/// assert_eq!((first.pack.layer(), first.buffer, first.element_offset), ("features.conv0", 0, 0));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PackedWeights {
    /// How they are made.
    pub pack: Pack,
    /// Index of the weight buffer.
    pub buffer: usize,
    /// First element.
    pub element_offset: usize,
}

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
    /// every kernel for a convolution.
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
            input: placement.region(lower::TensorId(0)),
            outputs: placement.outputs.clone(),
            byte_peak: placement.byte_peak,
            byte_buffers: placement.byte_buffers.clone(),
        };
        check_indices(graph, plan.options.batch, plan.byte_buffers().max())?;
        let values = values::completed(&stages, &placement, graph.outputs());
        for (step, values) in placement.moves.iter().zip(values) {
            let step = Step { values, ..plan.step(&stages, &placement, step)? };
            plan.steps.push(step);
        }
        Ok(plan)
    }

    /// How it was made.
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

    /// Bytes of activations alive at once, at the most.
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

    /// Bytes of that many elements of packed weights.
    fn byte_weights(&self, elements: usize) -> u64 {
        (elements * self.options.tuning.precision().bytes()) as u64
    }

    fn step(&mut self, stages: &Stages, placement: &Placement, step: &Move) -> Result<Step> {
        let copied = |name: &str, source, target| Step {
            name: name.to_owned(),
            layers: vec![name.to_owned()],
            kernel: copy::kernel(source, target),
            tile: None,
            source,
            target,
            pack: None,
            flops: 0,
            bytes: source.bytes() + target.bytes(),
            values: Vec::new(),
        };
        Ok(match *step {
            Move::Stage(index) => self.stage(&stages.stages[index], placement)?,
            Move::Part { stage, part } => {
                let source = placement.region(stages.stages[stage].sources[part]);
                copied(&stages.stages[stage].name, source, placement.part(stages, stage, part))
            }
            Move::Output(index) => copied("output", placement.region(stages.outputs[index]), placement.outputs[index]),
        })
    }

    fn stage(&mut self, stage: &Stage, placement: &Placement) -> Result<Step> {
        let (source, target) = (placement.region(stage.sources[0]), placement.region(stage.target));
        let before = self.packs.len();
        let (kernel, tile) = self.kernel(stage, source, target)?;
        let pack = (self.packs.len() > before).then_some(before);
        let (mut flops, mut weight_bytes) = (0, 0);
        if let Some(packed) = pack.map(|index| &self.packs[index].pack) {
            weight_bytes = self.byte_weights(packed.elements());
            if let Pack::Matrix { rows, channels, .. } = packed {
                flops = 2 * (rows * channels * target.pixels()) as u64;
            }
        }
        Ok(Step {
            name: stage.name.clone(),
            layers: stage.layers.clone(),
            kernel,
            tile,
            source,
            target,
            pack,
            flops,
            bytes: source.bytes() + target.bytes() + weight_bytes,
            values: Vec::new(),
        })
    }

    fn kernel(&mut self, stage: &Stage, source: Region, target: Region) -> Result<(Kernel, Option<(Tile, Convolution)>)> {
        let kernel = match &stage.operation {
            Operation::Conv { conv, prologue, epilogue } => {
                let weights = self.pack(Pack::Matrix {
                    layer: stage.name.clone(),
                    rows: source.shape.channels * conv.window.kernel[0] * conv.window.kernel[1],
                    channels: conv.out_channels,
                    bias: conv.bias,
                    prologue: prologue.clone(),
                    epilogue: epilogue.norm.clone(),
                });
                let (prologue, relu) = (prologue.as_ref().map(|prologue| prologue.relu), epilogue.relu);
                let convolution = Convolution { source, target, weights, window: conv.window, prologue, relu };
                let tile = self
                    .options
                    .tuning
                    .tile(&convolution)
                    .ok_or_else(|| Error::NoKernel { layer: stage.name.clone(), faults: Vec::new() })?;
                return Ok((tile.kernel(&convolution), Some((tile, convolution))));
            }
            Operation::NormRelu(NormRelu { norm, relu }) => {
                let weights = norm.clone().map(|norm| self.pack_norm(Some(norm), source.shape));
                norm_relu::kernel(source, target, weights, *relu)
            }
            Operation::Nonlinearity(function) => nonlinearity::kernel(source, target, *function),
            Operation::Pool { pooling, window, prologue } => {
                let prologue = prologue.clone().map(|p| (self.pack_norm(p.norm, source.shape), p.relu));
                let in_strips = self.options.tuning.capabilities().software && strip_pool::computes(*pooling, *window);
                let kernel = if in_strips { strip_pool::kernel } else { pool::kernel };
                kernel(source, target, *pooling, *window, prologue)
            }
            Operation::BlurPool => blur_pool::kernel(source, target),
            Operation::GlobalPool { prologue } => {
                let prologue = prologue.clone().map(|p| (self.pack_norm(p.norm, source.shape), p.relu));
                global_pool::kernel(source, target, prologue)
            }
            Operation::Linear { relu } => {
                let weights = self.pack(Pack::Matrix {
                    layer: stage.name.clone(),
                    rows: source.shape.channels,
                    channels: target.shape.channels,
                    bias: true,
                    prologue: None,
                    epilogue: None,
                });
                linear::kernel(source, target, weights, *relu)
            }
            Operation::Concat => unreachable!("a concat is placed or copied part by part"),
        };
        Ok((kernel, None))
    }

    fn pack_norm(&mut self, norm: Option<Norm>, shape: Shape) -> WeightRows {
        self.pack(Pack::Norm { norm, channels: shape.channels })
    }

    /// Appends a pack to the last weight buffer, or to a new one where it would grow too large to bind.
    fn pack(&mut self, pack: Pack) -> WeightRows {
        let elements = pack.elements();
        let precision = self.options.tuning.precision();
        let last = self.element_weight_buffers.last_mut();
        match last.filter(|used| ((**used + elements) * precision.bytes()) as u64 <= self.options.byte_weight_buffer) {
            Some(used) => *used += elements,
            None => self.element_weight_buffers.push(elements),
        }
        let buffer = self.element_weight_buffers.len() - 1;
        let element_offset = self.element_weight_buffers[buffer] - elements;
        let rows = pack.rows_at(element_offset, precision);
        self.packs.push(PackedWeights { pack, buffer, element_offset });
        rows
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
