//! How long a tile takes beside another.

use std::time::Instant;

use super::super::bound::BoundPlan;
use crate::error::Result;
use crate::gpu::Gpu;

/// Seconds that a measurement takes, about: long enough for its submission not to count, short enough for some of them to be
/// undisturbed on a busy machine.
const SECONDS: f64 = 0.003;

/// Rounds of a step; the fastest of a tile's runs counts.
const ROUNDS: usize = 6;

/// Times as long as the best that a tile may take after half of the rounds, to stay in the others.
const LOST: f64 = 1.25;

/// Times as long as the best that a tile may take in one of its first [`TRIES`] runs, not to be given up.
const SLOWER: f64 = 2.0;

/// Runs before a slow tile is given up: something else may have been at work the first time.
const TRIES: usize = 3;

/// Seconds for rounds of the network.
const NETWORK_SECONDS: f64 = 4.0;

/// The fewest of these rounds, however long they take.
const NETWORK_ROUNDS: usize = 3;

/// How long a tile takes beside the rule's.
pub(super) struct Ratio {
    pub(super) tile_by_rule: f64,
    /// Whether it was clearly slower than the best after a run.
    pub(super) given_up: bool,
}

impl BoundPlan {
    /// Seconds that one of the plan's steps takes.
    pub(super) async fn step_alone(&self, gpu: &Gpu, step: usize) -> Result<f64> {
        // A driver may leave a part of its compiling for the first run.
        self.seconds(gpu, step, 1).await?;
        let once = self.seconds(gpu, step, 1).await?;
        let count = self.count(gpu, step, once).await?;
        let mut best = f64::MAX;
        for _ in 0..ROUNDS / 2 {
            best = best.min(self.seconds(gpu, step, count).await?);
        }
        Ok(best)
    }

    /// How many times as long as in the plan `by_rule` a step takes in this one, measured in turns, so that what else the machine
    /// does meets both. `best` is the least such ratio that another tile has.
    pub(super) async fn step_in_turns(&self, by_rule: &Self, gpu: &Gpu, step: usize, best: f64) -> Result<Ratio> {
        self.seconds(gpu, step, 1).await?;
        let mut least = [f64::MAX; 2];
        for _ in 0..TRIES {
            self.in_turn(by_rule, gpu, step, [1, 1], &mut least).await?;
            if least[0] / least[1] <= SLOWER * best {
                let counts = [self.count(gpu, step, least[0]).await?, by_rule.count(gpu, step, least[1]).await?];
                let mut least = [f64::MAX; 2];
                for round in 0..ROUNDS {
                    if round == ROUNDS / 2 && least[0] / least[1] > LOST * best {
                        break;
                    }
                    self.in_turn(by_rule, gpu, step, counts, &mut least).await?;
                }
                return Ok(Ratio { tile_by_rule: least[0] / least[1], given_up: false });
            }
        }
        Ok(Ratio { tile_by_rule: least[0] / least[1], given_up: true })
    }

    /// Measures the step in both plans, and notes the least seconds of each.
    async fn in_turn(&self, by_rule: &Self, gpu: &Gpu, step: usize, counts: [usize; 2], least: &mut [f64; 2]) -> Result<()> {
        for ((plan, count), least) in [self, by_rule].into_iter().zip(counts).zip(least) {
            *least = least.min(plan.seconds(gpu, step, count).await?);
        }
        Ok(())
    }

    /// How often a step runs in a measurement, where it takes about `once` seconds to run it once.
    async fn count(&self, gpu: &Gpu, step: usize, once: f64) -> Result<usize> {
        let count = |seconds: f64| (SECONDS / seconds).ceil().max(1.0) as usize;
        // A submission's own cost is in that, most of which is not in this.
        if count(once) == 1 { Ok(1) } else { Ok(count(self.seconds(gpu, step, count(once)).await?)) }
    }

    /// Seconds that a step takes, of `count` runs in a row.
    async fn seconds(&self, gpu: &Gpu, step: usize, count: usize) -> Result<f64> {
        let start = Instant::now();
        gpu.wait(self.run_step(gpu, step, count).await?)?;
        Ok(start.elapsed().as_secs_f64() / count as f64)
    }

    /// Seconds that all convolutions take in this plan, in `other`, and in this one once more, in turns; the same where their tiles
    /// are the same. They are measured in parts, of each of which the fastest run counts.
    pub(super) async fn convolutions_in_turns(&self, other: &Self, gpu: &Gpu) -> Result<[f64; 3]> {
        let tiles = |bound: &Self| bound.plan().steps().iter().map(|step| step.tile.map(|(tile, _)| tile)).collect::<Vec<_>>();
        let plans = if tiles(self) == tiles(other) { vec![self] } else { vec![self, other, self] };
        let convolutions: Vec<usize> = tiles(self).iter().enumerate().filter_map(|(index, tile)| tile.is_some().then_some(index)).collect();
        other.part_seconds(gpu, &convolutions).await?;
        self.part_seconds(gpu, &convolutions).await?;
        let parts = (self.part_seconds(gpu, &convolutions).await? / SECONDS).ceil().max(1.0) as usize;
        let parts: Vec<&[usize]> = convolutions.chunks(convolutions.len().div_ceil(parts).max(1)).collect();
        let mut least = vec![vec![f64::MAX; parts.len()]; plans.len()];
        let (start, mut round) = (Instant::now(), 0);
        while round < NETWORK_ROUNDS || start.elapsed().as_secs_f64() < NETWORK_SECONDS {
            for (at, part) in parts.iter().enumerate() {
                for (plan, least) in plans.iter().zip(&mut least) {
                    least[at] = least[at].min(plan.part_seconds(gpu, part).await?);
                }
            }
            round += 1;
        }
        let seconds: Vec<f64> = least.iter().map(|parts| parts.iter().sum()).collect();
        Ok(if let [first, other, second] = seconds[..] { [first, other, second] } else { [seconds[0]; 3] })
    }

    /// Seconds that some of the plan's steps take.
    async fn part_seconds(&self, gpu: &Gpu, steps: &[usize]) -> Result<f64> {
        let start = Instant::now();
        gpu.wait(self.run_steps(gpu, steps).await?)?;
        Ok(start.elapsed().as_secs_f64())
    }
}
