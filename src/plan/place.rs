//! Tensors to memory: a concat is a placement, buffers are reused as soon as nothing reads them any more.
//!
//! A dense block's concats chain into one tensor that owns a buffer; every layer's output is a run of channels in it.
//! Each tensor that is part of no other gets a buffer for as long as it is needed, and no step ever reads and writes
//! the same buffer, which WebGPU forbids.

use super::allocation::{Allocation, AllocationOf, Assignment};
use super::parents::Parents;
use super::stage::{Operation, Stages, TensorId};
use crate::kernels::{Precision, Region};
use crate::shape::Shape;

/// Channels of a tensor's plane begin at a multiple of this many elements: kernels read four pixels at once.
const ELEMENT_ALIGNMENT: usize = 4;

/// What a step is of: a stage, a copy that a concat needs for a part that could not be placed, or one that an output needs for
/// its layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StepOf {
    /// The stage of this index.
    Stage(usize),
    /// Part `part` of the concat `stage` into its run of channels.
    Part { stage: usize, part: usize },
    /// The network's output of this index, into `[N, C, H, W]`.
    Output(usize),
}

/// Where every tensor lies.
#[derive(Debug)]
pub(super) struct Placement {
    /// What runs, in order.
    pub(super) steps: Vec<StepOf>,
    regions: Vec<Region>,
    /// The network's outputs, each in `[N, C, H, W]`.
    pub(super) outputs: Vec<Region>,
    /// Bytes of each buffer.
    pub(super) byte_buffers: Vec<u64>,
    /// The most bytes that are alive at once.
    pub(super) byte_peak: u64,
}

impl Placement {
    pub(super) fn region(&self, tensor: TensorId) -> Region {
        self.regions[tensor.0]
    }

    /// The channels of a concat's part.
    pub(super) fn part(&self, stages: &Stages, stage: usize, part: usize) -> Region {
        let stage = &stages.stages[stage];
        let first_channel = stages.channels(&stage.sources[..part]);
        slice(self.region(stage.target), first_channel, stages.tensors[stage.sources[part].0].channels)
    }
}

/// Places the tensors of `stages` for `batch` images, those between input and output in `precision`. Without `in_place`
/// every concat copies.
pub(super) fn place(stages: &Stages, batch: usize, in_place: bool, precision: Precision) -> Placement {
    let parents = if in_place { Parents::of(stages) } else { Parents::none(stages) };
    let direct = direct_outputs(stages, &parents);
    let steps = steps(stages, &parents, &direct);

    let sizes = Sizes { batch, precision };
    let allocations = allocations(stages, &parents, &steps, &direct, sizes);
    let Assignment { byte_buffers, buffers } = Assignment::smallest(&allocations);
    let alive = |now: usize| allocations.iter().filter(|a| a.first <= now && now <= a.last).map(|a| a.bytes).sum();
    let byte_peak = (0..=steps.len() + 1).map(alive).max();

    let root_region = |tensor: TensorId| {
        let shape = stages.tensors[tensor.0];
        let buffer = buffers[&AllocationOf::Tensor(tensor)];
        let dense = tensor == TensorId(0) || direct.contains(&tensor);
        sizes.region(buffer, shape, dense)
    };
    let regions = (0..stages.tensors.len())
        .map(|index| {
            let (root, first_channel) = parents.root(TensorId(index));
            slice(root_region(root), first_channel, stages.tensors[index].channels)
        })
        .collect::<Vec<_>>();
    let output = |(index, output): (usize, &TensorId)| match buffers.get(&AllocationOf::Output(index)) {
        Some(&buffer) => sizes.region(buffer, stages.tensors[output.0], true),
        None => regions[output.0],
    };
    let outputs = stages.outputs.iter().enumerate().map(output).collect();
    Placement { steps, regions, outputs, byte_buffers, byte_peak: byte_peak.unwrap_or(0) }
}

/// What the size of a tensor depends on beside its shape.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    batch: usize,
    precision: Precision,
}

impl Sizes {
    /// A whole tensor in a buffer of its own: as users see it (`dense`, `[N, C, H, W]` of 32-bit floats), or in planes of
    /// every image's pixels.
    fn region(self, buffer: usize, shape: Shape, dense: bool) -> Region {
        let Self { batch, precision } = self;
        let (element_plane, element_image, precision) = if dense {
            (shape.pixels(), shape.elements(), Precision::F32)
        } else {
            ((batch * shape.pixels()).next_multiple_of(ELEMENT_ALIGNMENT), shape.pixels(), precision)
        };
        Region { buffer, element_offset: 0, element_plane, element_image, shape, batch, precision }
    }

    fn bytes(self, shape: Shape, dense: bool) -> u64 {
        let Region { element_plane, precision, .. } = self.region(0, shape, dense);
        let elements = element_plane * shape.channels * if dense { self.batch } else { 1 };
        // Kernels that read quads may touch the last plane's padding.
        (elements.next_multiple_of(ELEMENT_ALIGNMENT) * precision.bytes()) as u64
    }
}

fn slice(whole: Region, first_channel: usize, channels: usize) -> Region {
    Region { element_offset: whole.element_offset + first_channel * whole.element_plane, shape: Shape { channels, ..whole.shape }, ..whole }
}

fn readers(stages: &Stages, tensor: TensorId) -> usize {
    stages.stages.iter().flat_map(|s| &s.sources).filter(|&&source| source == tensor).count()
}

/// Whether the kernel that makes `tensor` can write `[N, C, H, W]`: all but those that write quads.
fn writes_any_layout(stages: &Stages, tensor: TensorId) -> bool {
    stages.stages.iter().any(|s| s.target == tensor && !matches!(s.operation, Operation::Concat | Operation::Conv { .. }))
}

/// The outputs that the kernels that make them leave in `[N, C, H, W]`; the others are copied.
fn direct_outputs(stages: &Stages, parents: &Parents) -> Vec<TensorId> {
    let is_direct = |output: TensorId| writes_any_layout(stages, output) && !parents.has(output) && readers(stages, output) == 0;
    stages.outputs.iter().copied().filter(|&output| is_direct(output)).collect()
}

fn steps(stages: &Stages, parents: &Parents, direct: &[TensorId]) -> Vec<StepOf> {
    let mut steps = Vec::new();
    for (index, stage) in stages.stages.iter().enumerate() {
        if stage.is_concat() {
            let copied = (0..stage.sources.len()).filter(|&part| !parents.is_placed(stage.sources[part], stage.target));
            steps.extend(copied.map(|part| StepOf::Part { stage: index, part }));
        } else {
            steps.push(StepOf::Stage(index));
        }
    }
    let copied = stages.outputs.iter().enumerate().filter(|(_, output)| !direct.contains(output));
    steps.extend(copied.map(|(index, _)| StepOf::Output(index)));
    steps
}

fn allocations(stages: &Stages, parents: &Parents, steps: &[StepOf], direct: &[TensorId], sizes: Sizes) -> Vec<Allocation> {
    let mut allocations: Vec<Allocation> = Vec::new();
    let mut touch = |of: AllocationOf, bytes: u64, now: usize| match allocations.iter_mut().find(|a| a.of == of) {
        Some(allocation) => allocation.last = now,
        None => allocations.push(Allocation { of, bytes, first: now, last: now }),
    };
    let mut touch_tensor = |tensor: TensorId, now: usize| {
        let (root, _) = parents.root(tensor);
        let dense = root == TensorId(0) || direct.contains(&root);
        touch(AllocationOf::Tensor(root), sizes.bytes(stages.tensors[root.0], dense), now);
    };
    // The input is there before the first step, outputs stay after the last.
    let end = steps.len() + 1;
    touch_tensor(TensorId(0), 0);
    for (index, step) in steps.iter().enumerate() {
        let now = index + 1;
        match *step {
            StepOf::Stage(stage) => {
                let stage = &stages.stages[stage];
                stage.sources.iter().for_each(|&source| touch_tensor(source, now));
                touch_tensor(stage.target, now);
            }
            StepOf::Part { stage, part } => {
                touch_tensor(stages.stages[stage].sources[part], now);
                touch_tensor(stages.stages[stage].target, now);
            }
            StepOf::Output(index) => touch_tensor(stages.outputs[index], now),
        }
    }
    direct.iter().for_each(|&output| touch_tensor(output, end));
    for (index, step) in steps.iter().enumerate() {
        if let &StepOf::Output(output) = step {
            let bytes = sizes.bytes(stages.tensors[stages.outputs[output].0], true);
            allocations.push(Allocation { of: AllocationOf::Output(output), bytes, first: index + 1, last: end });
        }
    }
    allocations
}
