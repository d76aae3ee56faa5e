//! Which tile is the fastest for each class of a network's convolutions, measured on the device.

mod kept;
mod measure;
mod timing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bound::BoundPlan;
use super::pool::Pool;
use super::purpose::{Owner, Purpose};
use super::{Engine, lock};
use crate::error::Result;
use crate::kernels::{Convolution, Tile};
use crate::plan::Plan;
pub use kept::{check_tuning, device_tuning, forget_timings, forget_tuning};
use kept::{keep, keep_timings, kept_timings};
pub use timing::Timing;

/// The least speedup over the rule, beyond noise, for which a tuning is kept.
const FASTER: f64 = 1.01;

/// What [`Engine::tune`] found.
///
/// ```no_run
/// use densenet_wgpu::tuning::forget_tuning;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// let tuned = engine.tune(1, 64, 64)?;
/// println!("{:.2} times as fast{}", tuned.speedup(), if tuned.is_faster() { "" } else { ": the rule stays" });
/// forget_tuning(engine.gpu()); // the next engine goes by the rule again, and the next tuning measures everything
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Tuned {
    /// What was measured for each class of convolutions ([`Tuning::class`](crate::tuning::Tuning::class)), the fastest tile first.
    pub timings: BTreeMap<String, Vec<Timing>>,
    /// Seconds that all convolutions of the network take by the rule.
    pub seconds_by_rule: f64,
    /// Seconds that they take with the fastest tiles, measured in turns with the rule's; the same where those are the fastest.
    pub seconds_tuned: f64,
    /// How many times as long the slower of two measurements by the rule took, in the same turns: 1 where nothing else was at work.
    pub noise: f64,
}

impl Tuned {
    /// How many times as fast as by the rule the network's convolutions are with the fastest tiles.
    pub fn speedup(&self) -> f64 {
        self.seconds_by_rule / self.seconds_tuned
    }

    /// Whether they are faster than by the rule, beyond [`Tuned::noise`]. The fastest tiles are used where they are; else the rule stays.
    pub fn is_faster(&self) -> bool {
        self.speedup() >= FASTER * self.noise
    }
}

/// How far a tuning is, for [`Engine::tune_watched`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct TuningProgress<'a> {
    /// Measurements made so far: one for each tile of each class.
    pub measured: usize,
    /// Measurements in all.
    pub count: usize,
    /// Those among the measured that an earlier tuning kept.
    pub resumed: usize,
    /// The tile that is measured next, and for which class; none where what is left is the network, by the rule and tuned.
    pub next: Option<(Tile, &'a str)>,
    /// The fastest tile of that class so far.
    pub best: Option<Timing>,
}

/// Convolutions that one tile is the best for.
struct Class {
    name: String,
    /// Layers of a block differ in their input channels: one in the middle stands for all.
    step: usize,
    /// The rule's tile.
    rule: Tile,
    /// All that are measured.
    candidates: Vec<Tile>,
}

impl Engine {
    /// Finds the fastest tile for each class of the convolutions of `batch` images of `height` x `width` pixels
    /// ([`Tuning::class`](crate::tuning::Tuning::class)). Where the network is faster with those than by the rule
    /// ([`Tuned::is_faster`]), this engine uses them from then on, and so do new engines of the same
    /// [`Precision`](crate::Precision) on devices that share this one's [`Cache`](crate::devices::Cache); else the rule decides, also
    /// where an earlier tuning of the same classes did.
    ///
    /// Every tile is measured in turns with the rule's, and given up where it is clearly slower than the best so far. On a
    /// software device tiles of GPUs are left out where others compute the same: they were never less than three times slower
    /// there. What is measured is kept as it goes: a tuning that was ended goes on where it was when it is started again,
    /// until [`forget_timings`] or [`forget_tuning`].
    ///
    /// Takes seconds, minutes on a slow device, with buffers of its own; other work on the device disturbs it, but no run meets a
    /// tile before it was measured. Whether what is found can be kept is told by [`check_tuning`]. Errors where the device fails,
    /// and where the batch is too large for it to run at once.
    pub fn tune(&self, batch: usize, height: usize, width: usize) -> Result<Tuned> {
        self.tune_watched(batch, height, width, |_| {})
    }

    /// [`Engine::tune`], which says before each measurement how far it is.
    pub fn tune_watched(&self, batch: usize, height: usize, width: usize, watch: impl FnMut(TuningProgress<'_>)) -> Result<Tuned> {
        pollster::block_on(self.tune_async(batch, height, width, watch))
    }

    #[tracing::instrument(name = "tune", skip_all, fields(batch, height, width))]
    async fn tune_async(&self, batch: usize, height: usize, width: usize, mut watch: impl FnMut(TuningProgress<'_>)) -> Result<Tuned> {
        let shared = &self.shared;
        let purpose = Purpose { owner: Owner::Engine, pictures: false, batch, size: [height, width] };
        shared.check_whole(purpose)?;
        let pool: Arc<Pool> = Arc::default();
        let convolutions = convolutions(&shared.plan(&shared.tuning(), batch, purpose.size)?);
        let by_rule = shared.bind_alone(purpose, shared.tuning().without(&convolutions), Arc::clone(&pool)).await?;
        let rule = by_rule.plan().options().tuning.clone();
        let classes = classes(by_rule.plan());

        let mut timings = kept_timings(&shared.gpu, &rule, batch);
        for class in &classes {
            let kept = timings.entry(class.name.clone()).or_default();
            kept.retain(|timing| class.candidates.contains(&timing.tile));
            // Others were measured against it.
            if of(kept, class.rule).is_none() {
                kept.clear();
            }
        }
        let work = work(&classes);
        let (count, is_there) = (work.len(), |(tile, class): &(Tile, &Class)| of(&timings[&class.name], *tile).is_some());
        let (there, missing): (Vec<_>, Vec<_>) = work.into_iter().partition(is_there);
        let resumed = there.len();
        let mut candidate: Option<(Tile, BoundPlan)> = None;
        for (index, (tile, class)) in missing.into_iter().enumerate() {
            let before = &timings[&class.name];
            let best = before.iter().copied().min_by(|a, b| a.seconds.total_cmp(&b.seconds));
            watch(TuningProgress { measured: resumed + index, count, resumed, next: Some((tile, &class.name)), best });
            let timing = match (of(before, class.rule), best) {
                (Some(of_rule), Some(best)) => {
                    let (_, bound) = match candidate.take().filter(|(bound, _)| *bound == tile) {
                        Some(bound) => candidate.insert(bound),
                        None => {
                            let preferring = rule.clone().preferring(tile, &convolutions);
                            candidate.insert((tile, shared.bind_alone(purpose, preferring, Arc::clone(&pool)).await?))
                        }
                    };
                    if !matches!(bound.plan().steps()[class.step].tile, Some((used, _)) if used == tile) {
                        continue; // it is wrong on this device
                    }
                    let best = best.seconds / of_rule.seconds;
                    let ratio = bound.step_in_turns(&by_rule, &shared.gpu, class.step, best).await?;
                    Timing { tile, seconds: ratio.tile_by_rule * of_rule.seconds, given_up: ratio.given_up }
                }
                _ => Timing { tile, seconds: by_rule.step_alone(&shared.gpu, class.step).await?, given_up: false },
            };
            timings.entry(class.name.clone()).or_default().push(timing);
            keep_timings(&shared.gpu, &rule, batch, &timings);
        }
        drop(candidate);

        timings.retain(|name, _| classes.iter().any(|class| class.name == *name));
        for class in timings.values_mut() {
            class.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        }
        watch(TuningProgress { measured: count, count, resumed, next: None, best: None });
        let fastest = timings.iter().filter_map(|(class, timings)| Some((class.clone(), timings.first()?.tile)));
        let fastest: Vec<(String, Tile)> = fastest.collect();
        let tuned = shared.bind_alone(purpose, rule.with_fastest(fastest.iter().cloned()), pool).await?;
        let [first, seconds_tuned, second] = by_rule.convolutions_in_turns(&tuned, &shared.gpu).await?;
        let [seconds_by_rule, noise] = [first.min(second), first.max(second) / first.min(second)];
        let found = Tuned { timings, seconds_by_rule, seconds_tuned, noise };
        let tuning = {
            let mut tuning = lock(&shared.tuning);
            let rule = tuning.clone().without(&convolutions);
            *tuning = if found.is_faster() { rule.with_fastest(fastest) } else { rule };
            tuning.clone()
        };
        keep(&shared.gpu, &tuning);
        shared.bound().clear();
        Ok(found)
    }
}

/// The plan's convolutions.
fn convolutions(plan: &Plan) -> Vec<Convolution> {
    plan.steps().iter().filter_map(|step| Some(step.tile?.1)).collect()
}

/// The classes of the plan's convolutions.
fn classes(plan: &Plan) -> Vec<Class> {
    let rule = &plan.options().tuning;
    let mut steps: BTreeMap<String, Vec<(usize, Tile, Convolution)>> = BTreeMap::new();
    for (index, step) in plan.steps().iter().enumerate() {
        if let Some((tile, convolution)) = step.tile {
            steps.entry(rule.class(&convolution)).or_default().push((index, tile, convolution));
        }
    }
    let class = |(name, steps): (String, Vec<(usize, Tile, Convolution)>)| {
        let (step, rule_tile, convolution) = steps[steps.len() / 2];
        Class { name, step, rule: rule_tile, candidates: rule.candidates(&convolution) }
    };
    steps.into_iter().map(class).collect()
}

/// What is to be measured: the rule's tiles first, which the others are measured against, then tile by tile.
fn work(classes: &[Class]) -> Vec<(Tile, &Class)> {
    let by_rule = classes.iter().map(|class| (class.rule, class));
    let tiles: BTreeSet<Tile> = classes.iter().flat_map(|class| class.candidates.iter().copied()).collect();
    let others = tiles.into_iter().flat_map(|tile| {
        let has_it = move |class: &&Class| class.rule != tile && class.candidates.contains(&tile);
        classes.iter().filter(has_it).map(move |class| (tile, class))
    });
    by_rule.chain(others).collect()
}

/// What was measured of that tile.
fn of(timings: &[Timing], tile: Tile) -> Option<Timing> {
    timings.iter().copied().find(|timing| timing.tile == tile)
}
