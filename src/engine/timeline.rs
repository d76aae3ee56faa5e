//! One run under the clock.

use std::sync::Arc;
use std::time::Instant;

use super::Engine;
use super::bound::{BoundPlan, Origin, Submitted};
use super::dispatch::Grain;
use super::input::Input;
use super::readback::Readback;
use super::timestamps::Timestamps;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::shape::Shape;

/// Whose clock timed a device's passes.
///
/// ```
/// use densenet_wgpu::engine::{Clock, Grain};
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// let timeline = engine.time(&[0.5; 3 * 64 * 64], 64, 64, Grain::Run)?;
/// let has_clock = engine.gpu().summary().features.iter().any(|feature| feature == "timestamps");
/// assert_eq!(timeline.clock, if has_clock { Clock::Gpu } else { Clock::Host });
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The device's own.
    Gpu,
    /// The host's, from a submission to its end: the device has none. That includes what a submission costs.
    Host,
}

/// When what happened in a run, in seconds from its beginning.
///
/// ```
/// use densenet_wgpu::engine::Grain;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// let timeline = engine.time(&[0.5; 3 * 64 * 64], 64, 64, Grain::Step)?;
/// let steps = engine.plan(1, 64, 64)?.steps().len();
/// assert_eq!(timeline.passes.len(), steps);
/// println!("{:.3} ms on the device, {:.3} ms in all", 1e3 * timeline.span(), 1e3 * timeline.finished);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// Whose clock [`Timeline::passes`] are by.
    pub clock: Clock,
    /// The input has been handed over to the queue.
    pub uploaded: f64,
    /// All commands have been encoded.
    pub encoded: f64,
    /// All commands have been submitted.
    pub submitted: f64,
    /// The output is there.
    pub finished: f64,
    /// Begin and end of each pass on the device, from the first one's beginning: one pass, or one for each step of the plan.
    pub passes: Vec<[f64; 2]>,
}

impl Timeline {
    /// Seconds from the first pass's beginning to the last one's end.
    pub fn span(&self) -> f64 {
        self.passes.last().map_or(0.0, |last| last[1])
    }
}

impl Engine {
    /// Runs a batch `[N, C, height, width]` and tells when what happened: on the device for the whole run, or for each step.
    ///
    /// Where the device has no timestamps, every pass is submitted alone and timed by the host ([`Clock::Host`]). Errors as
    /// [`Engine::start`] does, and where the batch is too large for the device to run at once.
    pub fn time(&self, input: &[f32], height: usize, width: usize, grain: Grain) -> Result<Timeline> {
        pollster::block_on(self.time_async(input, height, width, grain))
    }

    async fn time_async(&self, input: &[f32], height: usize, width: usize, grain: Grain) -> Result<Timeline> {
        self.gpu.check()?;
        let input = Input::Values(input);
        let batch = input.images(Shape { height, width, ..self.graph.input_shape() })?;
        self.check_whole(batch, height, width)?;
        let bound: Arc<BoundPlan> = self.bound_plan(Origin::Values, batch, height, width).await?;
        if Timestamps::are_there(&self.gpu) {
            bound.time(&self.gpu, input, grain).await
        } else {
            bound.time_by_host(&self.gpu, input, grain).await
        }
    }

    /// Errors where the device cannot hold that many images at once.
    pub(super) fn check_whole(&self, batch: usize, height: usize, width: usize) -> Result<()> {
        let most = self.largest_batch(height, width)?;
        if batch <= most {
            return Ok(());
        }
        Err(Error::Input { expected: format!("a batch of at most {most}, which the device can hold at once"), found: batch.to_string() })
    }
}

impl BoundPlan {
    async fn time(&self, gpu: &Gpu, input: Input<'_>, grain: Grain) -> Result<Timeline> {
        let submissions = self.submissions(gpu.flops_per_submission()).len();
        let passes = if grain == Grain::Step { self.plan().steps().len() } else { submissions };
        let mut clock = gpu.caught(|| Timestamps::new(gpu, grain, passes)).await?;
        let start = Instant::now();
        let (part, Submitted { uploaded, encoded, submitted }) = self.submit(gpu, input, Some(&mut clock)).await?;
        part.readback.data(gpu, Readback::wait).await?;
        let [uploaded, encoded, submitted, finished] =
            [uploaded, encoded, submitted, Instant::now()].map(|moment| (moment - start).as_secs_f64());
        Ok(Timeline { clock: Clock::Gpu, uploaded, encoded, submitted, finished, passes: clock.passes(gpu).await? })
    }

    /// The same without a clock on the device.
    async fn time_by_host(&self, gpu: &Gpu, input: Input<'_>, grain: Grain) -> Result<Timeline> {
        let start = Instant::now();
        self.arrive(gpu, input).await?;
        let uploaded = start.elapsed().as_secs_f64();
        let now = || start.elapsed().as_secs_f64() - uploaded;
        let mut passes = Vec::new();
        match grain {
            Grain::Run => {
                let (part, _) = self.submit(gpu, input, None).await?;
                part.readback.data(gpu, Readback::wait).await?;
                passes.push([0.0, now()]);
            }
            Grain::Step => {
                for step in 0..self.plan().steps().len() {
                    let begin = now();
                    let submission = self.run_step(gpu, step, 1).await?;
                    gpu.wait(submission)?;
                    passes.push([begin, now()]);
                }
            }
        }
        let finished = uploaded + now();
        Ok(Timeline { clock: Clock::Host, uploaded, encoded: uploaded, submitted: uploaded, finished, passes })
    }
}
