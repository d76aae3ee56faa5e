//! A plan bound to a device: its buffers, parameters and bind groups.

use std::sync::Arc;
use std::time::Instant;

use tracing::debug_span;

use super::binding::{Slot, Unbound, bind};
use super::dispatch::{Dispatch, encode};
use super::input::{Content, Input, Numbers};
use super::part::{Part, Submitted};
use super::pool::Pool;
use super::purpose::{Owner, Purpose};
use super::readback::{Readback, Waiter};
use super::submissions::cut;
use super::timestamps::Timestamps;
use super::upload::Upload;
use super::weights::WeightBuffers;
use crate::error::Result;
use crate::gpu::{Gpu, Pipelines, Units};
use crate::kernels::{Region, Tuning, normalise};
use crate::plan::Plan;

#[derive(Debug)]
pub(super) struct BoundPlan {
    purpose: Purpose,
    plan: Plan,
    /// Whose buffers it works in, and whose turns its runs take.
    pool: Arc<Pool>,
    buffers: Vec<wgpu::Buffer>,
    /// Where pictures are uploaded to; values go to the plan's input.
    upload: Option<Upload>,
    params: wgpu::Buffer,
    dispatches: Vec<Dispatch>,
    /// What steps were cut by, in floating point operations of a dispatch.
    most_flops: u64,
}

impl BoundPlan {
    /// Bytes of each buffer that `plan` needs for that purpose.
    pub(super) fn byte_slots(plan: &Plan, purpose: Purpose) -> Vec<u64> {
        let uploads = purpose.pictures.then(|| Upload::byte_slots(plan.input()));
        plan.byte_buffers().chain(uploads.into_iter().flatten()).collect()
    }

    /// Binds `plan` to buffers of `pool`, which grows where it is too small.
    #[tracing::instrument(level = "debug", name = "bind", skip_all)]
    pub(super) async fn new(
        gpu: &Gpu,
        purpose: Purpose,
        plan: Plan,
        pool: Arc<Pool>,
        weights: &WeightBuffers,
        pipelines: &Pipelines,
    ) -> Result<Self> {
        let input = plan.input();
        let normalise = purpose.pictures.then(|| normalise::kernel(input));
        let kernels = normalise.iter().chain(plan.steps().iter().map(|step| &step.kernel));
        pipelines.build(gpu, kernels.map(|kernel| &kernel.variant)).await?;
        let byte_slots = Self::byte_slots(&plan, purpose);
        let mut buffers = pool.buffers(gpu, &byte_slots).await?;
        let mut uploads = buffers.split_off(plan.byte_buffers().count()).into_iter();
        // A step that would be a long submission by itself is cut too.
        let most_flops = gpu.flops_per_submission(Units::of(&plan));
        let upload = uploads.next().zip(uploads.next()).map(|(samples, tables)| Upload::new([samples, tables], input));
        gpu.caught(|| {
            let activations = |index: usize| Slot { buffer: &buffers[index], bytes: byte_slots[index] };
            let normalise = normalise.iter().zip(&upload).map(|(kernel, upload)| {
                let [samples, tables] = Upload::byte_slots(input);
                Unbound {
                    name: "normalise",
                    kernel: kernel.clone(),
                    source: Slot { buffer: &upload.samples, bytes: samples },
                    weights: Slot { buffer: &upload.tables, bytes: tables },
                    target: activations(input.buffer),
                    step: None,
                    flops: 0,
                }
            });
            let steps = plan.steps().iter().enumerate().flat_map(|(index, step)| {
                let source = activations(step.source.buffer);
                let packed = |pack: usize| {
                    let buffer = weights.buffer(plan.packs()[pack].buffer);
                    Slot { buffer, bytes: buffer.size() }
                };
                // A step without weights binds its source in their place: the layout is one for all.
                let weights = step.pack.map_or(source, packed);
                let target = activations(step.target.buffer);
                let kernels = step.kernel.split(step.flops.div_ceil(most_flops.max(1)));
                let all_groups: u64 = kernels.iter().map(|kernel| u64::from(kernel.pixel_groups())).sum();
                kernels.into_iter().map(move |kernel| {
                    let flops = (u128::from(step.flops) * u128::from(kernel.pixel_groups()) / u128::from(all_groups)) as u64;
                    Unbound { name: &step.name, kernel, source, weights, target, step: Some(index), flops }
                })
            });
            let kernels: Vec<Unbound> = normalise.chain(steps).collect();
            let (params, dispatches) = bind(gpu, pipelines, &kernels);
            Self { purpose, pool, buffers, upload, params, dispatches, most_flops, plan }
        })
        .await
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Whether its tiles are those that `tuning` chooses, as far as equal tunings tell.
    pub(super) fn is_of(&self, tuning: &Tuning) -> bool {
        self.plan.options().tuning == *tuning
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(super) fn images(&self) -> usize {
        self.plan.input().batch
    }

    /// Bytes of the buffers that are this plan's alone, which are all but the pool's.
    pub(super) fn bytes(&self) -> u64 {
        self.params.size()
    }

    /// Bytes that keeping it costs, about: its share of the device's memory, and the host's for each step.
    pub(super) fn byte_cost(&self) -> u64 {
        const STEP: u64 = 4096;
        let pool = if self.purpose.owner == Owner::Program { self.pool.bytes() } else { 0 };
        self.bytes() + pool + STEP * self.dispatches.len() as u64
    }

    /// Whether the pool still has the buffers that this is bound to: it has others once it grew, and none once it was cleared.
    pub(super) fn is_in_its_pool(&self) -> bool {
        let uploads = self.upload.iter().flat_map(|upload| [&upload.samples, &upload.tables]);
        self.pool.has(self.buffers.iter().chain(uploads))
    }

    /// The pool.
    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Bytes of each output.
    pub(super) fn byte_outputs(&self) -> impl Iterator<Item = u64> {
        self.plan.outputs().iter().map(Region::bytes)
    }

    /// Uploads `input`, which this plan is for, runs, and starts reading the outputs back. Where there is a clock, tells when
    /// the host was done with what.
    #[tracing::instrument(level = "debug", name = "run", skip_all, fields(images = self.images()))]
    pub(super) async fn submit(&self, gpu: &Gpu, input: Input<'_>, mut clock: Option<&mut Timestamps>) -> Result<Part> {
        let begun = now();
        let most_flops = clock.as_ref().map_or_else(|| self.most_flops(gpu), |clock| clock.most_flops());
        let elements = self.byte_outputs().map(|bytes| bytes as usize / size_of::<f32>()).collect();
        let submitted = gpu.caught(|| {
            let readback = Readback::buffer(gpu, self.byte_outputs().sum());
            let turn = self.pool.turn();
            debug_span!("upload").in_scope(|| self.write(gpu.queue(), input));
            let uploaded = clock.is_some().then(Instant::now);
            let (mut last, mut encoded) = (None, uploaded);
            let parts = cut(&self.dispatches, most_flops);
            for (index, dispatches) in parts.iter().enumerate() {
                let commands = debug_span!("encode").in_scope(|| {
                    let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("densenet") });
                    if index == 0 {
                        self.copy_numbers(&mut encoder, input);
                    }
                    encode(&mut encoder, *dispatches, clock.as_deref_mut());
                    if index + 1 == parts.len() {
                        self.copy_outputs(&mut encoder, &readback, consecutive(self.byte_outputs()));
                    }
                    encoder.finish()
                });
                encoded = clock.is_some().then(Instant::now);
                last = Some(debug_span!("submit").in_scope(|| gpu.queue().submit([commands])));
            }
            drop(turn);
            let moments = uploaded.zip(encoded).map(|(uploaded, encoded)| Submitted { uploaded, encoded, submitted: Instant::now() });
            (Readback::start(readback, last), moments)
        });
        let (readback, submitted) = submitted.await?;
        let flops = self.dispatches.iter().map(|dispatch| dispatch.flops).sum();
        Ok(Part { readback, elements, units: Units::of(&self.plan), flops, begun, submitted })
    }

    /// Puts what the host has of `input` where the first dispatch reads it, before what is submitted next.
    fn write(&self, queue: &wgpu::Queue, input: Input<'_>) {
        match input.content() {
            Content::Values(values) => queue.write_buffer(self.input(), 0, bytemuck::cast_slice(values)),
            Content::Pictures(pictures) => self.upload.iter().for_each(|upload| upload.write(queue, pictures)),
            Content::Buffer(_) => {}
        }
    }

    /// Encodes a copy of what the device has of `input` to where the first dispatch reads it.
    fn copy_numbers(&self, encoder: &mut wgpu::CommandEncoder, input: Input<'_>) {
        if let Content::Buffer(Numbers { buffer, byte_offset, .. }) = input.content() {
            encoder.copy_buffer_to_buffer(buffer, byte_offset, self.input(), 0, self.plan.input().bytes());
        }
    }

    /// The buffer that the plan's first step reads.
    fn input(&self) -> &wgpu::Buffer {
        &self.buffers[self.plan.input().buffer]
    }

    /// Uploads `input`, which this plan is for, and runs what comes before the plan's first step. Takes no turn: for plans
    /// whose pool is theirs alone.
    pub(super) async fn arrive(&self, gpu: &Gpu, input: Input<'_>) -> Result<()> {
        gpu.caught(|| {
            self.write(gpu.queue(), input);
            let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("densenet") });
            self.copy_numbers(&mut encoder, input);
            encode(&mut encoder, self.dispatches.iter().take_while(|dispatch| dispatch.step.is_none()), None);
            gpu.queue().submit([encoder.finish()]);
        })
        .await
    }

    /// Runs one of the plan's steps `count` times over whatever is in its buffers, and returns at once. Once is cut as a run is;
    /// more than once is for who has seen how long it takes, and is one submission. Takes no turn either.
    pub(super) async fn run_step(&self, gpu: &Gpu, step: usize, count: usize) -> Result<Option<wgpu::SubmissionIndex>> {
        let own: Vec<&Dispatch> = self.dispatches.iter().filter(|dispatch| dispatch.step == Some(step)).collect();
        let dispatches: Vec<&Dispatch> = std::iter::repeat_n(own, count).flatten().collect();
        self.run_dispatches(gpu, &dispatches, if count == 1 { self.most_flops(gpu) } else { u64::MAX }).await
    }

    /// Runs some of the plan's steps, which are in its order and cut as a run is, over whatever is in its buffers, and returns at
    /// once. Takes no turn either.
    pub(super) async fn run_steps(&self, gpu: &Gpu, steps: &[usize]) -> Result<Option<wgpu::SubmissionIndex>> {
        let is_among = |dispatch: &&Dispatch| dispatch.step.is_some_and(|step| steps.binary_search(&step).is_ok());
        let dispatches: Vec<&Dispatch> = self.dispatches.iter().filter(is_among).collect();
        self.run_dispatches(gpu, &dispatches, self.most_flops(gpu)).await
    }

    async fn run_dispatches(&self, gpu: &Gpu, dispatches: &[&Dispatch], most_flops: u64) -> Result<Option<wgpu::SubmissionIndex>> {
        gpu.caught(|| {
            let mut last = None;
            for dispatches in cut(dispatches, most_flops) {
                let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("densenet") });
                encode(&mut encoder, dispatches.iter().copied(), None);
                last = Some(gpu.queue().submit([encoder.finish()]));
            }
            last
        })
        .await
    }

    /// The steps of the dispatches, in their order; none for what comes before the plan's first.
    pub(super) fn steps(&self) -> impl Iterator<Item = Option<usize>> {
        self.dispatches.iter().map(|dispatch| dispatch.step)
    }

    /// Floating point operations that are submitted at once.
    pub(super) fn most_flops(&self, gpu: &Gpu) -> u64 {
        gpu.flops_per_submission(Units::of(&self.plan))
    }

    /// Whether its steps are cut into smaller parts than need be, by what is known of the device now.
    pub(super) fn is_cut_too_small(&self, gpu: &Gpu) -> bool {
        let is_cut = self.steps().flatten().count() > self.plan.steps().len();
        is_cut && self.most_flops(gpu) / 2 >= self.most_flops
    }

    /// How many submissions a run is.
    pub(super) fn submissions(&self, most_flops: u64) -> usize {
        cut(&self.dispatches, most_flops).len()
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
        readback.data(gpu, Waiter::Caller).await
    }

    /// Encodes a run of `input`, which this plan is for, that leaves its outputs in a buffer, each from a byte offset of its
    /// own on.
    pub(super) fn encode(&self, gpu: &Gpu, encoder: &mut wgpu::CommandEncoder, input: Input<'_>, outputs: (&wgpu::Buffer, &[u64])) {
        match input.content() {
            Content::Values(values) => {
                let staged = gpu.filled_buffer("input", bytemuck::cast_slice(values), wgpu::BufferUsages::COPY_SRC);
                encoder.copy_buffer_to_buffer(&staged, 0, self.input(), 0, staged.size());
            }
            Content::Pictures(pictures) => self.upload.iter().for_each(|upload| upload.encode(gpu, encoder, pictures)),
            Content::Buffer(_) => self.copy_numbers(encoder, input),
        }
        encode(encoder, &self.dispatches, None);
        self.copy_outputs(encoder, outputs.0, outputs.1.iter().copied());
    }

    /// Copies every output into `target`, to its byte offset there.
    fn copy_outputs(&self, encoder: &mut wgpu::CommandEncoder, target: &wgpu::Buffer, byte_offsets: impl IntoIterator<Item = u64>) {
        for (output, byte_offset) in self.plan.outputs().iter().zip(byte_offsets) {
            encoder.copy_buffer_to_buffer(&self.buffers[output.buffer], 0, target, byte_offset, output.bytes());
        }
    }
}

/// The host's clock. A browser has none that this can read.
fn now() -> Option<Instant> {
    cfg!(not(target_family = "wasm")).then(Instant::now)
}

/// Where things of that many bytes begin that lie one after the other.
pub(super) fn consecutive(bytes: impl Iterator<Item = u64>) -> impl Iterator<Item = u64> {
    bytes.scan(0, |end, bytes| {
        let begin = *end;
        *end += bytes;
        Some(begin)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::open_gpu;
    use crate::gpu::Pretence;
    use crate::{Engine, EngineOptions, models};

    fn engine(pretence: Pretence) -> Engine {
        // The kernels of GPUs, which alone are cut.
        let gpu = open_gpu().pretending(Pretence { device_type: Some(wgpu::DeviceType::DiscreteGpu), ..pretence });
        let model = models::bundled("digits").unwrap().unwrap();
        Engine::new(&gpu, &model.graph(64, 64).unwrap(), &model.weights, EngineOptions::default()).unwrap()
    }

    fn pictures(batch: usize) -> Vec<f32> {
        (0..batch * 3 * 64 * 64).map(|index| (index % 17) as f32 * 0.1 - 0.8).collect()
    }

    fn bound(engine: &Engine, batch: usize) -> Arc<BoundPlan> {
        let purpose = Purpose { owner: Owner::Engine, pictures: false, batch, size: [64, 64] };
        let mut parts = pollster::block_on(engine.parts(purpose)).unwrap();
        assert_eq!(parts.len(), 1);
        parts.remove(0)
    }

    /// Convolutions are cut into parts of their pixels, and compute the same bits.
    #[test]
    fn no_submission_exceeds_its_share() {
        let pictures = pictures(2);
        let input = Input::values(&pictures, [64, 64]);
        let expected = engine(Pretence::default()).run(input).unwrap();
        for share in [1, 100_000, 3_000_000] {
            let engine = engine(Pretence { flops_per_submission: Some(share), ..Pretence::default() });
            let bound = bound(&engine, 2);
            let submissions = cut(&bound.dispatches, share);
            assert!(submissions.len() > 5 && submissions.len() == bound.submissions(share), "{} submissions", submissions.len());
            for dispatches in submissions {
                let flops: u64 = dispatches.iter().map(|dispatch| dispatch.flops).sum();
                let is_convolution = dispatches[0].step.is_some_and(|step| bound.plan.steps()[step].tile.is_some());
                let is_smallest = dispatches.len() == 1 && (dispatches[0].workgroups[0] == 1 || !is_convolution);
                assert!(flops <= share || is_smallest, "{}: {flops} of {share}", dispatches[0].name);
            }
            let all: u64 = bound.dispatches.iter().map(|dispatch| dispatch.flops).sum();
            assert!(bound.plan.flops() - all < bound.dispatches.len() as u64, "{all} of {}", bound.plan.flops());
            assert_eq!(engine.run(input).unwrap(), expected);
        }
    }

    /// The first run tells how slow a device is, here a million times slower than this one.
    #[test]
    fn a_device_that_was_seen_to_be_slow_gets_less_at_once() {
        let engine = engine(Pretence { slowdown: Some(1e6), ..Pretence::default() });
        let bound = bound(&engine, 64);
        let submissions = || bound.submissions(bound.most_flops(engine.gpu()));
        let before = submissions();
        engine.run(Input::values(&pictures(1), [64, 64])).unwrap();
        assert!(submissions() > before, "{before} before, {} after", submissions());
    }
}
