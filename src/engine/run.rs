//! A batch on its way.

use std::collections::VecDeque;

use super::part::Part;
use super::readback::Waiter;
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
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
///
/// let mut graph = model.graph(64, 64)?;
/// graph.set_outputs(&[graph.output(), graph.find("global_pool")?])?;
/// let engine = Engine::new(&Gpu::open(None)?, &graph, &model.weights, EngineOptions::default())?;
///
/// let run = engine.start(Input::values(&[0.5; 3 * 64 * 64], [64, 64]))?;
/// // … what else there is to do while the device works …
/// let outputs = run.wait_all()?;
/// assert_eq!((outputs[0].len(), outputs[1].len()), (10, 50)); // logits and features
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "its results are lost where nobody waits for them"]
pub struct Run {
    gpu: Gpu,
    precision: Precision,
    /// What has arrived of each output.
    outputs: Vec<Vec<f32>>,
    on_their_way: VecDeque<Part>,
}

impl Run {
    /// A run of a network with that many outputs.
    pub(super) fn new(gpu: &Gpu, precision: Precision, outputs: usize) -> Self {
        Self { gpu: gpu.clone(), precision, outputs: vec![Vec::new(); outputs], on_their_way: VecDeque::new() }
    }

    /// Waits for the result, `[N, classes]` or `[N, C, H, W]`; the first where the network has several outputs. Errors
    /// where the device fails, and where numbers of any output grew beyond what 16-bit floats reach.
    pub fn wait(self) -> Result<Vec<f32>> {
        self.wait_all().map(first)
    }

    /// [`Run::wait`] for all outputs ([`Graph::outputs`](crate::Graph::outputs)): one `[N, classes]` or `[N, C, H, W]` for
    /// each, in their order.
    pub fn wait_all(self) -> Result<Vec<Vec<f32>>> {
        pollster::block_on(self.finish(Waiter::Caller))
    }

    /// [`Run::wait`] for callers that may not block: the device's own thread waits.
    pub async fn wait_async(self) -> Result<Vec<f32>> {
        self.wait_all_async().await.map(first)
    }

    /// [`Run::wait_all`] for callers that may not block.
    pub async fn wait_all_async(self) -> Result<Vec<Vec<f32>>> {
        self.finish(Waiter::Worker).await
    }

    async fn finish(mut self, waiter: Waiter) -> Result<Vec<Vec<f32>>> {
        self.leave(0, waiter).await?;
        if self.precision == Precision::F16 && !self.outputs.iter().flatten().all(|value| value.is_finite()) {
            return Err(Error::HalfOverflow);
        }
        Ok(self.outputs)
    }

    /// Receives parts until one more may be sent.
    pub(super) async fn make_room(&mut self, waiter: Waiter) -> Result<()> {
        self.leave(PARTS - 1, waiter).await
    }

    pub(super) fn push(&mut self, part: Part) {
        self.on_their_way.push_back(part);
    }

    /// Receives the parts that went first, until `count` are on their way.
    async fn leave(&mut self, count: usize, waiter: Waiter) -> Result<()> {
        while self.on_their_way.len() > count
            && let Some(Part { readback, elements, units, flops, begun, .. }) = self.on_their_way.pop_front()
        {
            let values = readback.data(&self.gpu, waiter).await?;
            if let Some(begun) = begun {
                self.gpu.note_run(units, flops, begun.elapsed());
            }
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

fn first(mut outputs: Vec<Vec<f32>>) -> Vec<f32> {
    outputs.swap_remove(0)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc::{Sender, channel};
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::*;
    use crate::device::open_gpu;
    use crate::{Engine, EngineOptions, Input, models};

    /// Keeps the device's own thread from doing anything until the sender is dropped. Who waits for that thread all the same
    /// is let go in the end, with an answer where there should be none yet.
    fn occupy(gpu: &Gpu) -> Sender<()> {
        let (free, occupied) = channel();
        let mut occupation = pin!(gpu.on_worker(move || occupied.recv_timeout(Duration::from_secs(60))));
        assert!(occupation.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        free
    }

    /// Polls once while the device's own thread is occupied, and once that is free lets the future run to its end.
    fn not_kept_by<T>(gpu: &Gpu, what: &str, future: impl Future<Output = Result<T>>) -> T {
        let mut future = pin!(future);
        let free = occupy(gpu);
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending), "{what}: the caller did it, or waited for who does it");
        drop(free);
        pollster::block_on(future).unwrap()
    }

    #[test]
    fn no_poll_compiles_or_waits() {
        let gpu = open_gpu();
        let model = models::bundled("digits").unwrap().unwrap();
        let graph = model.graph(32, 32).unwrap();
        let expected = Engine::new(&gpu, &graph, &model.weights, EngineOptions::default()).unwrap();
        let expected = |size: [usize; 2]| expected.run(Input::values(&vec![0.5; 3 * size[0] * size[1]], size)).unwrap();

        let made = Engine::new_async(&gpu, graph, model.weights, EngineOptions::default());
        let engine = not_kept_by(&gpu, "making an engine", made);
        let size = [48, 40];
        let picture = vec![0.5; 3 * size[0] * size[1]];
        let run = not_kept_by(&gpu, "starting a run that needs a plan", engine.start_async(Input::values(&picture, size)));
        assert_eq!(not_kept_by(&gpu, "waiting for a run", run.wait_async()), expected(size));

        // With a plan there is nothing to wait for.
        let free = occupy(&gpu);
        let mut started = pin!(engine.start_async(Input::values(&picture, size)));
        let started = started.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(free);
        let Poll::Ready(run) = started else { panic!("a run whose plan is there waits for the device's thread") };
        assert_eq!(run.unwrap().wait().unwrap(), expected(size));
    }
}
