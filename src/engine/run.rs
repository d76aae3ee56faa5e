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
///
/// ```
/// use densenet_wgpu::engine::Input;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
///
/// let mut graph = model.graph(64, 64)?;
/// graph.set_outputs(&[graph.output(), graph.find("global_pool")?])?;
/// let engine = Engine::new(&Gpu::open(None)?, &graph, &model.weights, EngineOptions::default())?;
///
/// let run = engine.start(Input::Values(&[0.5; 3 * 64 * 64]), 64, 64)?;
/// // … what else there is to do while the device works …
/// let outputs = run.wait_all()?;
/// assert_eq!((outputs[0].len(), outputs[1].len()), (10, 50)); // logits and features
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug)]
pub struct Run {
    gpu: Gpu,
    precision: Precision,
    /// What has arrived of each output.
    outputs: Vec<Vec<f32>>,
    on_their_way: VecDeque<Part>,
}

/// Some of a batch's images on their way.
#[derive(Debug)]
pub(super) struct Part {
    /// All outputs, one after the other.
    pub(super) readback: Readback,
    /// Elements of each output.
    pub(super) elements: Vec<usize>,
}

impl Run {
    /// A run of a network with that many outputs.
    pub(super) fn new(gpu: &Gpu, precision: Precision, outputs: usize) -> Self {
        Self { gpu: gpu.clone(), precision, outputs: vec![Vec::new(); outputs], on_their_way: VecDeque::new() }
    }

    /// Waits for the result, `[N, classes]` or `[N, C, H, W]`; the first where the network has several outputs. Errors
    /// where the device fails, and where numbers of any output grew beyond what 16-bit floats reach.
    pub fn wait(self) -> Result<Vec<f32>> {
        pollster::block_on(self.finish_first(Readback::wait))
    }

    /// [`Run::wait`] for all outputs ([`Graph::outputs`](crate::Graph::outputs)): one `[N, classes]` or `[N, C, H, W]` for
    /// each, in their order.
    pub fn wait_all(self) -> Result<Vec<Vec<f32>>> {
        pollster::block_on(self.finish(Readback::wait))
    }

    /// The first output, once it has arrived; `wait` makes sure that it does.
    pub(super) async fn finish_first(self, wait: Wait) -> Result<Vec<f32>> {
        Ok(self.finish(wait).await?.swap_remove(0))
    }

    async fn finish(mut self, wait: Wait) -> Result<Vec<Vec<f32>>> {
        self.leave(0, wait).await?;
        if self.precision == Precision::F16 && !self.outputs.iter().flatten().all(|value| value.is_finite()) {
            return Err(Error::HalfOverflow);
        }
        Ok(self.outputs)
    }

    /// Receives parts until one more may be sent.
    pub(super) async fn make_room(&mut self, wait: Wait) -> Result<()> {
        self.leave(PARTS - 1, wait).await
    }

    pub(super) fn push(&mut self, part: Part) {
        self.on_their_way.push_back(part);
    }

    /// Receives the parts that went first, until `count` are on their way.
    async fn leave(&mut self, count: usize, wait: Wait) -> Result<()> {
        while self.on_their_way.len() > count
            && let Some(Part { readback, elements }) = self.on_their_way.pop_front()
        {
            let values = readback.data(&self.gpu, wait).await?;
            let mut rest = values.as_slice();
            for (output, elements) in self.outputs.iter_mut().zip(elements) {
                let (values, after) = rest.split_at(elements);
                output.extend_from_slice(values);
                rest = after;
            }
        }
        Ok(())
    }
}
