//! One run under the clock.

use std::sync::Arc;
use std::time::Instant;

use super::bound::BoundPlan;
use super::granularity::Granularity;
use super::input::Input;
use super::part::Submitted;
use super::pool::Pool;
use super::purpose::{Owner, Purpose};
use super::readback::Waiter;
use super::shared::Shared;
use super::timestamps::{Timestamps, tell_the_time};
use super::{Engine, lock};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::kernels::Tuning;

/// Whose clock timed a device's passes.
///
/// ```
/// use densenet_wgpu::profile::{Clock, Granularity};
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// let timeline = engine.time(Input::values(&[0.5; 3 * 64 * 64], [64, 64]), Granularity::Run)?;
/// let has_clock = engine.gpu().summary().features.iter().any(|feature| feature == "timestamps");
/// assert_eq!(timeline.clock, if has_clock { Clock::Gpu } else { Clock::Host });
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The device's own.
    Gpu,
    /// The host's, from a submission to its end: the device has none, or one that stands or runs backwards. That includes what a
    /// submission costs.
    Host,
}

/// When what happened in a run, in seconds from its beginning.
///
/// ```
/// use densenet_wgpu::profile::Granularity;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// let timeline = engine.time(Input::values(&[0.5; 3 * 64 * 64], [64, 64]), Granularity::Step)?;
/// let steps = engine.plan(1, 64, 64)?.steps().len();
/// assert_eq!(timeline.passes.len(), steps);
/// println!("{:.3} ms on the device, {:.3} ms in all", 1e3 * timeline.span(), 1e3 * timeline.finished);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
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
    /// Begin and end of each pass on the device, from the first one's beginning: one for each submission, most often one, or one for
    /// each step of the plan.
    pub passes: Vec<[f64; 2]>,
}

impl Timeline {
    /// Seconds from the first pass's beginning to the last one's end.
    pub fn span(&self) -> f64 {
        self.passes.last().map_or(0.0, |last| last[1])
    }
}

impl Engine {
    /// Runs a batch and tells when what happened: on the device for the whole run, or for each step. It has buffers of its
    /// own, so that runs of other threads are neither disturbed nor measured as its own, but they use the same device.
    ///
    /// Where the device has no timestamps, or they are zero, equal, backwards or of more time than passed, every pass is submitted
    /// alone and timed by the host ([`Clock::Host`]). Errors as [`Engine::start`] does, and where the batch is too large for the
    /// device to run at once.
    pub fn time(&self, input: Input<'_>, granularity: Granularity) -> Result<Timeline> {
        pollster::block_on(self.time_async(input, granularity, Clock::Gpu))
    }

    /// [`Engine::time`] by the host, whatever the device has.
    pub(crate) fn time_by_host(&self, input: Input<'_>, granularity: Granularity) -> Result<Timeline> {
        pollster::block_on(self.time_async(input, granularity, Clock::Host))
    }

    async fn time_async(&self, input: Input<'_>, granularity: Granularity, clock: Clock) -> Result<Timeline> {
        let shared = &self.shared;
        let gpu = &shared.gpu;
        let purpose = shared.purpose(Owner::Engine, &input)?;
        shared.check_whole(purpose)?;
        // Taken out of its place, so that nobody else uses its buffers meanwhile.
        let kept = lock(&shared.timed).take();
        let tuning = shared.tuning();
        let bound = match kept.filter(|kept| kept.purpose() == purpose && kept.is_of(&tuning) && !kept.is_cut_too_small(gpu)) {
            Some(bound) => bound,
            None => shared.bind_alone(purpose, tuning, Arc::default()).await?,
        };
        let timeline = match clock {
            Clock::Gpu if Timestamps::are_there(gpu) => match bound.time(gpu, input, granularity).await {
                Ok(timeline) if !tell_the_time(&timeline.passes, timeline.finished) => bound.time_by_host(gpu, input, granularity).await,
                timed => timed,
            },
            _ => bound.time_by_host(gpu, input, granularity).await,
        };
        *lock(&shared.timed) = Some(bound);
        timeline
    }
}

impl Shared {
    /// Errors where the device cannot hold that many images at once.
    pub(super) fn check_whole(&self, Purpose { batch, size, .. }: Purpose) -> Result<()> {
        let most = self.batch_limits(size)?.largest;
        if batch <= most {
            return Ok(());
        }
        Err(Error::Input { expected: format!("a batch of at most {most}, which the device can hold at once"), found: batch.to_string() })
    }

    /// A plan by `tuning`, bound to a pool that no other thread uses. Where memory is short, runs give theirs back for it.
    pub(super) async fn bind_alone(&self, purpose: Purpose, tuning: Tuning, pool: Arc<Pool>) -> Result<BoundPlan> {
        let plan = self.checked_plan(tuning, purpose.batch, purpose.size).await?;
        let bind = || BoundPlan::new(&self.gpu, purpose, plan.clone(), Arc::clone(&pool), &self.weights, &self.pipelines);
        match bind().await {
            Err(Error::OutOfMemory { .. }) => {
                self.forget_bound();
                bind().await
            }
            bound => bound,
        }
    }
}

impl BoundPlan {
    async fn time(&self, gpu: &Gpu, input: Input<'_>, granularity: Granularity) -> Result<Timeline> {
        let most_flops = self.most_flops(gpu);
        let passes = if granularity == Granularity::Step { self.steps().count() } else { self.submissions(most_flops) };
        let mut clock = gpu.caught(|| Timestamps::new(gpu, granularity, most_flops, passes)).await?;
        let start = Instant::now();
        let part = self.submit(gpu, input, Some(&mut clock)).await?;
        let submitted = part.submitted;
        part.readback.data(gpu, Waiter::Caller).await?;
        let finished = Instant::now();
        let seconds = |moment: Instant| (moment - start).as_secs_f64();
        let mut passes = clock.passes(gpu).await?;
        if granularity == Granularity::Step {
            passes = self.of_steps(passes);
        }
        let Submitted { uploaded, encoded, submitted } =
            submitted.unwrap_or(Submitted { uploaded: start, encoded: start, submitted: start });
        let [uploaded, encoded, submitted, finished] = [uploaded, encoded, submitted, finished].map(seconds);
        Ok(Timeline { clock: Clock::Gpu, uploaded, encoded, submitted, finished, passes })
    }

    /// Begin and end of each step, from those of each dispatch.
    fn of_steps(&self, dispatches: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
        let mut steps: Vec<(Option<usize>, [f64; 2])> = Vec::new();
        for (step, pass) in self.steps().zip(dispatches) {
            match steps.last_mut() {
                Some((last, bounds)) if *last == step => bounds[1] = pass[1],
                _ => steps.push((step, pass)),
            }
        }
        steps.into_iter().map(|(_, bounds)| bounds).collect()
    }

    /// The same without a clock on the device.
    async fn time_by_host(&self, gpu: &Gpu, input: Input<'_>, granularity: Granularity) -> Result<Timeline> {
        let start = Instant::now();
        self.arrive(gpu, input).await?;
        let uploaded = start.elapsed().as_secs_f64();
        let now = || start.elapsed().as_secs_f64() - uploaded;
        let mut passes = Vec::new();
        match granularity {
            Granularity::Run => {
                let part = self.submit(gpu, input, None).await?;
                part.readback.data(gpu, Waiter::Caller).await?;
                passes.push([0.0, now()]);
            }
            Granularity::Step => {
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
