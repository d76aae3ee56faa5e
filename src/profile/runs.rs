//! The runs of a profile.

use super::median::median;
use crate::engine::{Engine, Granularity, Input, Timeline};
use crate::error::Result;

/// Warm-up runs: a device that was idle is slow at first.
const WARM_RUNS: usize = 2;

/// Repeated runs, in each of three ways.
pub(super) struct Runs {
    /// With a pass per step.
    pub(super) stepwise: Vec<Timeline>,
    /// In one pass.
    pub(super) whole: Vec<Timeline>,
    /// Without a clock, in seconds of the host.
    pub(super) wall: Vec<f64>,
}

impl Runs {
    /// Measures this number of runs with `time`, after warm-up runs.
    pub(super) fn take(
        runs: usize,
        engine: &Engine,
        input: Input<'_>,
        time: fn(&Engine, Input<'_>, Granularity) -> Result<Timeline>,
    ) -> Result<Self> {
        let mut taken = Self { stepwise: Vec::new(), whole: Vec::new(), wall: Vec::new() };
        for run in 0..WARM_RUNS + runs {
            let steps = time(engine, input, Granularity::Step)?;
            let total = time(engine, input, Granularity::Run)?;
            let start = std::time::Instant::now();
            engine.run(input)?;
            let elapsed = start.elapsed().as_secs_f64();
            if run >= WARM_RUNS {
                taken.stepwise.push(steps);
                taken.whole.push(total);
                taken.wall.push(elapsed);
            }
        }
        Ok(taken)
    }

    /// Whether all runs were timed by the same usable clock: not one that failed in some runs, nor one so coarse that the median of every
    /// step is zero.
    pub(super) fn are_by_one_clock(&self) -> bool {
        let mut clocks = self.stepwise.iter().chain(&self.whole).map(|run| run.clock);
        let first = clocks.next();
        let passes = self.stepwise.iter().map(|run| run.passes.len()).min().unwrap_or(0);
        let takes_time = |pass: usize| median(self.stepwise.iter().map(|run| length(run, pass))) > 0.0;
        clocks.all(|clock| Some(clock) == first) && (0..passes).any(takes_time)
    }
}

/// The length of a pass in seconds.
pub(super) fn length(run: &Timeline, pass: usize) -> f64 {
    run.passes[pass][1] - run.passes[pass][0]
}
