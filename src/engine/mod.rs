//! A network on a device: pipelines, weights and buffers made once, and one loop that encodes the plan.
//!
//! # Internals
//!
//! Weights are uploaded once. For each batch and picture size a plan is made and *bound*: buffers, parameters and bind
//! groups. Bound plans are cached, the least recently used is dropped. Runs share a bound plan's buffers: its mutex is
//! held while a run's commands are submitted, and the queue executes submissions in order, so that runs follow each other
//! on the device, whether several threads started them or one, while each waits for its own read-back buffer. Commands
//! that a program encodes have a bound plan of their own, since nothing says when they are submitted; so have pictures,
//! whose samples are normalised on the device by a kernel before the plan's first.
//!
//! [`Engine::run`] takes numbers and waits; [`Engine::run_pictures`] takes 8-bit samples; [`Engine::start`] does not wait;
//! [`Engine::run_async`] does not block; [`Engine::encode`] puts the network into a program's own commands. How fast it is say
//! [`Engine::time`] and a [`Profile`](crate::Profile); [`Engine::tune`] makes it faster; [`Engine::walk`] shows what every layer
//! makes.
//!
//! ```
//! use densenet_wgpu::engine::Input;
//! use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
//!
//! let model = models::bundled("digits").expect("it is bundled")?;
//! let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
//!
//! let pictures = vec![0.5; 2 * 3 * 64 * 64]; // [N, C, H, W]
//!
//! // Two batches on the device at a time: the second is started before the first is waited for.
//! let first = engine.start(Input::Values(&pictures), 64, 64)?;
//! let second = engine.start(Input::Values(&pictures), 64, 64)?;
//! assert_eq!(first.wait()?, second.wait()?); // [N, classes]
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod accuracy;
mod bound;
mod check;
mod dispatch;
mod input;
mod pipelines;
mod readback;
mod run;
mod timeline;
mod timestamps;
mod tune;
mod upload;
mod verdicts;
mod walk;
mod weights;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::graph::Graph;
use crate::kernels::{Convolution, Precision, Region, Tile, Tuning, Variant, normalise};
use crate::plan::{Plan, PlanOptions};
use crate::samples::Samples;
use crate::shape::Shape;
use crate::weights::Weights;
use bound::{BoundPlan, Origin, consecutive};
pub(crate) use pipelines::Pipelines;
pub(crate) use readback::Readback;
pub(crate) use verdicts::Verdicts;
use weights::WeightBuffers;

pub use accuracy::best_precision;
pub use dispatch::Grain;
pub use input::Input;
pub use run::Run;
pub use timeline::{Clock, Timeline};
pub use tune::{Timing, device_tuning, forget_tuning};
pub use walk::{Made, Walk};

/// Bound plans an engine keeps: enough for two picture sizes, each with full batches and a last short one.
const BOUND_PLANS: usize = 4;

/// How an engine is made.
///
/// ```
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Precision, best_precision, models};
///
/// let (gpu, model) = (Gpu::open(None)?, models::bundled("digits").expect("it is bundled")?);
///
/// let options = EngineOptions { precision: best_precision(&gpu)?, batch_invariant: true, ..EngineOptions::default() };
/// let engine = Engine::new(&gpu, &model.graph(64, 64)?, &model.weights, options)?;
/// assert!(engine.tuning().batch_invariant);
/// assert!(engine.tuning().precision == Precision::F32 || gpu.capabilities().f16);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EngineOptions {
    /// Whether operations share kernels ([`PlanOptions::fusion`]).
    pub fusion: bool,
    /// Whether shaders are compiled with bounds checks. They are slower, and needless: the kernels compute no index from
    /// data, but for a byte in a table of 256. Tests run both.
    pub shader_checks: bool,
    /// The numbers that weights and activations are stored in. Inputs, outputs and sums are 32-bit floats in any case.
    pub precision: Precision,
    /// Whether an image's result has the same bits in any batch ([`Tuning::batch_invariant`]); slower on GPUs.
    pub batch_invariant: bool,
    /// Which kernels compute convolutions, in place of those that suit the device; then its precision and its batch
    /// invariance count.
    pub tuning: Option<Tuning>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { fusion: true, shader_checks: false, precision: Precision::F32, batch_invariant: false, tuning: None }
    }
}

/// A network ready to run on a device, for any batch and any picture size.
///
/// ```
/// use densenet_wgpu::{Checkpoint, Engine, EngineOptions, Gpu};
///
/// let model = Checkpoint::open("models/digits.safetensors")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
/// let two_pictures = vec![0.0; 2 * 3 * 64 * 64]; // [N, C, H, W]
/// let logits = engine.run(&two_pictures)?; // [N, classes]
/// assert_eq!(logits.len(), 2 * 10);
///
/// let larger = engine.run_at(&[0.0; 3 * 96 * 80], 96, 80)?; // another size, the same weights
/// assert_eq!(larger.len(), 10);
/// println!("{} steps, {} bytes on the device", engine.plan(2, 64, 64)?.steps().len(), engine.byte_allocated());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
///
/// It may be shared between threads: their runs follow each other on the device.
#[derive(Debug)]
pub struct Engine {
    gpu: Gpu,
    graph: Graph,
    fusion: bool,
    tuning: Mutex<Tuning>,
    verdicts: Mutex<Verdicts>,
    weights: WeightBuffers,
    pipelines: Pipelines,
    bound: Mutex<VecDeque<Arc<BoundPlan>>>,
    /// Batches that were found to be the largest for a picture size, after the device ran out of memory.
    largest_batches: Mutex<HashMap<[usize; 2], usize>>,
}

impl Engine {
    /// Uploads `weights` and builds the pipelines of `graph`. Errors where a tensor is missing, left over, mis-shaped or
    /// not finite, and where the device refuses.
    pub fn new(gpu: &Gpu, graph: &Graph, weights: &Weights, options: EngineOptions) -> Result<Self> {
        pollster::block_on(Self::new_async(gpu, graph, weights, options))
    }

    /// [`Engine::new`] for callers that may not block.
    ///
    /// With [`Engine::run_async`], on whatever runs a program's futures:
    ///
    /// ```
    /// use densenet_wgpu::{Engine, EngineOptions, Gpu, Result, models};
    ///
    /// async fn logits(picture: &[f32]) -> Result<Vec<f32>> {
    ///     let model = models::bundled("digits").expect("it is bundled")?;
    ///     let gpu = Gpu::open_async(None).await?;
    ///     let engine = Engine::new_async(&gpu, &model.graph(64, 64)?, &model.weights, EngineOptions::default()).await?;
    ///     engine.run_async(picture, 64, 64).await
    /// }
    /// # assert_eq!(pollster::block_on(logits(&[0.5; 3 * 64 * 64]))?.len(), 10);
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub async fn new_async(gpu: &Gpu, graph: &Graph, weights: &Weights, options: EngineOptions) -> Result<Self> {
        Self::with_sources(gpu, graph, weights, options, Variant::source).await
    }

    #[tracing::instrument(name = "make engine", skip_all)]
    pub(crate) async fn with_sources(
        gpu: &Gpu,
        graph: &Graph,
        weights: &Weights,
        options: EngineOptions,
        source: fn(&Variant) -> String,
    ) -> Result<Self> {
        weights.check(graph)?;
        let EngineOptions { fusion, shader_checks, precision, batch_invariant, tuning } = options;
        let own = || Tuning { batch_invariant, ..device_tuning(gpu, precision) };
        let tuning = tuning.unwrap_or_else(own);
        let plan = Plan::new(graph, plan_options(gpu, fusion, &tuning, 1))?;
        let weights = WeightBuffers::upload(gpu, &plan, weights).await?;
        let pipelines = Pipelines::new(gpu, shader_checks).await?.with_sources(source);
        let engine = Self {
            gpu: gpu.clone(),
            graph: graph.clone(),
            fusion,
            tuning: Mutex::new(tuning),
            verdicts: Mutex::new(Verdicts::open(gpu.cache_file("verdicts"))),
            weights,
            pipelines,
            bound: Mutex::default(),
            largest_batches: Mutex::default(),
        };
        let Shape { height, width, .. } = graph.input_shape();
        let plan = engine.checked_plan(1, height, width).await?;
        engine.pipelines.build(gpu, plan.steps().iter().map(|step| &step.kernel.variant)).await?;
        Ok(engine)
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The device.
    pub fn gpu(&self) -> &Gpu {
        &self.gpu
    }

    /// The plan for `batch` pictures of `height` x `width` pixels, as this engine would run it (batches larger than the
    /// device can hold are run in several parts).
    pub fn plan(&self, batch: usize, height: usize, width: usize) -> Result<Plan> {
        Plan::new(&self.graph.resized(height, width)?, plan_options(&self.gpu, self.fusion, &lock(&self.tuning), batch))
    }

    /// The choice of kernels as it is now: tiles that turned out to be wrong on the device are excluded.
    pub fn tuning(&self) -> Tuning {
        lock(&self.tuning).clone()
    }

    /// Bytes of all buffers that are allocated now: weights, activations and parameters.
    pub fn byte_allocated(&self) -> u64 {
        self.weights.bytes() + self.bound().iter().map(|b| b.bytes()).sum::<u64>()
    }

    /// Runs a batch `[N, C, H, W]` of the graph's own picture size; N follows from the length.
    ///
    /// Returns `[N, classes]`, or the output's `[N, C, H, W]` where the network ends in a picture; the first output where
    /// it has several, which [`Engine::start`] and [`Run::wait_all`] give. Errors where the length is no multiple of a
    /// picture's, an element is not finite, or the device fails.
    pub fn run(&self, input: &[f32]) -> Result<Vec<f32>> {
        let Shape { height, width, .. } = self.graph.input_shape();
        self.run_at(input, height, width)
    }

    /// [`Engine::run`] for pictures of another size.
    pub fn run_at(&self, input: &[f32], height: usize, width: usize) -> Result<Vec<f32>> {
        self.start(Input::Values(input), height, width)?.wait()
    }

    /// [`Engine::run_at`] for pictures of 8-bit samples, `height` x `width` pixels each, which the device normalises.
    ///
    /// The result is that of [`Engine::run_at`] on what [`Samples::values`] makes of them, bit for bit, and a quarter as
    /// many bytes go to the device. Errors where a picture's samples are not those of whole pixels, it has not a table
    /// for each channel, a sample stands for a number that is not finite, or the device fails.
    ///
    /// ```
    /// use densenet_wgpu::{Engine, EngineOptions, Gpu, image::Picture, models};
    ///
    /// let mut model = models::bundled("digits").expect("it is bundled")?;
    /// let preprocessing = model.describe(None).preprocessing;
    /// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
    ///
    /// let picture = preprocessing.prepare(&Picture::open("examples/digits/0-1445-8.png")?)?;
    /// let values = picture.samples().values();
    /// assert_eq!(engine.run_pictures(&[picture.samples()], 64, 64)?, engine.run(&values)?);
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn run_pictures(&self, pictures: &[Samples<'_>], height: usize, width: usize) -> Result<Vec<f32>> {
        self.start(Input::Pictures(pictures), height, width)?.wait()
    }

    /// Starts a run and returns while the device works on it; [`Run::wait`] gives what [`Engine::run_at`] or
    /// [`Engine::run_pictures`] would have.
    ///
    /// Runs follow each other on the device in the order in which they were started, and the device need not pause
    /// between two where the second is started before the first is waited for. Each run that is not waited for holds a
    /// copy of its input until the device has begun with it, and room for its output.
    ///
    /// A batch too large for the device is run in parts: all but the last two are waited for here. Errors as those two do.
    pub fn start(&self, input: Input<'_>, height: usize, width: usize) -> Result<Run> {
        pollster::block_on(self.start_and(Readback::wait, input, height, width))
    }

    /// [`Engine::run_at`] for callers that may not block: a thread of its own waits for the device.
    pub async fn run_async(&self, input: &[f32], height: usize, width: usize) -> Result<Vec<f32>> {
        let wait = Readback::wait_in_background;
        self.start_and(wait, Input::Values(input), height, width).await?.finish_first(wait).await
    }

    /// Encodes a run into a program's own encoder: `input` `[N, C, H, W]` and `output` `[N, classes]` stay on the device.
    /// Where the network has several outputs, `output` gets all of them, one after the other, each for all N images.
    ///
    /// `input` needs `COPY_SRC` and `output` `COPY_DST`; both are of this engine's device and are used from their
    /// beginning. The program submits; nothing waits. Errors where a buffer is too small.
    ///
    /// ```
    /// use densenet_wgpu::wgpu::{BufferDescriptor, BufferUsages};
    /// use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
    ///
    /// let model = models::bundled("digits").expect("it is bundled")?;
    /// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
    ///
    /// let (device, queue) = (engine.gpu().device(), engine.gpu().queue()); // a program has its own
    /// let buffer = |label, size, usage| {
    ///     device.create_buffer(&BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
    /// };
    /// let input = buffer("picture", 4 * 3 * 64 * 64, BufferUsages::COPY_SRC | BufferUsages::COPY_DST);
    /// let output = buffer("logits", 4 * 10, BufferUsages::COPY_SRC | BufferUsages::COPY_DST);
    ///
    /// let mut encoder = device.create_command_encoder(&Default::default());
    /// engine.encode(&mut encoder, &input, &output, 1, [64, 64])?;
    /// assert!(engine.encode(&mut encoder, &input, &output, 2, [64, 64]).is_err()); // the buffers are too small
    /// queue.submit([encoder.finish()]);
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        input: &wgpu::Buffer,
        output: &wgpu::Buffer,
        batch: usize,
        [height, width]: [usize; 2],
    ) -> Result<()> {
        let parts = pollster::block_on(self.parts(Origin::Program, batch, height, width))?;
        let total = |bytes: &dyn Fn(&BoundPlan) -> u64| parts.iter().map(|part| bytes(part)).sum::<u64>();
        let byte_outputs: Vec<u64> =
            (0..self.graph.outputs().len()).map(|index| total(&|part| part.byte_outputs().nth(index).unwrap_or(0))).collect();
        for (name, buffer, needed) in [("input", input, total(&BoundPlan::byte_input)), ("output", output, byte_outputs.iter().sum())] {
            if buffer.size() < needed {
                return Err(Error::Input {
                    expected: format!("an {name} buffer of at least {needed} bytes for {batch} images"),
                    found: format!("{} bytes", buffer.size()),
                });
            }
        }
        let mut byte_input = 0;
        let mut byte_offsets: Vec<u64> = consecutive(byte_outputs.into_iter()).collect();
        for part in &parts {
            pollster::block_on(self.gpu.caught(|| part.encode_between(encoder, (input, byte_input), (output, &byte_offsets))))?;
            byte_input += part.byte_input();
            byte_offsets.iter_mut().zip(part.byte_outputs()).for_each(|(offset, bytes)| *offset += bytes);
        }
        Ok(())
    }

    /// Starts a batch part by part; `wait` makes sure that a part's result arrives.
    async fn start_and(&self, wait: readback::Wait, input: Input<'_>, height: usize, width: usize) -> Result<Run> {
        self.gpu.check()?;
        let shape = Shape { height, width, ..self.graph.input_shape() };
        let batch = input.images(shape)?;
        let mut run = Run::new(&self.gpu, lock(&self.tuning).precision, self.graph.outputs().len());
        let mut rest = input;
        for part in self.parts(input.into(), batch, height, width).await? {
            run.make_room(wait).await?;
            let (images, after) = rest.split_at(part.images(), shape);
            rest = after;
            run.push(part.submit(&self.gpu, images, None).await?.0);
        }
        Ok(run)
    }

    /// The bound plans that together run `batch` images: as few and as equal as the device's limits and memory allow.
    async fn parts(&self, origin: Origin, batch: usize, height: usize, width: usize) -> Result<Vec<Arc<BoundPlan>>> {
        if batch == 0 {
            return Err(Error::Input { expected: "a batch of at least 1".into(), found: "0".into() });
        }
        let mut largest = self.largest_batch(height, width)?;
        loop {
            let count = batch.div_ceil(largest);
            let each = batch.div_ceil(count);
            match self.bound_parts(origin, batch, each, height, width).await {
                Err(Error::OutOfMemory { .. }) if each > 1 => {
                    self.bound().clear();
                    largest = each / 2;
                    lock(&self.largest_batches).insert([height, width], largest);
                }
                parts => return parts,
            }
        }
    }

    async fn bound_parts(&self, origin: Origin, batch: usize, each: usize, height: usize, width: usize) -> Result<Vec<Arc<BoundPlan>>> {
        let mut parts = vec![self.bound_plan(origin, each, height, width).await?; batch / each];
        if !batch.is_multiple_of(each) {
            parts.push(self.bound_plan(origin, batch % each, height, width).await?);
        }
        Ok(parts)
    }

    /// The most images of this size that the device's limits let run at once.
    fn largest_batch(&self, height: usize, width: usize) -> Result<usize> {
        if let Some(&largest) = lock(&self.largest_batches).get(&[height, width]) {
            return Ok(largest);
        }
        let limit = self.gpu.byte_buffer_limit();
        let single = self.plan(1, height, width)?;
        // Tiny pictures have tables that are larger than they are; all outputs are read back in one buffer.
        let largest_buffer = |plan: &Plan| {
            let others = [normalise::byte_tables(plan.input()), plan.outputs().iter().map(Region::bytes).sum()];
            plan.byte_buffers().chain(others).max().unwrap_or(0)
        };
        let needed = largest_buffer(&single).max(1);
        let fits = |plan: &Plan| largest_buffer(plan) <= limit && plan.steps().iter().all(|s| s.kernel.is_dispatchable());
        if !fits(&single) {
            let what = format!("one {height}x{width} image's largest activation buffer");
            return Err(Error::TooLarge { what, needed, limit, adapter: self.gpu.summary().name.clone() });
        }
        let mut largest = (limit / needed).max(1) as usize;
        while largest > 1 && !self.plan(largest, height, width).is_ok_and(|plan| fits(&plan)) {
            largest -= 1;
        }
        lock(&self.largest_batches).insert([height, width], largest);
        Ok(largest)
    }

    async fn bound_plan(&self, origin: Origin, batch: usize, height: usize, width: usize) -> Result<Arc<BoundPlan>> {
        let found = {
            let mut bound = self.bound();
            let position = bound.iter().position(|b| b.is_for(origin, batch, height, width));
            position.and_then(|position| bound.remove(position)).inspect(|found| bound.push_front(Arc::clone(found)))
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let plan = self.checked_plan(batch, height, width).await?;
        let made = Arc::new(BoundPlan::new(&self.gpu, origin, plan, &self.weights, &self.pipelines).await?);
        let mut bound = self.bound();
        bound.push_front(Arc::clone(&made));
        bound.truncate(BOUND_PLANS);
        Ok(made)
    }

    /// A plan of tiles that are right on this device. Those that are not are excluded, and others take their place.
    async fn checked_plan(&self, batch: usize, height: usize, width: usize) -> Result<Plan> {
        loop {
            let plan = self.plan(batch, height, width)?;
            let mut doubtful: BTreeMap<String, (Tile, Convolution)> = BTreeMap::new();
            let mut wrong: Vec<Tile> = Vec::new();
            {
                let verdicts = lock(&self.verdicts);
                for (step, &(tile, convolution)) in plan.steps().iter().filter_map(|step| Some((step, step.tile.as_ref()?))) {
                    let checks = if self.pipelines.has_checks() { " with checks" } else { "" };
                    let label = format!("{}{checks}, {}", step.kernel.variant, convolution.window);
                    match verdicts.of(&label) {
                        Some(true) => {}
                        Some(false) => wrong.push(tile),
                        None => drop(doubtful.insert(label, (tile, convolution))),
                    }
                }
            }
            if wrong.is_empty() && doubtful.is_empty() {
                return Ok(plan);
            }
            if !doubtful.is_empty() {
                lock(&self.verdicts).begin(doubtful.keys().map(String::as_str));
                // All at once, on every core; what fails to compile fails again below, alone.
                let _ = self.pipelines.build(&self.gpu, plan.steps().iter().map(|step| &step.kernel.variant)).await;
                let mut found = Vec::new();
                for (label, (tile, convolution)) in &doubtful {
                    let right = check::computes(&self.gpu, &self.pipelines, *tile, convolution).await?;
                    found.push((label.as_str(), right));
                    wrong.extend((!right).then_some(*tile));
                }
                lock(&self.verdicts).end(found.into_iter());
            }
            if wrong.is_empty() {
                return Ok(plan);
            }
            lock(&self.tuning).excluded.extend(wrong);
        }
    }

    fn bound(&self) -> MutexGuard<'_, VecDeque<Arc<BoundPlan>>> {
        lock(&self.bound)
    }
}

/// The guarded value; a thread that panicked while it held the lock left nothing half done in any of ours.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn plan_options(gpu: &Gpu, fusion: bool, tuning: &Tuning, batch: usize) -> PlanOptions {
    PlanOptions { batch, fusion, byte_weight_buffer: gpu.byte_buffer_limit(), tuning: tuning.clone() }
}
