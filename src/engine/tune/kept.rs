//! What tunings found, kept from one start to the next: which tiles are the fastest, and what was measured for that.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Timing;
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::kernels::{Precision, Tile, Tuning};

/// The kind of file that has the fastest tiles.
const TUNING: &str = "tuning";

/// The kind of file that has what was measured.
const TIMINGS: &str = "timings";

/// Names of the fastest tiles of each class, by precision.
type Kept = BTreeMap<String, BTreeMap<String, String>>;

/// What was measured of each class, by precision and batch.
type KeptTimings = BTreeMap<String, BTreeMap<String, Vec<KeptTiming>>>;

/// A [`Timing`], with the tile's name.
#[derive(Serialize, Deserialize)]
struct KeptTiming {
    tile: String,
    seconds: f64,
    given_up: bool,
}

fn read<T: DeserializeOwned + Default>(gpu: &Gpu, kind: &str) -> T {
    let content = gpu.cache_file(kind).and_then(|file| file.read());
    content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_default()
}

fn write(gpu: &Gpu, kind: &str, kept: &impl Serialize) {
    if let (Some(file), Ok(content)) = (gpu.cache_file(kind), serde_json::to_vec(kept)) {
        file.write(&content);
    }
}

/// How convolutions are computed on a device: by the rule, but for classes for which an earlier
/// [`Engine::tune`](crate::Engine::tune) found something faster.
///
/// ```
/// use densenet_wgpu::tuning::device_tuning;
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Gpu, Plan, Precision};
///
/// let gpu = Gpu::open(None)?;
/// let tuning = device_tuning(&gpu, Precision::F32);
/// assert_eq!(tuning.capabilities(), gpu.capabilities());
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default().with_tuning(tuning))?;
/// println!("{plan}"); // with the kernels that this device would run
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
pub fn device_tuning(gpu: &Gpu, precision: Precision) -> Tuning {
    Tuning::new(gpu.capabilities()).with_precision(precision).with_fastest(kept(gpu, precision))
}

/// The fastest tiles that an earlier tuning found.
fn kept(gpu: &Gpu, precision: Precision) -> BTreeMap<String, Tile> {
    let named = read::<Kept>(gpu, TUNING).remove(precision.name()).unwrap_or_default();
    named.into_iter().filter_map(|(class, name)| Some((class, Tile::named(&name)?))).collect()
}

pub(super) fn keep(gpu: &Gpu, tuning: &Tuning) {
    let mut kept: Kept = read(gpu, TUNING);
    let named = tuning.fastest().iter().map(|(class, tile)| (class.clone(), tile.to_string()));
    kept.insert(tuning.precision().name().into(), named.collect());
    write(gpu, TUNING, &kept);
}

/// What was measured before on the device, of batches of that size in the tuning's precision, by class.
pub(super) fn kept_timings(gpu: &Gpu, tuning: &Tuning, batch: usize) -> BTreeMap<String, Vec<Timing>> {
    let timing = |kept: KeptTiming| Some(Timing { tile: Tile::named(&kept.tile)?, seconds: kept.seconds, given_up: kept.given_up });
    let is_sound = |timing: &Timing| timing.seconds.is_finite() && timing.seconds > 0.0;
    let kept = read::<KeptTimings>(gpu, TIMINGS).remove(&of_what(tuning, batch)).unwrap_or_default();
    kept.into_iter().map(|(class, kept)| (class, kept.into_iter().filter_map(timing).filter(is_sound).collect())).collect()
}

/// Keeps what was measured so far in place of what was kept of the same.
pub(super) fn keep_timings(gpu: &Gpu, tuning: &Tuning, batch: usize, timings: &BTreeMap<String, Vec<Timing>>) {
    let mut kept: KeptTimings = read(gpu, TIMINGS);
    let named = |timing: &Timing| KeptTiming { tile: timing.tile.to_string(), seconds: timing.seconds, given_up: timing.given_up };
    let named = timings.iter().map(|(class, timings)| (class.clone(), timings.iter().map(named).collect()));
    kept.insert(of_what(tuning, batch), named.collect());
    write(gpu, TIMINGS, &kept);
}

fn of_what(tuning: &Tuning, batch: usize) -> String {
    format!("{}, batch {batch}", tuning.precision().name())
}

/// Errors where what [`Engine::tune`](crate::Engine::tune) finds on this device cannot be kept: it has no cache, or that cannot be
/// written to.
///
/// ```
/// use densenet_wgpu::devices::Cache;
/// use densenet_wgpu::tuning::check_tuning;
/// use densenet_wgpu::Gpu;
///
/// let folder = tempfile::tempdir().expect("a folder");
/// let gpu = Gpu::open(None)?.with_cache(Cache::at(folder.path()));
/// check_tuning(&gpu)?;
/// let error = check_tuning(&gpu.with_cache(Cache::at("Cargo.toml"))).unwrap_err().to_string();
/// assert!(error.starts_with("Cargo.toml: "), "{error}");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
pub fn check_tuning(gpu: &Gpu) -> Result<()> {
    let Some(file) = gpu.cache_file(TUNING) else {
        return Err(Error::Options { expected: "a cache folder, in which a tuning is kept".into(), found: "none".into() });
    };
    let path = gpu.cache().folder().unwrap_or(file.path()).to_path_buf();
    file.check().map_err(|source| Error::File { path, source })
}

/// Forgets what [`Engine::tune`](crate::Engine::tune) found and measured on this device; the rule decides again.
///
/// ```
/// use densenet_wgpu::tuning::{device_tuning, forget_tuning};
/// use densenet_wgpu::devices::Cache;
/// use densenet_wgpu::{Gpu, Precision};
///
/// let folder = tempfile::tempdir().expect("a folder");
/// let gpu = Gpu::open(None)?.with_cache(Cache::at(folder.path()));
/// forget_tuning(&gpu);
/// assert!(device_tuning(&gpu, Precision::F32).fastest().is_empty());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
pub fn forget_tuning(gpu: &Gpu) {
    write(gpu, TUNING, &Kept::new());
    forget_timings(gpu);
}

/// Forgets what [`Engine::tune`](crate::Engine::tune) measured on this device, and not what it found: the next tuning measures
/// everything anew.
///
/// ```
/// use densenet_wgpu::devices::Cache;
/// use densenet_wgpu::tuning::forget_timings;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
///
/// let folder = tempfile::tempdir().expect("a folder");
/// let gpu = Gpu::open(None)?.with_cache(Cache::at(folder.path()));
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&gpu, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// engine.tune(1, 64, 64)?;
/// engine.tune_watched(1, 64, 64, |progress| assert_eq!(progress.resumed, progress.count))?;
/// forget_timings(&gpu);
/// engine.tune_watched(1, 64, 64, |progress| assert_eq!(progress.resumed, 0))?;
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
pub fn forget_timings(gpu: &Gpu) {
    write(gpu, TIMINGS, &KeptTimings::new());
}
