//! A plan bound to a device: its buffers, parameters and bind groups.

use std::sync::Mutex;
use std::time::Instant;

use tracing::debug_span;

use super::dispatch::{Dispatch, encode};
use super::input::Input;
use super::lock;
use super::pipelines::Pipelines;
use super::readback::Readback;
use super::run::Part;
use super::timestamps::Timestamps;
use super::upload::Upload;
use super::weights::WeightBuffers;
use crate::error::Result;
use crate::gpu::Gpu;
use crate::kernels::{Kernel, Region, normalise};
use crate::plan::Plan;

/// A kernel and the buffers it works on.
struct Work<'a> {
    name: &'a str,
    kernel: &'a Kernel,
    source: &'a wgpu::Buffer,
    weights: &'a wgpu::Buffer,
    target: &'a wgpu::Buffer,
    flops: u64,
}

/// Where a bound plan's input comes from.
///
/// Plans of different origins share no buffers: a program may submit what it encoded at any time, also between a run's
/// upload and its submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// [`Input::Values`], uploaded by a run.
    Values,
    /// [`Input::Pictures`], uploaded by a run and normalised on the device.
    Pictures,
    /// A buffer of a program's own, which also submits.
    Program,
}

impl From<Input<'_>> for Origin {
    fn from(input: Input<'_>) -> Self {
        match input {
            Input::Values(_) => Self::Values,
            Input::Pictures(_) => Self::Pictures,
        }
    }
}

/// When the host was done with what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Submitted {
    pub(super) uploaded: Instant,
    pub(super) encoded: Instant,
    pub(super) submitted: Instant,
}

#[derive(Debug)]
pub(super) struct BoundPlan {
    origin: Origin,
    plan: Plan,
    buffers: Vec<wgpu::Buffer>,
    /// Where pictures are uploaded to; values go to the plan's input.
    upload: Option<Upload>,
    params: wgpu::Buffer,
    dispatches: Vec<Dispatch>,
    /// Held while a run writes its input and submits its commands.
    turn: Mutex<()>,
}

impl BoundPlan {
    #[tracing::instrument(level = "debug", name = "bind", skip_all)]
    pub(super) async fn new(gpu: &Gpu, origin: Origin, plan: Plan, weights: &WeightBuffers, pipelines: &Pipelines) -> Result<Self> {
        let input = plan.input();
        let normalise = (origin == Origin::Pictures).then(|| normalise::kernel(input));
        let kernels = normalise.iter().chain(plan.steps().iter().map(|step| &step.kernel));
        pipelines.build(gpu, kernels.map(|kernel| &kernel.variant)).await?;
        gpu.caught(|| {
            let device = gpu.device();
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
            let buffer =
                |size| device.create_buffer(&wgpu::BufferDescriptor { label: Some("activations"), size, usage, mapped_at_creation: false });
            let buffers: Vec<wgpu::Buffer> = plan.byte_buffers().map(buffer).collect();
            let upload = normalise.is_some().then(|| Upload::new(device, input));
            let normalise = normalise.iter().zip(&upload).map(|(kernel, upload)| Work {
                name: "normalise",
                kernel,
                source: &upload.samples,
                weights: &upload.tables,
                target: &buffers[input.buffer],
                flops: 0,
            });
            let steps = plan.steps().iter().map(|step| {
                let source = &buffers[step.source.buffer];
                Work {
                    name: &step.name,
                    kernel: &step.kernel,
                    source,
                    // A step without weights binds its source in their place: the layout is one for all.
                    weights: step.pack.map_or(source, |pack| weights.buffer(plan.packs()[pack].buffer)),
                    target: &buffers[step.target.buffer],
                    flops: step.flops,
                }
            });
            let works: Vec<Work> = normalise.chain(steps).collect();
            let byte_slot = byte_slot(device, &works);
            let params = params(device, &works, byte_slot);
            let bind = |(index, work): (usize, &Work)| {
                let params = wgpu::BufferBinding {
                    buffer: &params,
                    offset: index as u64 * byte_slot,
                    size: wgpu::BufferSize::new(work.kernel.params.len() as u64),
                };
                let entries = [
                    wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(params) },
                    wgpu::BindGroupEntry { binding: 1, resource: work.source.as_entire_binding() },
                    wgpu::BindGroupEntry { binding: 2, resource: work.weights.as_entire_binding() },
                    wgpu::BindGroupEntry { binding: 3, resource: work.target.as_entire_binding() },
                ];
                let descriptor = wgpu::BindGroupDescriptor { label: Some(work.name), layout: pipelines.bindings(), entries: &entries };
                Dispatch {
                    name: work.name.to_owned(),
                    pipeline: pipelines.get(&work.kernel.variant),
                    bindings: device.create_bind_group(&descriptor),
                    workgroups: work.kernel.workgroups,
                    flops: work.flops,
                }
            };
            let dispatches = works.iter().enumerate().map(bind).collect();
            Self { origin, buffers, upload, params, dispatches, turn: Mutex::new(()), plan }
        })
        .await
    }

    pub(super) fn is_for(&self, origin: Origin, batch: usize, height: usize, width: usize) -> bool {
        let input = self.plan.input();
        (self.origin, input.batch, input.shape.height, input.shape.width) == (origin, batch, height, width)
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn images(&self) -> usize {
        self.plan.input().batch
    }

    pub(super) fn bytes(&self) -> u64 {
        let buffers = self.buffers.iter().chain([&self.params]).map(wgpu::Buffer::size);
        buffers.chain(self.upload.iter().map(Upload::bytes)).sum()
    }

    pub(super) fn byte_input(&self) -> u64 {
        self.plan.input().bytes()
    }

    /// Bytes of each output.
    pub(super) fn byte_outputs(&self) -> impl Iterator<Item = u64> {
        self.plan.outputs().iter().map(Region::bytes)
    }

    /// Uploads `images`, which are of this plan's origin, runs, and starts reading the outputs back.
    #[tracing::instrument(level = "debug", name = "run", skip_all, fields(images = self.images()))]
    pub(super) async fn submit(&self, gpu: &Gpu, images: Input<'_>, mut clock: Option<&mut Timestamps>) -> Result<(Part, Submitted)> {
        let elements = self.byte_outputs().map(|bytes| bytes as usize / size_of::<f32>()).collect();
        let submitted = gpu.caught(|| {
            let readback = Readback::buffer(gpu, self.byte_outputs().sum());
            let turn = lock(&self.turn);
            debug_span!("upload").in_scope(|| self.write(gpu.queue(), images));
            let uploaded = Instant::now();
            let (mut last, mut encoded) = (None, uploaded);
            let parts = self.submissions(gpu.flops_per_submission());
            for (index, dispatches) in parts.iter().enumerate() {
                let commands = debug_span!("encode").in_scope(|| {
                    let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("densenet") });
                    encode(&mut encoder, *dispatches, clock.as_deref_mut());
                    if index + 1 == parts.len() {
                        self.copy_outputs(&mut encoder, &readback, consecutive(self.byte_outputs()));
                    }
                    encoder.finish()
                });
                encoded = Instant::now();
                last = Some(debug_span!("submit").in_scope(|| gpu.queue().submit([commands])));
            }
            drop(turn);
            (Readback::start(readback, last), Submitted { uploaded, encoded, submitted: Instant::now() })
        });
        let (readback, submitted) = submitted.await?;
        Ok((Part { readback, elements }, submitted))
    }

    /// Puts `images`, which are of this plan's origin, where the first dispatch reads them, before what is submitted next.
    fn write(&self, queue: &wgpu::Queue, images: Input<'_>) {
        match images {
            Input::Values(values) => queue.write_buffer(&self.buffers[self.plan.input().buffer], 0, bytemuck::cast_slice(values)),
            Input::Pictures(pictures) => self.upload.iter().for_each(|upload| upload.write(queue, pictures)),
        }
    }

    /// Uploads `images`, which are of this plan's origin, and runs what comes before the plan's first step.
    pub(super) async fn arrive(&self, gpu: &Gpu, images: Input<'_>) -> Result<()> {
        gpu.caught(|| self.write(gpu.queue(), images)).await?;
        self.run(gpu, &self.dispatches[..self.before()]).await.map(drop)
    }

    /// Runs one of the plan's steps `count` times over whatever is in its buffers, and returns at once.
    pub(super) async fn run_step(&self, gpu: &Gpu, step: usize, count: usize) -> Result<wgpu::SubmissionIndex> {
        self.run(gpu, std::iter::repeat_n(&self.dispatches[self.before() + step], count)).await
    }

    /// Dispatches before the plan's first step.
    fn before(&self) -> usize {
        self.dispatches.len() - self.plan.steps().len()
    }

    async fn run<'a>(&self, gpu: &Gpu, dispatches: impl IntoIterator<Item = &'a Dispatch>) -> Result<wgpu::SubmissionIndex> {
        gpu.caught(|| {
            let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("densenet") });
            encode(&mut encoder, dispatches, None);
            gpu.queue().submit([encoder.finish()])
        })
        .await
    }

    /// The memory of a region as it is now, from its first element on.
    pub(super) async fn read(&self, gpu: &Gpu, region: Region) -> Result<Vec<f32>> {
        let Region { element_offset, element_plane, element_image, shape, batch, precision, .. } = region;
        let elements = (batch - 1) * element_image + (shape.channels - 1) * element_plane + shape.pixels();
        let bytes = ((elements * precision.bytes()) as u64).next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT);
        let readback = gpu
            .caught(|| {
                let readback = Readback::buffer(gpu, bytes);
                let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("densenet") });
                let byte_offset = (element_offset * precision.bytes()) as u64;
                encoder.copy_buffer_to_buffer(&self.buffers[region.buffer], byte_offset, &readback, 0, bytes);
                let submission = gpu.queue().submit([encoder.finish()]);
                Readback::start(readback, Some(submission))
            })
            .await?;
        readback.data(gpu, Readback::wait).await
    }

    /// Encodes a run that takes its input from one buffer, from a byte offset on, and leaves its outputs in another, each
    /// from a byte offset of its own on.
    pub(super) fn encode_between(&self, encoder: &mut wgpu::CommandEncoder, input: (&wgpu::Buffer, u64), outputs: (&wgpu::Buffer, &[u64])) {
        encoder.copy_buffer_to_buffer(input.0, input.1, &self.buffers[self.plan.input().buffer], 0, self.byte_input());
        encode(encoder, &self.dispatches, None);
        self.copy_outputs(encoder, outputs.0, outputs.1.iter().copied());
    }

    /// Copies every output into `target`, to its byte offset there.
    fn copy_outputs(&self, encoder: &mut wgpu::CommandEncoder, target: &wgpu::Buffer, byte_offsets: impl IntoIterator<Item = u64>) {
        for (output, byte_offset) in self.plan.outputs().iter().zip(byte_offsets) {
            encoder.copy_buffer_to_buffer(&self.buffers[output.buffer], 0, target, byte_offset, output.bytes());
        }
    }

    /// The dispatches, cut where a submission would exceed `flops`.
    pub(super) fn submissions(&self, flops: u64) -> Vec<&[Dispatch]> {
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

/// Where things of that many bytes begin that lie one after the other.
pub(super) fn consecutive(bytes: impl Iterator<Item = u64>) -> impl Iterator<Item = u64> {
    bytes.scan(0, |end, bytes| {
        let begin = *end;
        *end += bytes;
        Some(begin)
    })
}

/// Bytes from one kernel's parameters to the next's.
fn byte_slot(device: &wgpu::Device, works: &[Work]) -> u64 {
    let largest = works.iter().map(|work| work.kernel.params.len()).max().unwrap_or(0) as u64;
    largest.next_multiple_of(device.limits().min_uniform_buffer_offset_alignment.into())
}

/// Every kernel's parameters, in one buffer.
fn params(device: &wgpu::Device, works: &[Work], byte_slot: u64) -> wgpu::Buffer {
    let mut bytes = vec![0; works.len() * byte_slot as usize];
    for (slot, work) in bytes.chunks_exact_mut(byte_slot as usize).zip(works) {
        slot[..work.kernel.params.len()].copy_from_slice(&work.kernel.params);
    }
    let descriptor = wgpu::util::BufferInitDescriptor { label: Some("parameters"), contents: &bytes, usage: wgpu::BufferUsages::UNIFORM };
    wgpu::util::DeviceExt::create_buffer_init(device, &descriptor)
}
