//! Stages to steps: which kernel runs each, with which weights.

use super::pack::{Pack, PackedWeights};
use super::place::{Placement, StepOf};
use super::stage::{Norm, NormRelu, Operation, Stage, Stages};
use super::{Plan, Step};
use crate::error::{Error, Result};
use crate::kernels::{
    Convolution, Kernel, Region, Tile, WeightRows, blur_pool, copy, global_pool, linear, nonlinearity, norm_relu, pool, strip_pool,
};
use crate::shape::Shape;

impl Plan {
    pub(super) fn step(&mut self, stages: &Stages, placement: &Placement, step: &StepOf) -> Result<Step> {
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
            StepOf::Stage(index) => self.stage(&stages.stages[index], placement)?,
            StepOf::Part { stage, part } => {
                let source = placement.region(stages.stages[stage].sources[part]);
                copied(&stages.stages[stage].name, source, placement.part(stages, stage, part))
            }
            StepOf::Output(index) => copied("output", placement.region(stages.outputs[index]), placement.outputs[index]),
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
