//! Where pictures arrive on the device.

use crate::kernels::{Region, normalise};
use crate::samples::Samples;

/// The samples and tables of a batch of pictures, on the device.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) samples: wgpu::Buffer,
    pub(super) tables: wgpu::Buffer,
    byte_image: usize,
}

impl Upload {
    /// Room for as many pictures as `input` holds.
    pub(super) fn new(device: &wgpu::Device, input: Region) -> Self {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let buffer =
            |label, size| device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false });
        let byte_image = normalise::byte_image(input);
        let samples = buffer("samples", (input.batch * byte_image) as u64);
        Self { samples, tables: buffer("tables", normalise::byte_tables(input)), byte_image }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.samples.size() + self.tables.size()
    }

    /// Puts `pictures` there, before what is submitted next. Each goes straight into what the device copies from.
    pub(super) fn write(&self, queue: &wgpu::Queue, pictures: &[Samples]) {
        write(queue, &self.samples, self.byte_image, pictures.iter().map(|picture| picture.bytes));
        let tables = pictures.iter().flat_map(|picture| picture.tables);
        write(queue, &self.tables, size_of::<[f32; 256]>(), tables.map(|table| bytemuck::cast_slice(table)));
    }
}

/// Fills `buffer` with `parts`, each `byte_part` after the one before it.
fn write<'a>(queue: &wgpu::Queue, buffer: &wgpu::Buffer, byte_part: usize, parts: impl Iterator<Item = &'a [u8]>) {
    let Some(size) = wgpu::BufferSize::new(buffer.size()) else { return };
    // Where the device refuses, it has told the error scope why.
    let Some(mut view) = queue.write_buffer_with(buffer, 0, size) else { return };
    for (index, part) in parts.enumerate() {
        let start = index * byte_part;
        view.slice(start..start + part.len()).copy_from_slice(part);
    }
}
