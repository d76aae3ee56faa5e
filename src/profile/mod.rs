//! Where a network's time goes on a device, and what limits it.
//!
//! A profile is three alternating measurements of the same run: with a pass per step, and the device's clock read before and after each; in
//! one pass, with one reading before and one after; and without a clock, in wall time. The first shows where the time goes, the other two
//! the cost of measuring it.
//!
//! ```
//! use densenet_wgpu::profile::{Ceilings, Profile};
//! use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
//!
//! let model = models::bundled("digits").expect("it is bundled")?;
//! let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
//! let ceilings = Ceilings { gflops: 100.0, gigabytes_per_second: 10.0, launch_ms: 0.01 }; // or `Ceilings::measure`
//! let profile = Profile::measure(&engine, Input::values(&[0.5; 3 * 64 * 64], [64, 64]), 1, ceilings)?;
//! let slowest = profile.by_module().into_iter().max_by(|a, b| a.gpu_ms.total_cmp(&b.gpu_ms)).expect("it has modules");
//! println!("{profile}\n{} takes {:.0} %", slowest.name, 100.0 * slowest.share);
//! assert!(slowest.share > 0.0 && profile.trace().contains("traceEvents") && profile.svg().starts_with("<svg"));
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod ceilings;
mod compare;
mod median;
mod runs;
mod step;
mod svg;
mod text;
mod total;
mod trace;

use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Input};
use crate::error::Result;
use median::median;
use runs::Runs;

pub use crate::engine::{Clock, Granularity, Timeline};
pub use crate::peak::Peak;
pub use ceilings::Ceilings;
pub use compare::{Change, Comparison};
pub use step::{Bound, StepProfile};
pub use total::Total;

/// The times of a network's steps on a device: medians of several runs, in milliseconds.
///
/// ```no_run
/// use densenet_wgpu::profile::{Ceilings, Profile};
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// # fn main() -> densenet_wgpu::Result<()> {
/// let (gpu, model) = (Gpu::open(None)?, models::bundled("digits").unwrap()?);
/// let engine = Engine::new(&gpu, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
/// let profile = Profile::measure(&engine, Input::values(&[0.5; 3 * 64 * 64], [64, 64]), 10, Ceilings::measure(&gpu)?)?;
/// println!("{profile}");
/// for total in profile.by_module() {
///     println!("{}: {:.1} %", total.name, 100.0 * total.share);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Profile {
    /// The adapter.
    pub device: String,
    /// Its driver and the driver's version.
    pub driver: String,
    /// The graphics API.
    pub backend: String,
    /// The name of the network, set by the caller.
    pub model: String,
    /// The storage dtype of weights and activations.
    pub precision: String,
    /// Whether operations were fused.
    pub fusion: bool,
    /// Batch size.
    pub batch: usize,
    /// Height and width, in pixels.
    pub size: [usize; 2],
    /// The clock that timed the steps.
    pub clock: Clock,
    /// The number of runs of each kind.
    pub runs: usize,
    /// A whole run on the device in one pass, measured separately.
    pub total_gpu_ms: f64,
    /// The sum of the steps.
    pub sum_gpu_ms: f64,
    /// A whole run from input to output in host memory, without a device clock.
    pub wall_ms: f64,
    /// The same with a pass per step.
    pub stepwise_wall_ms: f64,
    /// The device's peak performance.
    pub ceilings: Ceilings,
    /// The steps, in the order in which they run.
    pub steps: Vec<StepProfile>,
    /// The run of median length with a pass per step.
    #[serde(skip)]
    pub timeline: Option<Timeline>,
}

impl Profile {
    /// Runs the batch `input` `runs` times (at least once) in each of three ways, after warm-up runs. The steps are those of the plan: the
    /// normalisation of pictures before them is included in the totals only.
    ///
    /// Errors if the input does not fit, the batch is too large for the device, or the device fails.
    pub fn measure(engine: &Engine, input: Input<'_>, runs: usize, ceilings: Ceilings) -> Result<Self> {
        let runs = runs.max(1);
        let mut measured = Runs::take(runs, engine, input, Engine::time)?;
        if !measured.are_by_one_clock() {
            measured = Runs::take(runs, engine, input, Engine::time_by_host)?;
        }
        let Runs { mut stepwise, whole, wall } = measured;
        let [height, width] = input.size();
        let batch = input.images(engine.graph().input_shape().channels)?;
        let plan = engine.plan(batch, height, width)?;
        let before = usize::from(input.is_pictures() && stepwise.iter().all(|run| run.passes.len() > plan.steps().len()));
        let medians = (0..plan.steps().len()).map(|step| 1e3 * median(stepwise.iter().map(|run| runs::length(run, before + step))));
        let mut steps: Vec<StepProfile> = plan.steps().iter().zip(medians).map(|(step, ms)| StepProfile::new(step, ms, ceilings)).collect();
        let sum_gpu_ms: f64 = steps.iter().map(|step| step.gpu_ms).sum();
        steps.iter_mut().for_each(|step| step.share = if sum_gpu_ms > 0.0 { step.gpu_ms / sum_gpu_ms } else { 0.0 });
        let stepwise_wall_ms = 1e3 * median(stepwise.iter().map(|run| run.finished));
        stepwise.sort_by(|a, b| a.span().total_cmp(&b.span()));
        let timeline = stepwise.swap_remove(stepwise.len() / 2);
        let summary = engine.gpu().summary();
        Ok(Self {
            device: summary.name.clone(),
            driver: summary.driver.clone(),
            backend: summary.backend.clone(),
            model: String::new(),
            precision: engine.tuning().precision().name().to_owned(),
            fusion: plan.options().fusion,
            batch,
            size: [height, width],
            clock: timeline.clock,
            runs,
            total_gpu_ms: 1e3 * median(whole.iter().map(Timeline::span)),
            sum_gpu_ms,
            wall_ms: 1e3 * median(wall.into_iter()),
            stepwise_wall_ms,
            ceilings,
            steps,
            timeline: Some(timeline),
        })
    }

    /// Totals by kind of operation, longest first.
    pub fn by_operation(&self) -> Vec<Total> {
        let mut totals = Total::of(&self.steps, |step| &step.operation);
        totals.sort_by(|a, b| b.gpu_ms.total_cmp(&a.gpu_ms));
        totals
    }

    /// Totals by module of the network (`features.denseblock1`), in the order in which they run.
    pub fn by_module(&self) -> Vec<Total> {
        Total::of(&self.steps, |step| &step.module)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::open_gpu;
    use crate::engine::EngineOptions;
    use crate::kernels::{Shader, Variant};
    use crate::{Checkpoint, Config};

    const CEILINGS: Ceilings = Ceilings { gflops: 100.0, gigabytes_per_second: 10.0, launch_ms: 0.01 };

    fn profile(source: fn(&Variant) -> String) -> Profile {
        let gpu = open_gpu();
        let model = Checkpoint::init(Config { num_classes: Some(5), ..Config::imagenet(6, &[2, 2], 10) }, 3).unwrap();
        let graph = model.graph(64, 64).unwrap();
        let engine = pollster::block_on(Engine::with_sources(&gpu, &graph, &model.weights, EngineOptions::default(), source)).unwrap();
        Profile::measure(&engine, Input::values(&vec![0.5; 3 * 64 * 64], [64, 64]), 3, CEILINGS).unwrap()
    }

    #[test]
    fn a_slowed_kernel_is_what_moved_most() {
        let slowed = |variant: &Variant| match variant.shader {
            Shader::GlobalPool => {
                let slow = "for (var i = 0u; i < 20000u; i++) { sum = sin(sum) + f32(i) * 1e-9; }\n    sums[lane] = sum;";
                variant.source().replace("sums[lane] = sum;", slow)
            }
            _ => variant.source(),
        };
        let comparison = Comparison::new(&profile(Variant::source), &profile(slowed));
        let (step, module) = (&comparison.steps[0], &comparison.modules[0]);
        assert_eq!((step.name.as_str(), module.name.as_str()), ("global_pool", "global_pool"));
        assert!(step.ratio().unwrap() > 2.0 && comparison.total.difference_ms() > 0.0, "{comparison}");
    }

    /// With an unusable clock the times are those of the host.
    #[test]
    fn a_clock_that_tells_no_time_is_not_believed() {
        use crate::gpu::{BrokenClock, Pretence};
        let model = Checkpoint::init(Config { num_classes: Some(5), ..Config::imagenet(6, &[2, 2], 10) }, 3).unwrap();
        let graph = model.graph(64, 64).unwrap();
        let values = vec![0.5; 3 * 64 * 64];
        let input = Input::values(&values, [64, 64]);
        let broken = [BrokenClock::Zero, BrokenClock::Equal, BrokenClock::Coarse, BrokenClock::Backwards, BrokenClock::Unwritten];
        for clock in broken {
            let gpu = open_gpu().pretending(Pretence { clock: Some(clock), ..Pretence::default() });
            let engine = Engine::new(&gpu, &graph, &model.weights, EngineOptions::default()).unwrap();
            assert_eq!(engine.time(input, Granularity::Run).unwrap().clock, Clock::Host, "{clock:?}");
            let profile = Profile::measure(&engine, input, 1, CEILINGS).unwrap();
            assert_eq!(profile.clock, Clock::Host, "{clock:?}");
            assert!(profile.total_gpu_ms > 0.0 && profile.sum_gpu_ms > 0.0, "{clock:?}");
            assert!((profile.steps.iter().map(|step| step.share).sum::<f64>() - 1.0).abs() < 1e-6, "{clock:?}");
            assert!(profile.to_string().contains("no usable timestamps"), "{profile}");
            assert!(!serde_json::to_string(&profile).unwrap().contains("null"), "{clock:?}");
        }
    }
}
