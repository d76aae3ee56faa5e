//! A batch on its way.

use std::collections::VecDeque;

use super::readback::{Readback, Wait};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::kernels::Precision;

/// Parts of a batch that are on their way at a time.
const PARTS: usize = 2;

/// A batch that the device works on, started by [`Engine::start`](crate::Engine::start).
///
/// Dropping it gives its result up; the device finishes what it was given.
#[derive(Debug)]
pub struct Run {
    gpu: Gpu,
    precision: Precision,
    output: Vec<f32>,
    on_their_way: VecDeque<Readback>,
}

impl Run {
    pub(super) fn new(gpu: &Gpu, precision: Precision) -> Self {
        Self { gpu: gpu.clone(), precision, output: Vec::new(), on_their_way: VecDeque::new() }
    }

    /// Waits for the result, `[N, classes]` or `[N, C, H, W]`. Errors where the device fails, and where numbers grew beyond
    /// what 16-bit floats reach.
    pub fn wait(self) -> Result<Vec<f32>> {
        pollster::block_on(self.finish(Readback::wait))
    }

    /// The result, once it has arrived; `wait` makes sure that it does.
    pub(super) async fn finish(mut self, wait: Wait) -> Result<Vec<f32>> {
        self.leave(0, wait).await?;
        if self.precision == Precision::F16 && !self.output.iter().all(|value| value.is_finite()) {
            return Err(Error::HalfOverflow);
        }
        Ok(self.output)
    }

    /// Receives parts until one more may be sent.
    pub(super) async fn make_room(&mut self, wait: Wait) -> Result<()> {
        self.leave(PARTS - 1, wait).await
    }

    pub(super) fn push(&mut self, part: Readback) {
        self.on_their_way.push_back(part);
    }

    /// Receives the parts that went first, until `count` are on their way.
    async fn leave(&mut self, count: usize, wait: Wait) -> Result<()> {
        while self.on_their_way.len() > count
            && let Some(first) = self.on_their_way.pop_front()
        {
            self.output.extend(first.data(&self.gpu, wait).await?);
        }
        Ok(())
    }
}
