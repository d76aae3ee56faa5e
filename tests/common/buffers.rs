//! Buffers of a program's own: what a run reads, and what it leaves.

use densenet_wgpu::wgpu::util::DeviceExt as _;
use densenet_wgpu::{Engine, Input, wgpu};

/// A buffer with these values, from which a run takes its input.
pub(crate) fn filled(device: &wgpu::Device, values: &[f32]) -> wgpu::Buffer {
    let contents = bytemuck::cast_slice(values);
    device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents, usage: wgpu::BufferUsages::COPY_SRC })
}

/// A buffer for this many values.
pub(crate) fn sized(device: &wgpu::Device, values: usize, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    let size = (values * size_of::<f32>()) as u64;
    device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

/// A buffer for this many values, which commands write and [`read`] reads.
pub(crate) fn readable(device: &wgpu::Device, values: usize) -> wgpu::Buffer {
    sized(device, values, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ)
}

/// An encoder of a program's own commands.
pub(crate) fn encoder(device: &wgpu::Device) -> wgpu::CommandEncoder {
    device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}

/// What a buffer holds once everything that was submitted has run.
pub(crate) fn read(device: &wgpu::Device, buffer: &wgpu::Buffer) -> Vec<f32> {
    buffer.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    bytemuck::cast_slice(&buffer.get_mapped_range(..).unwrap()).to_vec()
}

/// The values that a run encoded into a program's own commands leaves.
pub(crate) fn encoded(engine: &Engine, input: Input<'_>, values: usize) -> Vec<f32> {
    let (device, queue) = (engine.gpu().device(), engine.gpu().queue());
    let (output, mut commands) = (readable(device, values), encoder(device));
    engine.encode(&mut commands, input, &output).unwrap();
    queue.submit([commands.finish()]);
    read(device, &output)
}
