//! Generated pictures of 8-bit samples, each with tables of its own.

use densenet_wgpu::network::Shape;
use densenet_wgpu::preprocessing::Samples;

use crate::common::seeded_input;

pub(crate) struct Pictures {
    shape: Shape,
    pub(crate) bytes: Vec<u8>,
    pub(crate) tables: Vec<[f32; 256]>,
}

impl Pictures {
    /// `batch` pictures of noise; what the samples stand for is in -2..2.
    pub(crate) fn new(seed: u64, batch: usize, shape: Shape) -> Self {
        let tables = seeded_input(seed, batch * shape.channels * 256).as_chunks().0.to_vec();
        Self { shape, bytes: noise(seed, batch * shape.elements()), tables }
    }

    pub(crate) fn samples(&self) -> Vec<Samples<'_>> {
        let pictures = self.bytes.chunks_exact(self.shape.elements());
        pictures.zip(self.tables.chunks_exact(self.shape.channels)).map(|(bytes, tables)| Samples { bytes, tables }).collect()
    }

    pub(crate) fn values(&self) -> Vec<f32> {
        self.samples().iter().flat_map(Samples::values).collect()
    }
}

/// `len` generated samples.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    seeded_input(seed, len).into_iter().map(|x| (64.0 * (x + 2.0)) as u8).collect()
}
