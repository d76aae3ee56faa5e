//! Which tile is the fastest for each class of a network's convolutions, measured on the device.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::bound::{Owner, Purpose};
use super::pool::Pool;
use super::shared::Shared;
use super::{Engine, lock};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::kernels::{Convolution, Precision, Tile, Tuning};

/// A measurement lasts about this long, so that its submission's own cost does not count.
const SECONDS: f64 = 0.01;

/// Rounds over all tiles; the fastest of a tile's runs counts.
const ROUNDS: usize = 3;

/// What was measured of one tile.
///
/// ```no_run
/// use densenet_wgpu::tuning::forget_tuning;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// for (class, timings) in engine.tune(1, 64, 64)? {
///     println!("{class}: {} in {:.1} µs", timings[0].tile, 1e6 * timings[0].seconds);
///     assert!(timings.is_sorted_by(|a, b| a.seconds <= b.seconds));
/// }
/// forget_tuning(engine.gpu()); // the next engine goes by the rule again
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Timing {
    /// The tile.
    pub tile: Tile,
    /// One step, in seconds.
    pub seconds: f64,
}

impl Engine {
    /// Measures every tile that is right on this device for each class of the convolutions of `batch` images of `height` x
    /// `width` pixels ([`Tuning::class`]), the fastest tile first. From then on this engine uses the fastest, and so do
    /// new engines of the same [`Precision`] on devices that share this one's [`Cache`](crate::devices::Cache).
    ///
    /// Takes seconds, minutes on a slow device, with buffers of its own; other work on the device disturbs it, but no run meets a
    /// tile before it was measured. Whether what is found can be kept is told by [`check_tuning`]. Errors where the device fails,
    /// and where the batch is too large for it to run at once.
    pub fn tune(&self, batch: usize, height: usize, width: usize) -> Result<BTreeMap<String, Vec<Timing>>> {
        self.tune_watched(batch, height, width, |_, _| {})
    }

    /// [`Engine::tune`], which says before each tile how many were measured, and of how many.
    pub fn tune_watched(
        &self,
        batch: usize,
        height: usize,
        width: usize,
        watch: impl FnMut(usize, usize),
    ) -> Result<BTreeMap<String, Vec<Timing>>> {
        pollster::block_on(self.tune_async(batch, height, width, watch))
    }

    #[tracing::instrument(name = "tune", skip_all, fields(batch, height, width))]
    async fn tune_async(
        &self,
        batch: usize,
        height: usize,
        width: usize,
        mut watch: impl FnMut(usize, usize),
    ) -> Result<BTreeMap<String, Vec<Timing>>> {
        let mut timings: BTreeMap<String, Vec<Timing>> = BTreeMap::new();
        let shared = &self.shared;
        let purpose = Purpose { owner: Owner::Engine, pictures: false, batch, size: [height, width] };
        shared.check_whole(purpose)?;
        let plan = shared.checked_plan(shared.tuning(), batch, purpose.size).await?;
        let before = shared.tuning();
        let convolutions: Vec<Convolution> = plan.steps().iter().filter_map(|step| step.tile).map(|(_, convolution)| convolution).collect();
        let tiles: BTreeSet<Tile> = convolutions.iter().flat_map(|convolution| before.tiles(convolution)).collect();
        let pool: Arc<Pool> = Arc::default();
        let count = tiles.len();
        for (measured, tile) in tiles.into_iter().enumerate() {
            watch(measured, count);
            let candidate = before.clone().preferring(tile, &convolutions);
            for (class, seconds) in shared.measure(purpose, candidate, tile, &pool).await? {
                timings.entry(class).or_default().push(Timing { tile, seconds });
            }
        }
        for class in timings.values_mut() {
            class.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        }
        let fastest = timings.iter().map(|(class, timings)| (class.clone(), timings[0].tile));
        let tuned = {
            let mut tuning = lock(&shared.tuning);
            *tuning = tuning.clone().with_fastest(fastest);
            tuning.clone()
        };
        keep(&shared.gpu, &tuned);
        shared.bound().clear();
        Ok(timings)
    }
}

impl Shared {
    /// Seconds that one dispatch of each class takes with `tile`, wherever `tuning` uses it.
    async fn measure(&self, purpose: Purpose, tuning: Tuning, tile: Tile, pool: &Arc<Pool>) -> Result<BTreeMap<String, f64>> {
        let bound = self.bind_alone(purpose, tuning.clone(), Arc::clone(pool)).await?;
        let mut steps: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, step) in bound.plan().steps().iter().enumerate() {
            if let Some((_, convolution)) = step.tile.filter(|(used, _)| *used == tile) {
                steps.entry(tuning.class(&convolution)).or_default().push(index);
            }
        }
        let mut seconds = BTreeMap::new();
        for (class, steps) in steps {
            // Layers of a block differ in their input channels: one in the middle stands for all.
            let step = steps[steps.len() / 2];
            let time = async |count: usize| {
                let start = Instant::now();
                self.gpu.wait(bound.run_step(&self.gpu, step, count).await?)?;
                Ok::<f64, Error>(start.elapsed().as_secs_f64())
            };
            let mut count = 1;
            time(count).await?;
            while time(count).await? < SECONDS {
                count *= 2;
            }
            let mut best = f64::MAX;
            for _ in 0..ROUNDS {
                best = best.min(time(count).await? / count as f64);
            }
            seconds.insert(class, best);
        }
        Ok(seconds)
    }
}

/// Names of the fastest tiles of each class, by precision.
type Kept = BTreeMap<String, BTreeMap<String, String>>;

fn read(gpu: &Gpu) -> Kept {
    let content = gpu.cache_file("tuning").and_then(|file| file.read());
    content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_default()
}

fn write(gpu: &Gpu, kept: &Kept) {
    if let (Some(file), Ok(content)) = (gpu.cache_file("tuning"), serde_json::to_vec(kept)) {
        file.write(&content);
    }
}

/// How convolutions are computed on a device: by the rule, but for classes that an earlier [`Engine::tune`] measured.
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

/// The fastest tiles that an earlier [`Engine::tune`] found.
fn kept(gpu: &Gpu, precision: Precision) -> BTreeMap<String, Tile> {
    let named = read(gpu).remove(precision.name()).unwrap_or_default();
    named.into_iter().filter_map(|(class, name)| Some((class, Tile::named(&name)?))).collect()
}

fn keep(gpu: &Gpu, tuning: &Tuning) {
    let mut kept = read(gpu);
    let named = tuning.fastest().iter().map(|(class, tile)| (class.clone(), tile.to_string()));
    kept.insert(tuning.precision().name().into(), named.collect());
    write(gpu, &kept);
}

/// Errors where what [`Engine::tune`] finds on this device cannot be kept: it has no cache, or that cannot be written to.
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
    let Some(file) = gpu.cache_file("tuning") else {
        return Err(Error::Options { expected: "a cache folder, in which a tuning is kept".into(), found: "none".into() });
    };
    let path = gpu.cache().folder().unwrap_or(file.path()).to_path_buf();
    file.check().map_err(|source| Error::File { path, source })
}

/// Forgets what [`Engine::tune`] found on this device; the rule decides again.
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
    write(gpu, &Kept::new());
}
