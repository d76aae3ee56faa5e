//! Tensors to memory: a concat is a placement, buffers are reused as soon as nothing reads them any more.
//!
//! A dense block's concats chain into one tensor that owns a buffer; every layer's output is a run of channels in it.
//! Each tensor that is part of no other gets a buffer for as long as it is needed, and no step ever reads and writes
//! the same buffer, which WebGPU forbids.

use std::collections::HashMap;

use super::lower::{Operation, Stages, TensorId};
use crate::kernels::{Precision, Region};
use crate::shape::Shape;

/// Channels of a tensor's plane begin at a multiple of this many elements: kernels read four pixels at once.
const ELEMENT_ALIGNMENT: usize = 4;

/// A stage's work, a copy that a concat needs for a part that could not be placed, or one that an output needs for its layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Move {
    /// The stage's own work.
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
    pub(super) moves: Vec<Move>,
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
        let first_channel = channels_before(stages, &stage.sources[..part]);
        slice(self.region(stage.target), first_channel, stages.tensors[stage.sources[part].0].channels)
    }
}

/// A part's parent and its first channel there.
type Parents = Vec<Option<(TensorId, usize)>>;

/// Places the tensors of `stages` for `batch` images, those between input and output in `precision`. Without `in_place`
/// every concat copies.
pub(super) fn place(stages: &Stages, batch: usize, in_place: bool, precision: Precision) -> Placement {
    let parents = if in_place { parents(stages) } else { vec![None; stages.tensors.len()] };
    let direct = direct_outputs(stages, &parents);
    let moves = moves(stages, &parents, &direct);

    let sizes = Sizes { batch, precision };
    let allocations = allocations(stages, &parents, &moves, &direct, sizes);
    let Assignment { byte_buffers, buffers } = Assignment::smallest(&allocations);
    let alive = |now: usize| allocations.iter().filter(|a| a.first <= now && now <= a.last).map(|a| a.bytes).sum();
    let byte_peak = (0..=moves.len() + 1).map(alive).max();

    let root_region = |tensor: TensorId| {
        let shape = stages.tensors[tensor.0];
        let buffer = buffers[&AllocationOf::Tensor(tensor)];
        let dense = tensor == TensorId(0) || direct.contains(&tensor);
        sizes.region(buffer, shape, dense)
    };
    let regions = (0..stages.tensors.len())
        .map(|index| {
            let (root, first_channel) = root(&parents, TensorId(index));
            slice(root_region(root), first_channel, stages.tensors[index].channels)
        })
        .collect::<Vec<_>>();
    let output = |(index, output): (usize, &TensorId)| match buffers.get(&AllocationOf::Output(index)) {
        Some(&buffer) => sizes.region(buffer, stages.tensors[output.0], true),
        None => regions[output.0],
    };
    let outputs = stages.outputs.iter().enumerate().map(output).collect();
    Placement { moves, regions, outputs, byte_buffers, byte_peak: byte_peak.unwrap_or(0) }
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

/// Decides which tensors are runs of channels of another.
///
/// A part stays on its own, to be copied, where it already belongs to another concat, occurs twice, is the network's
/// input, or where some stage would then read and write one buffer.
fn parents(stages: &Stages) -> Parents {
    let mut parents: Parents = vec![None; stages.tensors.len()];
    for stage in stages.stages.iter().rev().filter(|s| matches!(s.operation, Operation::Concat)) {
        for (index, &part) in stage.sources.iter().enumerate() {
            let repeated = stage.sources.iter().filter(|&&other| other == part).count() > 1;
            if part == TensorId(0) || parents[part.0].is_some() || repeated {
                continue;
            }
            parents[part.0] = Some((stage.target, channels_before(stages, &stage.sources[..index])));
            let conflict = stages.stages.iter().filter(|s| !matches!(s.operation, Operation::Concat)).any(|s| {
                let (target, _) = root(&parents, s.target);
                s.sources.iter().any(|&source| root(&parents, source).0 == target)
            });
            if conflict {
                parents[part.0] = None;
            }
        }
    }
    // Nor may the copy of a part read and write one buffer: such a part stays on its own wherever it belongs.
    while let Some(part) = part_copied_within_a_buffer(stages, &parents) {
        parents[part.0] = None;
    }
    parents
}

fn part_copied_within_a_buffer(stages: &Stages, parents: &Parents) -> Option<TensorId> {
    let concats = stages.stages.iter().filter(|s| matches!(s.operation, Operation::Concat));
    let mut copies =
        concats.flat_map(|s| s.sources.iter().filter(|&&part| !is_placed(parents, part, s.target)).map(|&part| (part, s.target)));
    copies.find(|&(part, target)| root(parents, part).0 == root(parents, target).0).map(|(part, _)| part)
}

/// Whether `part` is a run of channels of the concat `target`, and needs no copy.
fn is_placed(parents: &Parents, part: TensorId, target: TensorId) -> bool {
    parents[part.0].is_some_and(|(parent, _)| parent == target)
}

fn channels_before(stages: &Stages, parts: &[TensorId]) -> usize {
    parts.iter().map(|part| stages.tensors[part.0].channels).sum()
}

/// The tensor that owns the memory `tensor` lies in, and the first channel there.
fn root(parents: &Parents, mut tensor: TensorId) -> (TensorId, usize) {
    let mut first_channel = 0;
    while let Some((parent, offset)) = parents[tensor.0] {
        first_channel += offset;
        tensor = parent;
    }
    (tensor, first_channel)
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
    let is_direct = |output: TensorId| writes_any_layout(stages, output) && parents[output.0].is_none() && readers(stages, output) == 0;
    stages.outputs.iter().copied().filter(|&output| is_direct(output)).collect()
}

fn moves(stages: &Stages, parents: &Parents, direct: &[TensorId]) -> Vec<Move> {
    let mut moves = Vec::new();
    for (index, stage) in stages.stages.iter().enumerate() {
        if matches!(stage.operation, Operation::Concat) {
            let copied = (0..stage.sources.len()).filter(|&part| !is_placed(parents, stage.sources[part], stage.target));
            moves.extend(copied.map(|part| Move::Part { stage: index, part }));
        } else {
            moves.push(Move::Stage(index));
        }
    }
    let copied = stages.outputs.iter().enumerate().filter(|(_, output)| !direct.contains(output));
    moves.extend(copied.map(|(index, _)| Move::Output(index)));
    moves
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum AllocationOf {
    Tensor(TensorId),
    Output(usize),
}

/// Memory that something owns from one move to another, both included.
#[derive(Debug)]
struct Allocation {
    of: AllocationOf,
    bytes: u64,
    first: usize,
    last: usize,
}

impl Allocation {
    fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

fn allocations(stages: &Stages, parents: &Parents, moves: &[Move], direct: &[TensorId], sizes: Sizes) -> Vec<Allocation> {
    let mut allocations: Vec<Allocation> = Vec::new();
    let mut touch = |of: AllocationOf, bytes: u64, now: usize| match allocations.iter_mut().find(|a| a.of == of) {
        Some(allocation) => allocation.last = now,
        None => allocations.push(Allocation { of, bytes, first: now, last: now }),
    };
    let mut touch_tensor = |tensor: TensorId, now: usize| {
        let (root, _) = root(parents, tensor);
        let dense = root == TensorId(0) || direct.contains(&root);
        touch(AllocationOf::Tensor(root), sizes.bytes(stages.tensors[root.0], dense), now);
    };
    // The input is there before the first move, outputs stay after the last.
    let end = moves.len() + 1;
    touch_tensor(TensorId(0), 0);
    for (index, step) in moves.iter().enumerate() {
        let now = index + 1;
        match *step {
            Move::Stage(stage) => {
                let stage = &stages.stages[stage];
                stage.sources.iter().for_each(|&source| touch_tensor(source, now));
                touch_tensor(stage.target, now);
            }
            Move::Part { stage, part } => {
                touch_tensor(stages.stages[stage].sources[part], now);
                touch_tensor(stages.stages[stage].target, now);
            }
            Move::Output(index) => touch_tensor(stages.outputs[index], now),
        }
    }
    direct.iter().for_each(|&output| touch_tensor(output, end));
    for (index, step) in moves.iter().enumerate() {
        if let &Move::Output(output) = step {
            let bytes = sizes.bytes(stages.tensors[stages.outputs[output].0], true);
            allocations.push(Allocation { of: AllocationOf::Output(output), bytes, first: index + 1, last: end });
        }
    }
    allocations
}

/// The buffer of each allocation, and every buffer's bytes.
#[derive(Debug, Default)]
struct Assignment {
    byte_buffers: Vec<u64>,
    buffers: HashMap<AllocationOf, usize>,
}

impl Assignment {
    /// Gives every allocation a buffer: in the order of time or the largest first, whichever takes less memory.
    fn smallest(allocations: &[Allocation]) -> Self {
        let mut ordered: Vec<&Allocation> = allocations.iter().collect();
        ordered.sort_by_key(|a| a.first);
        let by_time = Self::in_order(&ordered);
        ordered.sort_by_key(|a| std::cmp::Reverse(a.bytes));
        let by_size = Self::in_order(&ordered);
        if by_size.bytes() < by_time.bytes() { by_size } else { by_time }
    }

    /// Each allocation goes to the buffer that is free while it lives and grows least by it, else to a new one.
    fn in_order(allocations: &[&Allocation]) -> Self {
        let mut assignment = Self::default();
        let mut residents: Vec<Vec<&Allocation>> = Vec::new();
        for allocation in allocations {
            let free = (0..residents.len()).filter(|&buffer| residents[buffer].iter().all(|other| !other.overlaps(allocation)));
            let cost = |&buffer: &usize| {
                let size = assignment.byte_buffers[buffer];
                (allocation.bytes.saturating_sub(size), size.saturating_sub(allocation.bytes))
            };
            let buffer = free.min_by_key(cost).unwrap_or(residents.len());
            if buffer == residents.len() {
                assignment.byte_buffers.push(0);
                residents.push(Vec::new());
            }
            let size = &mut assignment.byte_buffers[buffer];
            *size = allocation.bytes.max(*size);
            residents[buffer].push(allocation);
            assignment.buffers.insert(allocation.of, buffer);
        }
        assignment
    }

    fn bytes(&self) -> u64 {
        self.byte_buffers.iter().sum()
    }
}
