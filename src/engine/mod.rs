//! A network on a device: pipelines, weights and buffers made once, and one loop that encodes the plan.
//!
//! # Internals
//!
//! Weights are uploaded once. For each batch and picture size a plan is made and *bound*: parameters and bind groups, and
//! buffers of a pool that all runs share. Bound plans are cached by what they cost, the least recently used is dropped
//! first. A run holds the pool's turn while its commands are submitted, and the queue executes submissions in order, so
//! that runs follow each other on the device, whether several threads started them or one, while each waits for its own
//! read-back buffer. Commands that a program encodes have buffers of their own, since nothing says when they are submitted;
//! so has whatever measures. A tuning is handed to who plans with it: nobody sees one that is being measured.
//!
//! [`Engine::run`] waits; [`Engine::start`] does not; [`Engine::run_async`] does not block; [`Engine::encode`] puts the
//! network into a program's own commands. All take an [`Input`]: numbers, 8-bit samples, or a buffer. How fast it is say
//! [`Engine::time`] and a [`Profile`](crate::profile::Profile); [`Engine::tune`] makes it faster; [`Engine::walk`] shows what every layer
//! makes.
//!
//! ```
//! use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
//!
//! let model = models::bundled("digits").expect("it is bundled")?;
//! let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
//!
//! let pictures = vec![0.5; 2 * 3 * 64 * 64]; // [N, C, H, W]
//!
//! // Two batches on the device at a time: the second is started before the first is waited for.
//! let first = engine.start(Input::values(&pictures, [64, 64]))?;
//! let second = engine.start(Input::values(&pictures, [64, 64]))?;
//! assert_eq!(first.wait()?, second.wait()?); // [N, classes]
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod accuracy;
mod bound;
mod check;
mod dispatch;
#[cfg(all(test, target_os = "linux"))]
mod faults;
mod input;
mod pipelines;
mod pool;
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
use crate::shape::Shape;
use crate::weights::Weights;
use bound::{BoundPlan, Owner, Purpose, consecutive};
pub(crate) use pipelines::Pipelines;
use pool::Pool;
pub(crate) use readback::{Readback, Waiter};
pub(crate) use verdicts::Verdicts;
use weights::WeightBuffers;

pub use accuracy::best_precision;
pub use dispatch::Grain;
pub use input::Input;
pub use run::Run;
pub use timeline::{Clock, Timeline};
pub use tune::{Timing, device_tuning, forget_tuning};
pub use walk::{Made, Walk};

/// What the bound plans that an engine keeps may cost, in bytes: some hundred plans of runs, or a program's own with their
/// buffers. The last one used is kept whatever it costs.
const BYTE_BOUND_PLANS: u64 = 256 << 20;

/// How an engine is made.
///
/// ```
/// use densenet_wgpu::verify::best_precision;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, models, Precision};
///
/// let (gpu, model) = (Gpu::open(None)?, models::bundled("digits").expect("it is bundled")?);
///
/// let options = EngineOptions::default().with_precision(best_precision(&gpu)?).with_batch_invariant(true);
/// let engine = Engine::new(&gpu, &model.graph(64, 64)?, &model.weights, options)?;
/// assert!(engine.tuning().is_batch_invariant());
/// assert!(engine.tuning().precision() == Precision::F32 || gpu.capabilities().f16);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EngineOptions {
    /// Whether operations share kernels ([`PlanOptions::fusion`]).
    pub fusion: bool,
    /// Whether shaders are compiled with bounds checks. They are slower, and needless: the kernels compute no index from
    /// data, but for a byte in a table of 256. Tests run both.
    pub shader_checks: bool,
    /// The numbers that weights and activations are stored in. Inputs, outputs and sums are 32-bit floats in any case.
    pub precision: Precision,
    /// Whether an image's result has the same bits in any batch ([`Tuning::is_batch_invariant`]); slower on GPUs.
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

impl EngineOptions {
    /// The same with this [`EngineOptions::fusion`].
    pub fn with_fusion(self, fusion: bool) -> Self {
        Self { fusion, ..self }
    }

    /// The same with these [`EngineOptions::shader_checks`].
    pub fn with_shader_checks(self, shader_checks: bool) -> Self {
        Self { shader_checks, ..self }
    }

    /// The same with this [`EngineOptions::precision`].
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The same with this [`EngineOptions::batch_invariant`].
    pub fn with_batch_invariant(self, batch_invariant: bool) -> Self {
        Self { batch_invariant, ..self }
    }

    /// The same with a [`EngineOptions::tuning`] of the program's own.
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning: Some(tuning), ..self }
    }
}

/// A network ready to run on a device, for any batch and any picture size.
///
/// ```
/// use densenet_wgpu::{Checkpoint, Engine, EngineOptions, Gpu, Input};
///
/// let model = Checkpoint::open("models/digits.safetensors")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
/// let two_pictures = vec![0.0; 2 * 3 * 64 * 64]; // [N, C, H, W]
/// let logits = engine.run(Input::values(&two_pictures, [64, 64]))?; // [N, classes]
/// assert_eq!(logits.len(), 2 * 10);
///
/// let larger = engine.run(Input::values(&[0.0; 3 * 96 * 80], [96, 80]))?; // another size, the same weights
/// assert_eq!(larger.len(), 10);
/// println!("{} steps, {} bytes on the device", engine.plan(2, 64, 64)?.steps().len(), engine.byte_allocated());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
///
/// It may be shared between threads: their runs follow each other on the device. A clone is the same engine.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What all clones of an engine share.
#[derive(Debug)]
struct Shared {
    gpu: Gpu,
    graph: Graph,
    fusion: bool,
    tuning: Mutex<Tuning>,
    verdicts: Mutex<Verdicts>,
    weights: WeightBuffers,
    pipelines: Pipelines,
    /// What runs work in.
    pool: Arc<Pool>,
    /// The most recently used first.
    bound: Mutex<VecDeque<Arc<BoundPlan>>>,
    /// What was timed last, with buffers of its own.
    timed: Mutex<Option<BoundPlan>>,
    /// Batches that were found to be the largest for a picture size.
    largest_batches: Mutex<HashMap<[usize; 2], usize>>,
}

impl Engine {
    /// Uploads `weights` and builds the pipelines of `graph`. Errors where a tensor is missing, left over, mis-shaped or
    /// not finite, where the device refuses, and where the options' tuning is for one that can do more.
    pub fn new(gpu: &Gpu, graph: &Graph, weights: &Weights, options: EngineOptions) -> Result<Self> {
        pollster::block_on(Self::with_sources(gpu, graph, weights, options, Variant::source))
    }

    /// [`Engine::new`] for callers that may not block: the device's own thread compiles. In a browser there is none, and
    /// nothing blocks.
    ///
    /// With [`Engine::run_async`], on whatever runs a program's futures:
    ///
    /// ```
    /// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models, Result};
    ///
    /// async fn logits(picture: &[f32]) -> Result<Vec<f32>> {
    ///     let model = models::bundled("digits").expect("it is bundled")?;
    ///     let gpu = Gpu::open_async(None).await?;
    ///     let engine = Engine::new_async(&gpu, model.graph(64, 64)?, model.weights, EngineOptions::default()).await?;
    ///     engine.run_async(Input::values(picture, [64, 64])).await
    /// }
    /// # assert_eq!(pollster::block_on(logits(&[0.5; 3 * 64 * 64]))?.len(), 10);
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub async fn new_async(gpu: &Gpu, graph: Graph, weights: Weights, options: EngineOptions) -> Result<Self> {
        #[cfg(not(target_family = "wasm"))]
        {
            let on = gpu.clone();
            gpu.on_worker(move || Self::new(&on, &graph, &weights, options)).await?
        }
        #[cfg(target_family = "wasm")]
        Self::with_sources(gpu, &graph, &weights, options, Variant::source).await
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
        let tuning = tuning.unwrap_or_else(|| device_tuning(gpu, precision).with_batch_invariant(batch_invariant));
        if let Some(beyond) = tuning.capabilities().beyond(&gpu.capabilities()) {
            return Err(gpu.error(format!("expected a tuning for what this device can do, found one for a device with {beyond}")));
        }
        let plan = Plan::new(graph, plan_options(gpu, fusion, &tuning, 1))?;
        let weights = WeightBuffers::upload(gpu, &plan, weights).await?;
        let pipelines = Pipelines::new(gpu, shader_checks).await?.with_sources(source);
        let shared = Shared {
            gpu: gpu.clone(),
            graph: graph.clone(),
            fusion,
            tuning: Mutex::new(tuning.clone()),
            verdicts: Mutex::new(Verdicts::open(gpu.cache_file("verdicts"))),
            weights,
            pipelines,
            pool: Arc::default(),
            bound: Mutex::default(),
            timed: Mutex::default(),
            largest_batches: Mutex::default(),
        };
        let Shape { height, width, .. } = graph.input_shape();
        let plan = shared.checked_plan(tuning, 1, [height, width]).await?;
        shared.pipelines.build(gpu, plan.steps().iter().map(|step| &step.kernel.variant)).await?;
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        &self.shared.graph
    }

    /// The device.
    pub fn gpu(&self) -> &Gpu {
        &self.shared.gpu
    }

    /// The plan for `batch` pictures of `height` x `width` pixels, as this engine would run it (batches larger than the
    /// device can hold are run in several parts).
    pub fn plan(&self, batch: usize, height: usize, width: usize) -> Result<Plan> {
        self.shared.plan(&self.tuning(), batch, [height, width])
    }

    /// The choice of kernels as it is now: tiles that turned out to be wrong on the device are excluded.
    pub fn tuning(&self) -> Tuning {
        self.shared.tuning()
    }

    /// Bytes of all buffers that are allocated now: weights, activations and parameters.
    pub fn byte_allocated(&self) -> u64 {
        let shared = &self.shared;
        let bound: u64 = shared.bound().iter().map(|bound| bound.bytes() + shared.byte_own_pool(bound)).sum();
        let timed = lock(&shared.timed).as_ref().map_or(0, |timed| timed.bytes() + timed.pool().bytes());
        shared.weights.bytes() + shared.pool.bytes() + bound + timed
    }

    /// Gives back the memory of activations, on the device and of plans, as if nothing had run yet. What is under way ends
    /// well.
    ///
    /// ```
    /// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
    ///
    /// let model = models::bundled("digits").expect("it is bundled")?;
    /// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
    /// let before = engine.byte_allocated();
    /// engine.run(Input::values(&[0.5; 8 * 3 * 64 * 64], [64, 64]))?;
    /// assert!(engine.byte_allocated() > before);
    /// engine.trim();
    /// assert_eq!(engine.byte_allocated(), before);
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn trim(&self) {
        *lock(&self.shared.timed) = None;
        self.shared.forget_bound();
    }

    /// Runs a batch of images.
    ///
    /// Returns `[N, classes]`, or the output's `[N, C, H, W]` where the network ends in a picture; the first output where
    /// it has several, which [`Run::wait_all`] gives. Errors where the input is of no whole images, one of its numbers is
    /// not finite, or the device fails.
    ///
    /// ```
    /// use densenet_wgpu::image::Picture;
    /// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
    ///
    /// let mut model = models::bundled("digits").expect("it is bundled")?;
    /// let preprocessing = model.complete_description(None).preprocessing;
    /// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
    ///
    /// let picture = preprocessing.prepare(&Picture::open("examples/digits/0-1445-8.png")?)?;
    /// let values = picture.samples().values();
    /// let logits = engine.run(Input::values(&values, [64, 64]))?;
    /// assert_eq!(engine.run(Input::pictures(&[picture.samples()], [64, 64]))?, logits);
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn run(&self, input: Input<'_>) -> Result<Vec<f32>> {
        self.start(input)?.wait()
    }

    /// [`Engine::run`] for callers that may not block: the device's own thread compiles what is missing and waits.
    pub async fn run_async(&self, input: Input<'_>) -> Result<Vec<f32>> {
        self.start_async(input).await?.wait_async().await
    }

    /// Starts a run and returns while the device works on it; [`Run::wait`] gives what [`Engine::run`] would have.
    ///
    /// Runs follow each other on the device in the order in which they were started, and the device need not pause
    /// between two where the second is started before the first is waited for. Each run that is not waited for holds a
    /// copy of its input until the device has begun with it, and room for its output.
    ///
    /// A batch too large for the device is run in parts: all but the last two are waited for here. Errors as those two do.
    pub fn start(&self, input: Input<'_>) -> Result<Run> {
        let shared = &self.shared;
        pollster::block_on(async {
            let purpose = shared.purpose(Owner::Engine, &input)?;
            let parts = shared.parts(purpose).await?;
            shared.submit(parts, input, Waiter::Caller).await
        })
    }

    /// [`Engine::start`] for callers that may not block.
    pub async fn start_async(&self, input: Input<'_>) -> Result<Run> {
        let purpose = self.shared.purpose(Owner::Engine, &input)?;
        let parts = self.parts_async(purpose).await?;
        self.shared.submit(parts, input, Waiter::Worker).await
    }

    /// Encodes a run into a program's own encoder, which leaves its outputs in `output`: `[N, classes]`, or where the
    /// network has several outputs all of them, one after the other, each for all N images.
    ///
    /// `output` is of this engine's device, needs `COPY_DST` and is used from its beginning. With [`Input::buffer`] nothing
    /// leaves the device; other inputs are copied into a buffer now. The program submits; nothing waits. Errors where a
    /// buffer is too small, and as [`Engine::start`] does.
    ///
    /// In 16-bit floats an output that depends on a number beyond their reach, 65504, is NaN, wherever in the network that
    /// was and whatever came behind it: what is not NaN can be trusted. A [`Run`] is an error there.
    ///
    /// ```
    /// use densenet_wgpu::wgpu::{BufferDescriptor, BufferUsages};
    /// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
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
    /// engine.encode(&mut encoder, Input::buffer(&input, 1, [64, 64]), &output)?;
    /// assert!(engine.encode(&mut encoder, Input::buffer(&input, 2, [64, 64]), &output).is_err()); // the buffers are too small
    /// queue.submit([encoder.finish()]);
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder, input: Input<'_>, output: &wgpu::Buffer) -> Result<()> {
        let shared = &self.shared;
        pollster::block_on(async {
            let purpose = shared.purpose(Owner::Program, &input)?;
            let parts = shared.parts(purpose).await?;
            shared.encode(parts, encoder, input, output).await
        })
    }

    /// [`Engine::encode`] for callers that may not block.
    pub async fn encode_async(&self, encoder: &mut wgpu::CommandEncoder, input: Input<'_>, output: &wgpu::Buffer) -> Result<()> {
        let purpose = self.shared.purpose(Owner::Program, &input)?;
        let parts = self.parts_async(purpose).await?;
        self.shared.encode(parts, encoder, input, output).await
    }

    /// [`Shared::parts`], made by the device's own thread where they are not there yet.
    async fn parts_async(&self, purpose: Purpose) -> Result<Vec<Arc<BoundPlan>>> {
        #[cfg(not(target_family = "wasm"))]
        {
            if let Some(parts) = self.shared.parts_there(purpose) {
                return Ok(parts);
            }
            let shared = Arc::clone(&self.shared);
            self.gpu().on_worker(move || pollster::block_on(shared.parts(purpose))).await?
        }
        #[cfg(target_family = "wasm")]
        self.shared.parts(purpose).await
    }
}

impl Shared {
    fn tuning(&self) -> Tuning {
        lock(&self.tuning).clone()
    }

    fn plan(&self, tuning: &Tuning, batch: usize, [height, width]: [usize; 2]) -> Result<Plan> {
        Plan::new(&self.graph.resized(height, width)?, plan_options(&self.gpu, self.fusion, tuning, batch))
    }

    /// What a run of `input` is. Errors where the input is none for this network.
    fn purpose(&self, owner: Owner, input: &Input<'_>) -> Result<Purpose> {
        self.gpu.check()?;
        let batch = input.images(self.graph.input_shape().channels)?;
        Ok(Purpose { owner, pictures: input.is_pictures(), batch, size: input.size() })
    }

    /// Starts a batch part by part; `waiter` waits for the parts that went first.
    async fn submit(&self, parts: Vec<Arc<BoundPlan>>, input: Input<'_>, waiter: Waiter) -> Result<Run> {
        let channels = self.graph.input_shape().channels;
        let precision = lock(&self.tuning).precision();
        let mut run = Run::new(&self.gpu, precision, self.graph.outputs().len());
        let mut rest = input;
        for part in parts {
            run.make_room(waiter).await?;
            let (images, after) = rest.split_at(part.images(), channels);
            rest = after;
            run.push(part.submit(&self.gpu, images, None).await?);
        }
        Ok(run)
    }

    async fn encode(
        &self,
        parts: Vec<Arc<BoundPlan>>,
        encoder: &mut wgpu::CommandEncoder,
        input: Input<'_>,
        output: &wgpu::Buffer,
    ) -> Result<()> {
        let byte_output = |index: usize| parts.iter().map(|part| part.byte_outputs().nth(index).unwrap_or(0)).sum::<u64>();
        let byte_outputs: Vec<u64> = (0..self.graph.outputs().len()).map(byte_output).collect();
        let needed: u64 = byte_outputs.iter().sum();
        if output.size() < needed {
            let images: usize = parts.iter().map(|part| part.images()).sum();
            let expected = format!("an output buffer of at least {needed} bytes for {images} images");
            return Err(Error::Input { expected, found: format!("{} bytes", output.size()) });
        }
        let mut rest = input;
        let mut byte_offsets: Vec<u64> = consecutive(byte_outputs.into_iter()).collect();
        for part in &parts {
            let (images, after) = rest.split_at(part.images(), self.graph.input_shape().channels);
            rest = after;
            self.gpu.caught(|| part.encode(&self.gpu, encoder, images, (output, &byte_offsets))).await?;
            byte_offsets.iter_mut().zip(part.byte_outputs()).for_each(|(offset, bytes)| *offset += bytes);
        }
        Ok(())
    }

    /// The bound plans that together run a batch: as few and as equal as the device's limits and memory allow.
    async fn parts(&self, purpose: Purpose) -> Result<Vec<Arc<BoundPlan>>> {
        let mut largest = self.largest_batch(purpose.size)?;
        loop {
            let mut parts: Vec<Arc<BoundPlan>> = Vec::new();
            let mut failure = None;
            for batch in shares(purpose.batch, largest) {
                match parts.last().filter(|last| last.images() == batch) {
                    Some(last) => parts.push(Arc::clone(last)),
                    None => match self.bound_plan(Purpose { batch, ..purpose }).await {
                        Ok(part) => parts.push(part),
                        Err(error) => {
                            failure = Some((batch, error));
                            break;
                        }
                    },
                }
            }
            match failure {
                None => return Ok(parts),
                Some((batch, Error::OutOfMemory { .. })) if batch > 1 => {
                    self.forget_bound();
                    largest = batch / 2;
                    lock(&self.largest_batches).insert(purpose.size, largest);
                }
                Some((_, error)) => return Err(error),
            }
        }
    }

    /// [`Shared::parts`] where all of them are bound already.
    #[cfg(not(target_family = "wasm"))]
    fn parts_there(&self, purpose: Purpose) -> Option<Vec<Arc<BoundPlan>>> {
        let largest = lock(&self.largest_batches).get(&purpose.size).copied()?;
        shares(purpose.batch, largest).map(|batch| self.found(Purpose { batch, ..purpose })).collect()
    }

    /// The most images of this size that the device's limits let run at once.
    fn largest_batch(&self, size: [usize; 2]) -> Result<usize> {
        if let Some(&largest) = lock(&self.largest_batches).get(&size) {
            return Ok(largest);
        }
        let tuning = self.tuning();
        // Kernels count in 32 bits, however large a device says its buffers may be.
        let limit = self.gpu.byte_buffer_limit().min(u32::MAX.into());
        let single = self.plan(&tuning, 1, size)?;
        // Tiny pictures have tables that are larger than they are; all outputs are read back in one buffer.
        let largest_buffer = |plan: &Plan| {
            let others = [normalise::byte_tables(plan.input()), plan.outputs().iter().map(Region::bytes).sum()];
            plan.byte_buffers().chain(others).max().unwrap_or(0)
        };
        let needed = largest_buffer(&single).max(1);
        let fits = |plan: &Plan| largest_buffer(plan) <= limit && plan.steps().iter().all(|s| s.kernel.is_dispatchable());
        if !fits(&single) {
            let [height, width] = size;
            let what = format!("one {height}x{width} image's largest activation buffer");
            return Err(Error::TooLarge { what, needed, limit, adapter: self.gpu.called() });
        }
        let most = (limit / needed).max(1) as usize;
        let largest = largest_that(most, |batch| self.plan(&tuning, batch, size).is_ok_and(|plan| fits(&plan)));
        lock(&self.largest_batches).insert(size, largest);
        Ok(largest)
    }

    /// A bound plan that is there already, and of the tuning as it is now.
    fn found(&self, purpose: Purpose) -> Option<Arc<BoundPlan>> {
        let tuning = lock(&self.tuning);
        let mut bound = self.bound();
        let position = bound.iter().position(|b| b.purpose() == purpose && b.is_of(&tuning))?;
        let found = bound.remove(position)?;
        bound.push_front(Arc::clone(&found));
        Some(found)
    }

    async fn bound_plan(&self, purpose: Purpose) -> Result<Arc<BoundPlan>> {
        if let Some(found) = self.found(purpose) {
            return Ok(found);
        }
        let plan = self.checked_plan(self.tuning(), purpose.batch, purpose.size).await?;
        let pool = match purpose.owner {
            Owner::Engine => Arc::clone(&self.pool),
            Owner::Program => Arc::default(),
        };
        if purpose.owner == Owner::Engine && !pool.holds(&BoundPlan::byte_slots(&plan, purpose)) {
            // Those that hold on to what is too small are bound again when they are needed.
            self.bound().retain(|bound| bound.purpose().owner == Owner::Program);
        }
        let made = Arc::new(BoundPlan::new(&self.gpu, purpose, plan, pool, &self.weights, &self.pipelines).await?);
        let mut bound = self.bound();
        bound.push_front(Arc::clone(&made));
        let mut cost = 0;
        let mut kept = 0;
        bound.retain(|bound| {
            cost += bound.byte_cost();
            kept += 1;
            kept == 1 || cost <= BYTE_BOUND_PLANS
        });
        Ok(made)
    }

    /// A plan of tiles that are right on this device, chosen by `tuning`. Those that are not are excluded from now on, and
    /// others take their place.
    async fn checked_plan(&self, mut tuning: Tuning, batch: usize, size: [usize; 2]) -> Result<Plan> {
        loop {
            let plan = self.plan(&tuning, batch, size)?;
            let wrong = self.wrong_tiles(&plan).await?;
            if wrong.is_empty() {
                return Ok(plan);
            }
            {
                let mut shared = lock(&self.tuning);
                *shared = shared.clone().excluding(wrong.iter().copied());
            }
            tuning = tuning.excluding(wrong);
        }
    }

    /// The plan's tiles that compute something else on this device; those of which nothing is known are checked.
    async fn wrong_tiles(&self, plan: &Plan) -> Result<Vec<Tile>> {
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
        if doubtful.is_empty() {
            return Ok(wrong);
        }
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
        Ok(wrong)
    }

    /// Drops every bound plan and the memory that they share.
    fn forget_bound(&self) {
        self.bound().clear();
        self.pool.clear();
    }

    /// Bytes of the pool that a plan of a program has alone.
    fn byte_own_pool(&self, bound: &BoundPlan) -> u64 {
        if bound.purpose().owner == Owner::Program { bound.pool().bytes() } else { 0 }
    }

    fn bound(&self) -> MutexGuard<'_, VecDeque<Arc<BoundPlan>>> {
        lock(&self.bound)
    }
}

/// Images of each part of a batch, of at most `largest`: as few parts and as equal as can be.
fn shares(batch: usize, largest: usize) -> impl Iterator<Item = usize> {
    let each = batch.div_ceil(batch.div_ceil(largest));
    (0..batch).step_by(each).map(move |first| each.min(batch - first))
}

/// The largest number from 1 to `most` for which `holds`, which holds for 1 and for all below one for which it does.
fn largest_that(most: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut holding, mut failing) = (1, most + 1);
    // Most often all of them do.
    let mut middle = most;
    while holding + 1 < failing {
        if holds(middle) {
            holding = middle;
        } else {
            failing = middle;
        }
        middle = holding + (failing - holding) / 2;
    }
    holding
}

/// The guarded value; a thread that panicked while it held the lock left nothing half done in any of ours.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn plan_options(gpu: &Gpu, fusion: bool, tuning: &Tuning, batch: usize) -> PlanOptions {
    PlanOptions { batch, fusion, byte_weight_buffer: gpu.byte_buffer_limit(), tuning: tuning.clone() }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn the_largest_batch_is_found_in_few_plans() {
        for (most, limit) in [(1, 1), (2, 1), (2, 2), (1000, 1), (1000, 999), (1000, 1000), (4_000_000, 7), (4_000_000, 3_999_999)] {
            let asked = Cell::new(0);
            let holds = |batch: usize| {
                asked.set(asked.get() + 1);
                assert!((2..=most).contains(&batch), "{batch} of {most}");
                batch <= limit
            };
            assert_eq!(largest_that(most, holds), limit, "of {most}");
            assert!(asked.get() <= 24, "{} plans for {limit} of {most}", asked.get());
        }
    }

    #[test]
    fn batches_are_shared_out_evenly() {
        let shares = |batch, largest| super::shares(batch, largest).collect::<Vec<_>>();
        assert_eq!(shares(5, 8), [5]);
        assert_eq!(shares(8, 8), [8]);
        assert_eq!(shares(9, 8), [5, 4]);
        assert_eq!(shares(7, 3), [3, 3, 1]);
        assert_eq!(shares(3, 1), [1, 1, 1]);
    }
}
