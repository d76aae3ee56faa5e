//! The packed weights on the device, shared by every batch and picture size.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::plan::Plan;
use crate::weights::Weights;

#[derive(Debug)]
pub(super) struct WeightBuffers {
    buffers: Vec<wgpu::Buffer>,
}

impl WeightBuffers {
    pub(super) async fn upload(gpu: &Gpu, plan: &Plan, weights: &Weights) -> Result<Self> {
        let limit = gpu.byte_buffer_limit();
        if let Some(needed) = plan.byte_weight_buffers().find(|&bytes| bytes > limit) {
            return Err(Error::TooLarge { what: "the largest layer's weights".into(), needed, limit, adapter: gpu.summary().name.clone() });
        }
        let packed = plan.packs().par_iter().map(|packed| packed.pack.fill(weights)).collect::<Result<Vec<_>>>()?;
        gpu.caught(|| {
            let buffer = |(index, size): (usize, u64)| {
                let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
                let buffer =
                    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: Some("weights"), size, usage, mapped_at_creation: false });
                for (data, at) in packed.iter().zip(plan.packs()).filter(|(_, at)| at.buffer == index) {
                    gpu.queue().write_buffer(&buffer, (at.element_offset * size_of::<f32>()) as u64, bytemuck::cast_slice(data));
                }
                buffer
            };
            Self { buffers: plan.byte_weight_buffers().enumerate().map(buffer).collect() }
        })
        .await
    }

    pub(super) fn buffer(&self, index: usize) -> &wgpu::Buffer {
        &self.buffers[index]
    }

    pub(super) fn bytes(&self) -> u64 {
        self.buffers.iter().map(wgpu::Buffer::size).sum()
    }
}
