//! Kernels bound to their parameters and buffers.

use super::dispatch::Dispatch;
use crate::gpu::{Gpu, Pipelines};
use crate::kernels::Kernel;

/// A kernel and the buffers it works on, not bound yet.
pub(super) struct Unbound<'a> {
    pub(super) name: &'a str,
    pub(super) kernel: Kernel,
    pub(super) source: Slot<'a>,
    pub(super) weights: Slot<'a>,
    pub(super) target: Slot<'a>,
    /// Of the plan; none before its first.
    pub(super) step: Option<usize>,
    pub(super) flops: u64,
}

/// The beginning of a buffer: as many bytes of it as the plan knows of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot<'a> {
    pub(super) buffer: &'a wgpu::Buffer,
    pub(super) bytes: u64,
}

impl<'a> Slot<'a> {
    fn entry(self, binding: u32) -> wgpu::BindGroupEntry<'a> {
        let buffer = wgpu::BufferBinding { buffer: self.buffer, offset: 0, size: wgpu::BufferSize::new(self.bytes) };
        wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::Buffer(buffer) }
    }
}

/// Binds kernels whose pipelines are built. Returns the buffer of all their parameters too.
pub(super) fn bind(gpu: &Gpu, pipelines: &Pipelines, kernels: &[Unbound]) -> (wgpu::Buffer, Vec<Dispatch>) {
    let device = gpu.device();
    let byte_slot = byte_slot(device, kernels);
    let params = params(gpu, kernels, byte_slot);
    let dispatch = |(index, unbound): (usize, &Unbound)| {
        let params = wgpu::BufferBinding {
            buffer: &params,
            offset: index as u64 * byte_slot,
            size: wgpu::BufferSize::new(unbound.kernel.params.len() as u64),
        };
        let entries = [
            wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(params) },
            unbound.source.entry(1),
            unbound.weights.entry(2),
            unbound.target.entry(3),
        ];
        let descriptor = wgpu::BindGroupDescriptor { label: Some(unbound.name), layout: pipelines.bindings(), entries: &entries };
        Dispatch {
            step: unbound.step,
            name: unbound.name.to_owned(),
            pipeline: pipelines.get(&unbound.kernel.variant),
            bindings: device.create_bind_group(&descriptor),
            workgroups: unbound.kernel.workgroups,
            flops: unbound.flops,
        }
    };
    let dispatches = kernels.iter().enumerate().map(dispatch).collect();
    (params, dispatches)
}

/// Bytes from one kernel's parameters to the next's.
fn byte_slot(device: &wgpu::Device, kernels: &[Unbound]) -> u64 {
    let largest = kernels.iter().map(|unbound| unbound.kernel.params.len()).max().unwrap_or(0) as u64;
    largest.next_multiple_of(device.limits().min_uniform_buffer_offset_alignment.into())
}

/// Every kernel's parameters, in one buffer.
fn params(gpu: &Gpu, kernels: &[Unbound], byte_slot: u64) -> wgpu::Buffer {
    let mut bytes = vec![0; kernels.len() * byte_slot as usize];
    for (slot, unbound) in bytes.chunks_exact_mut(byte_slot as usize).zip(kernels) {
        slot[..unbound.kernel.params.len()].copy_from_slice(&unbound.kernel.params);
    }
    gpu.filled_buffer("parameters", &bytes, wgpu::BufferUsages::UNIFORM)
}
