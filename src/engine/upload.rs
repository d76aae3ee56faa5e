//! Where pictures arrive on the device.

use crate::gpu::Gpu;
use crate::kernels::{Region, normalise};
use crate::samples::Samples;

/// Bytes of one channel's table.
const BYTE_TABLE: usize = size_of::<[f32; 256]>();

/// The samples and tables of a batch of pictures, on the device.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) samples: wgpu::Buffer,
    pub(super) tables: wgpu::Buffer,
    byte_image: usize,
    byte_slots: [u64; 2],
}

impl Upload {
    /// Bytes of the samples and of the tables of as many pictures as `input` holds.
    pub(super) fn byte_slots(input: Region) -> [u64; 2] {
        [(input.batch * normalise::byte_image(input)) as u64, normalise::byte_tables(input)]
    }

    /// Room for as many pictures as `input` holds, in buffers of at least [`Upload::byte_slots`].
    pub(super) fn new([samples, tables]: [wgpu::Buffer; 2], input: Region) -> Self {
        Self { samples, tables, byte_image: normalise::byte_image(input), byte_slots: Self::byte_slots(input) }
    }

    /// Puts `pictures` there, before what is submitted next. Each goes straight into what the device copies from.
    pub(super) fn write(&self, queue: &wgpu::Queue, pictures: &[Samples]) {
        let [samples, tables] = self.byte_slots;
        write(queue, &self.samples, samples, self.byte_image, pictures.iter().map(|picture| picture.bytes));
        let numbers = pictures.iter().flat_map(|picture| picture.tables);
        write(queue, &self.tables, tables, BYTE_TABLE, numbers.map(|table| bytemuck::cast_slice(table)));
    }

    /// Encodes a copy of `pictures` there, from buffers of its own.
    pub(super) fn encode(&self, gpu: &Gpu, encoder: &mut wgpu::CommandEncoder, pictures: &[Samples]) {
        let [samples, tables] = self.byte_slots;
        let numbers = pictures.iter().flat_map(|picture| picture.tables);
        let contents = [
            padded(samples, self.byte_image, pictures.iter().map(|picture| picture.bytes)),
            padded(tables, BYTE_TABLE, numbers.map(|table| bytemuck::cast_slice(table))),
        ];
        for (target, contents) in [&self.samples, &self.tables].into_iter().zip(&contents) {
            let staged = gpu.filled_buffer("input", contents, wgpu::BufferUsages::COPY_SRC);
            encoder.copy_buffer_to_buffer(&staged, 0, target, 0, staged.size());
        }
    }
}

/// `parts` with each `byte_part` after the one before it, `bytes` in all.
fn padded<'a>(bytes: u64, byte_part: usize, parts: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut padded = vec![0; bytes as usize];
    padded.chunks_mut(byte_part).zip(parts).for_each(|(place, part)| place[..part.len()].copy_from_slice(part));
    padded
}

/// Fills the first `bytes` of `buffer` with `parts`, each `byte_part` after the one before it.
fn write<'a>(queue: &wgpu::Queue, buffer: &wgpu::Buffer, bytes: u64, byte_part: usize, parts: impl Iterator<Item = &'a [u8]>) {
    let Some(size) = wgpu::BufferSize::new(bytes) else { return };
    // Where the device refuses, it has told the error scope why.
    let Some(mut view) = queue.write_buffer_with(buffer, 0, size) else { return };
    for (index, part) in parts.enumerate() {
        let start = index * byte_part;
        view.slice(start..start + part.len()).copy_from_slice(part);
    }
}
