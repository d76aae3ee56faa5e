//! The packed weights on the device, shared by every batch and picture size.

use half::f16;
use rayon::prelude::*;
use tracing::debug_span;

use crate::cores::on_every_core;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::kernels::Precision;
use crate::plan::{Pack, Plan};
use crate::weights::Weights;

#[derive(Debug)]
pub(super) struct WeightBuffers {
    buffers: Vec<wgpu::Buffer>,
}

impl WeightBuffers {
    #[tracing::instrument(level = "debug", name = "weights", skip_all)]
    pub(super) async fn upload(gpu: &Gpu, plan: &Plan, weights: &Weights) -> Result<Self> {
        let limit = gpu.byte_buffer_limit();
        if let Some(needed) = plan.byte_weight_buffers().find(|&bytes| bytes > limit) {
            return Err(Error::TooLarge { what: "the largest layer's weights".into(), needed, limit, adapter: gpu.called() });
        }
        let precision = plan.options().tuning.precision();
        let fold = || plan.packs().par_iter().map(|packed| stored(&packed.pack, weights, precision)).collect::<Result<Vec<_>>>();
        let packed = debug_span!("fold").in_scope(|| on_every_core(fold))?;
        gpu.caught(|| {
            let _span = debug_span!("upload").entered();
            let buffer = |(index, size): (usize, u64)| {
                let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
                let buffer =
                    gpu.device().create_buffer(&wgpu::BufferDescriptor { label: Some("weights"), size, usage, mapped_at_creation: false });
                for (data, at) in packed.iter().zip(plan.packs()).filter(|(_, at)| at.buffer == index) {
                    gpu.queue().write_buffer(&buffer, (at.element_offset * precision.bytes()) as u64, data);
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

/// The packed weights as the device stores them.
fn stored(pack: &Pack, weights: &Weights, precision: Precision) -> Result<Vec<u8>> {
    let packed = pack.fill(weights)?;
    Ok(match precision {
        Precision::F32 => bytemuck::cast_slice(&packed).to_vec(),
        Precision::F16 => {
            let half: Vec<f16> = packed.iter().copied().map(f16::from_f32).collect();
            if let Some(index) = half.iter().position(|value| !value.is_finite()) {
                return Err(Error::HalfRange { layer: pack.layer().to_owned(), value: packed[index] });
            }
            bytemuck::cast_slice(&half).to_vec()
        }
    })
}
