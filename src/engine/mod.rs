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

mod batch;
mod binding;
mod bound;
mod check;
mod checked_plan;
mod dispatch;
#[cfg(all(test, target_os = "linux"))]
mod faults;
mod granularity;
mod input;
mod kernel_run;
mod lock;
mod options;
mod part;
mod pool;
mod purpose;
mod readback;
mod run;
mod shared;
mod submissions;
mod timeline;
mod timestamps;
mod tune;
mod upload;
mod walk;
mod weights;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::gpu::{Fault, Gpu};
use crate::graph::Graph;
use crate::kernels::{Tile, Tuning, Variant};
use crate::plan::Plan;
use crate::weights::Weights;
use bound::BoundPlan;
pub(crate) use kernel_run::{EncodedRun, KernelRun};
use lock::lock;
use purpose::{Owner, Purpose};
pub(crate) use readback::Waiter;
use shared::Shared;

pub use granularity::Granularity;
pub use input::Input;
pub use options::EngineOptions;
pub use run::Run;
pub use timeline::{Clock, Timeline};
pub use tune::{Timing, Tuned, TuningProgress, check_tuning, device_tuning, forget_timings, forget_tuning};
pub use walk::{ComputedValue, Walk};

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

impl Engine {
    /// Uploads `weights` and builds the pipelines of `graph`. Errors where a tensor is missing, left over, mis-shaped or
    /// not finite, where the device refuses, and where the options' tuning is for one that can do more.
    pub fn new(gpu: &Gpu, graph: &Graph, weights: &Weights, options: EngineOptions) -> Result<Self> {
        pollster::block_on(Self::with_sources(gpu, graph, weights, options, Variant::source))
    }

    /// [`Engine::new`] for callers that may not block: the device's own thread compiles. In a browser there is none, and
    /// nothing blocks there either; that compiles, and has not been run.
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
        Ok(Self { shared: Arc::new(Shared::new(gpu, graph, weights, options, source).await?) })
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

    /// What was found wrong with tiles on this device, which others take the place of.
    ///
    /// ```
    /// use densenet_wgpu::{Engine, EngineOptions, Gpu, models};
    ///
    /// let model = models::bundled("digits").expect("it is bundled")?;
    /// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
    /// for (tile, fault) in engine.faults() {
    ///     println!("{tile} {fault}"); // "conv_tiled 64x64x4x4x4x1 does not compile (…)"
    ///     assert!(engine.tuning().excluded().contains(&tile));
    /// }
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn faults(&self) -> BTreeMap<Tile, Fault> {
        lock(&self.shared.faults).clone()
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
        lock(&self.shared.batch_limits).clear();
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
    /// A batch too large for the device, or for the caches of a software device, is run in parts: all but the last two are
    /// waited for here. Errors as those two do.
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
    /// How much is submitted at a time is the program's business too: all of this is one command buffer. A driver resets a
    /// device that is longer at one submission than it allows (Windows: two seconds), so that a batch that would take
    /// a slow device that long is better run by [`Engine::start`], which submits by what it has seen of the device.
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

    /// What runs of this purpose are made of.
    #[cfg(test)]
    async fn parts(&self, purpose: Purpose) -> Result<Vec<Arc<BoundPlan>>> {
        self.shared.parts(purpose).await
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
