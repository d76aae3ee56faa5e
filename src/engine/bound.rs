//! A plan bound to a device: its buffers, parameters and bind groups, and the loop that encodes it.

use std::sync::{Arc, Mutex};

use super::lock;
use super::pipelines::Pipelines;
use super::readback::Readback;
use super::weights::WeightBuffers;
use crate::error::Result;
use crate::gpu::Gpu;
use crate::plan::{Plan, Step};

/// One step, ready to encode.
#[derive(Debug)]
struct Dispatch {
    pipeline: Arc<wgpu::ComputePipeline>,
    bindings: wgpu::BindGroup,
    workgroups: [u32; 3],
    flops: u64,
}

/// Who submits a bound plan's commands.
///
/// The two share no buffers: a program may submit what it encoded at any time, also between a run's upload and its
/// submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Submitter {
    Engine,
    Program,
}

#[derive(Debug)]
pub(super) struct BoundPlan {
    submitter: Submitter,
    plan: Plan,
    buffers: Vec<wgpu::Buffer>,
    params: wgpu::Buffer,
    dispatches: Vec<Dispatch>,
    /// Held while a run writes its input and submits its commands.
    turn: Mutex<()>,
}

impl BoundPlan {
    pub(super) async fn new(gpu: &Gpu, submitter: Submitter, plan: Plan, weights: &WeightBuffers, pipelines: &Pipelines) -> Result<Self> {
        gpu.caught(|| {
            let device = gpu.device();
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
            let buffer =
                |size| device.create_buffer(&wgpu::BufferDescriptor { label: Some("activations"), size, usage, mapped_at_creation: false });
            let buffers: Vec<wgpu::Buffer> = plan.byte_buffers().map(buffer).collect();
            let byte_slot = byte_slot(device, plan.steps());
            let params = params(device, plan.steps(), byte_slot);
            let bind = |(index, step): (usize, &Step)| {
                let source = &buffers[step.source.buffer];
                // A step without weights binds its source in their place: the layout is one for all.
                let weights = step.pack.map_or(source, |pack| weights.buffer(plan.packs()[pack].buffer));
                let params = wgpu::BufferBinding {
                    buffer: &params,
                    offset: index as u64 * byte_slot,
                    size: wgpu::BufferSize::new(step.kernel.params.len() as u64),
                };
                let entries = [
                    wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(params) },
                    wgpu::BindGroupEntry { binding: 1, resource: source.as_entire_binding() },
                    wgpu::BindGroupEntry { binding: 2, resource: weights.as_entire_binding() },
                    wgpu::BindGroupEntry { binding: 3, resource: buffers[step.target.buffer].as_entire_binding() },
                ];
                let descriptor = wgpu::BindGroupDescriptor { label: Some(&step.name), layout: pipelines.bindings(), entries: &entries };
                Dispatch {
                    pipeline: pipelines.get(&step.kernel.variant),
                    bindings: device.create_bind_group(&descriptor),
                    workgroups: step.kernel.workgroups,
                    flops: step.flops,
                }
            };
            let dispatches = plan.steps().iter().enumerate().map(bind).collect();
            Self { submitter, buffers, params, dispatches, turn: Mutex::new(()), plan }
        })
        .await
    }

    pub(super) fn is_for(&self, submitter: Submitter, batch: usize, height: usize, width: usize) -> bool {
        let input = self.plan.input();
        (self.submitter, input.batch, input.shape.height, input.shape.width) == (submitter, batch, height, width)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.buffers.iter().chain([&self.params]).map(wgpu::Buffer::size).sum()
    }

    pub(super) fn byte_input(&self) -> u64 {
        self.plan.input().bytes()
    }

    pub(super) fn byte_output(&self) -> u64 {
        self.plan.output().bytes()
    }

    /// Uploads `images`, runs, and starts reading the result back.
    pub(super) async fn submit(&self, gpu: &Gpu, images: &[f32]) -> Result<Readback> {
        let byte_output = self.byte_output();
        gpu.caught(|| {
            let readback = Readback::buffer(gpu, byte_output);
            let turn = lock(&self.turn);
            gpu.queue().write_buffer(&self.buffers[self.plan.input().buffer], 0, bytemuck::cast_slice(images));
            let parts = self.submissions(gpu.flops_per_submission());
            let mut last = None;
            for (index, dispatches) in parts.iter().enumerate() {
                let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("densenet") });
                encode(&mut encoder, dispatches);
                if index + 1 == parts.len() {
                    encoder.copy_buffer_to_buffer(&self.buffers[self.plan.output().buffer], 0, &readback, 0, byte_output);
                }
                last = Some(gpu.queue().submit([encoder.finish()]));
            }
            drop(turn);
            Readback::start(readback, last)
        })
        .await
    }

    /// Encodes a run that takes its input from one buffer and leaves its output in another, each from a byte offset on.
    pub(super) fn encode_between(&self, encoder: &mut wgpu::CommandEncoder, input: (&wgpu::Buffer, u64), output: (&wgpu::Buffer, u64)) {
        encoder.copy_buffer_to_buffer(input.0, input.1, &self.buffers[self.plan.input().buffer], 0, self.byte_input());
        encode(encoder, &self.dispatches);
        encoder.copy_buffer_to_buffer(&self.buffers[self.plan.output().buffer], 0, output.0, output.1, self.byte_output());
    }

    /// The dispatches, cut where a submission would exceed `flops`.
    fn submissions(&self, flops: u64) -> Vec<&[Dispatch]> {
        let mut submissions = Vec::new();
        let (mut first, mut sum) = (0, 0_u64);
        for (index, dispatch) in self.dispatches.iter().enumerate() {
            if index > first && sum + dispatch.flops > flops {
                submissions.push(&self.dispatches[first..index]);
                (first, sum) = (index, 0);
            }
            sum += dispatch.flops;
        }
        submissions.push(&self.dispatches[first..]);
        submissions
    }
}

/// The one loop that runs a network: one pass, everything bound once.
fn encode(encoder: &mut wgpu::CommandEncoder, dispatches: &[Dispatch]) {
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("densenet"), timestamp_writes: None });
    for dispatch in dispatches {
        let [x, y, z] = dispatch.workgroups;
        pass.set_pipeline(&dispatch.pipeline);
        pass.set_bind_group(0, &dispatch.bindings, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

/// Bytes from one step's parameters to the next's.
fn byte_slot(device: &wgpu::Device, steps: &[Step]) -> u64 {
    let largest = steps.iter().map(|step| step.kernel.params.len()).max().unwrap_or(0) as u64;
    largest.next_multiple_of(device.limits().min_uniform_buffer_offset_alignment.into())
}

/// Every step's parameters, in one buffer.
fn params(device: &wgpu::Device, steps: &[Step], byte_slot: u64) -> wgpu::Buffer {
    let mut bytes = vec![0; steps.len() * byte_slot as usize];
    for (slot, step) in bytes.chunks_exact_mut(byte_slot as usize).zip(steps) {
        slot[..step.kernel.params.len()].copy_from_slice(&step.kernel.params);
    }
    let descriptor = wgpu::util::BufferInitDescriptor { label: Some("parameters"), contents: &bytes, usage: wgpu::BufferUsages::UNIFORM };
    wgpu::util::DeviceExt::create_buffer_init(device, &descriptor)
}
