//! A kernel by itself, outside of any plan: what the check of a tile and the measurement of a peak run.

use std::iter::repeat_n;
use std::ops::Range;

use super::binding::{Slot, Unbound, bind};
use super::dispatch::encode;
use super::readback::Readback;
use crate::gpu::{Gpu, Pipelines};
use crate::kernels::Kernel;

/// A kernel and the buffers it works on, all of each.
pub(crate) struct KernelRun<'a> {
    pub(crate) name: &'a str,
    pub(crate) kernel: &'a Kernel,
    pub(crate) source: &'a wgpu::Buffer,
    pub(crate) weights: &'a wgpu::Buffer,
    pub(crate) target: &'a wgpu::Buffer,
    /// How often it is dispatched.
    pub(crate) dispatches: usize,
    /// The part of the target that is read back, in bytes.
    pub(crate) byte_result: Range<u64>,
}

impl KernelRun<'_> {
    /// Encodes the run of a kernel whose pipeline is built.
    pub(crate) fn encode(self, gpu: &Gpu, pipelines: &Pipelines) -> EncodedRun {
        let slot = |buffer| Slot { buffer, bytes: wgpu::Buffer::size(buffer) };
        let unbound = Unbound {
            name: self.name,
            kernel: self.kernel.clone(),
            source: slot(self.source),
            weights: slot(self.weights),
            target: slot(self.target),
            step: None,
            flops: 0,
        };
        let (_, bound) = bind(gpu, pipelines, &[unbound]);
        let mut encoder = gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(self.name) });
        encode(&mut encoder, bound.iter().flat_map(|dispatch| repeat_n(dispatch, self.dispatches)), None);
        let Range { start, end } = self.byte_result;
        let readback = Readback::buffer(gpu, end - start);
        encoder.copy_buffer_to_buffer(self.target, start, &readback, 0, end - start);
        EncodedRun { commands: encoder.finish(), readback }
    }
}

/// The commands of a run, and the buffer that they copy its result to.
pub(crate) struct EncodedRun {
    commands: wgpu::CommandBuffer,
    readback: wgpu::Buffer,
}

impl EncodedRun {
    /// Starts the run and returns without waiting.
    pub(crate) fn submit(self, gpu: &Gpu) -> Readback {
        let submission = gpu.queue().submit([self.commands]);
        Readback::start(self.readback, Some(submission))
    }
}
