//! What changed between two profiles.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::{Profile, StepProfile};

/// A comparison of a profile with an older one of the same network.
///
/// ```
/// use densenet_wgpu::profile::{Ceilings, Comparison, Profile};
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
/// let ceilings = Ceilings { gflops: 100.0, gigabytes_per_second: 10.0, launch_ms: 0.01 }; // or `Ceilings::measure`
/// let profile = Profile::measure(&engine, Input::values(&[0.5; 3 * 64 * 64], [64, 64]), 1, ceilings)?;
/// let later = Profile::measure(&engine, Input::values(&[0.5; 3 * 64 * 64], [64, 64]), 1, ceilings)?;
/// let comparison = Comparison::new(&profile, &later);
/// assert_eq!(comparison.steps.len(), profile.steps.len());
/// println!("{comparison}"); // what moved most comes first
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The whole run, on the device ([`Profile::total_gpu_ms`]).
    pub total: Change,
    /// The whole run in wall time ([`Profile::wall_ms`]).
    pub wall: Change,
    /// Changes by module, largest first, in milliseconds.
    pub modules: Vec<Change>,
    /// Changes by step, largest first. A step that one profile does not have takes no time there.
    pub steps: Vec<Change>,
}

/// The time of one part before and now.
///
/// ```
/// use densenet_wgpu::profile::{Ceilings, Comparison, Profile};
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
/// let ceilings = Ceilings { gflops: 100.0, gigabytes_per_second: 10.0, launch_ms: 0.01 };
/// let mut before = Profile::measure(&engine, Input::values(&[0.5; 3 * 64 * 64], [64, 64]), 1, ceilings)?;
/// let mut now = before.clone();
/// (before.wall_ms, now.wall_ms) = (4.0, 3.0);
/// let change = Comparison::new(&before, &now).wall;
/// assert_eq!((change.difference_ms(), change.ratio()), (-1.0, Some(0.75)));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Its name.
    pub name: String,
    /// Milliseconds before; `None` if it did not exist.
    pub before_ms: Option<f64>,
    /// Milliseconds now; `None` if it no longer exists.
    pub now_ms: Option<f64>,
}

impl Change {
    /// The increase in milliseconds.
    pub fn difference_ms(&self) -> f64 {
        self.now_ms.unwrap_or(0.0) - self.before_ms.unwrap_or(0.0)
    }

    /// The time relative to before, if it exists in both.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.now_ms? / self.before_ms.filter(|&before| before > 0.0)?)
    }
}

impl Comparison {
    /// Compares `before` with `now`.
    pub fn new(before: &Profile, now: &Profile) -> Self {
        let change = |name: &str, before_ms, now_ms| Change { name: name.into(), before_ms: Some(before_ms), now_ms: Some(now_ms) };
        let steps = |profile: &Profile| times(profile.steps.iter().map(|step: &StepProfile| (step.name.clone(), step.gpu_ms)));
        let modules = |profile: &Profile| times(profile.by_module().into_iter().map(|total| (total.name, total.gpu_ms)));
        Self {
            total: change("on the device", before.total_gpu_ms, now.total_gpu_ms),
            wall: change("wall time", before.wall_ms, now.wall_ms),
            modules: changes(&modules(before), &modules(now)),
            steps: changes(&steps(before), &steps(now)),
        }
    }
}

/// The time for each name, in order of first occurrence. Steps with the same name (the parts of a concat) are added.
fn times(named: impl Iterator<Item = (String, f64)>) -> Vec<(String, f64)> {
    let mut times: Vec<(String, f64)> = Vec::new();
    for (name, ms) in named {
        match times.iter_mut().find(|(other, _)| *other == name) {
            Some((_, sum)) => *sum += ms,
            None => times.push((name, ms)),
        }
    }
    times
}

fn changes(before: &[(String, f64)], now: &[(String, f64)]) -> Vec<Change> {
    let of = |times: &[(String, f64)]| times.iter().cloned().collect::<HashMap<String, f64>>();
    let (was, is) = (of(before), of(now));
    let gone = before.iter().filter(|(name, _)| !is.contains_key(name));
    let names = now.iter().chain(gone).map(|(name, _)| name);
    let mut changes: Vec<Change> =
        names.map(|name| Change { name: name.clone(), before_ms: was.get(name).copied(), now_ms: is.get(name).copied() }).collect();
    changes.sort_by(|a, b| b.difference_ms().abs().total_cmp(&a.difference_ms().abs()));
    changes
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [&self.total, &self.wall].into_iter().chain(&self.modules).chain(&self.steps);
        let width = all.map(|change| change.name.len()).max().unwrap_or(0);
        let ms = |ms: Option<f64>| ms.map_or("-".into(), |ms| format!("{ms:.3}"));
        let line = |f: &mut fmt::Formatter<'_>, change: &Change| {
            let ratio = change.ratio().map_or("-".into(), |ratio| format!("x{ratio:.2}"));
            let Change { name, before_ms, now_ms } = change;
            writeln!(f, "{name:<width$}  {:>10}  {:>10}  {:>+10.3}  {ratio:>7}", ms(*before_ms), ms(*now_ms), change.difference_ms())
        };
        writeln!(f, "{:<width$}  {:>10}  {:>10}  {:>10}  {:>7}", "", "before ms", "now ms", "moved ms", "ratio")?;
        for changes in [&[self.total.clone(), self.wall.clone()][..], &self.modules, &self.steps] {
            changes.iter().try_for_each(|change| line(f, change))?;
            writeln!(f)?;
        }
        Ok(())
    }
}
