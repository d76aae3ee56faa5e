//! Adapters and devices: what there is, which one is taken, and how its failures become errors.
//!
//! ```
//! use densenet_wgpu::Gpu;
//!
//! for adapter in Gpu::adapters() {
//!     println!("{}: {} ({}, {})", adapter.index, adapter.name, adapter.kind, adapter.backend);
//! }
//! let gpu = Gpu::open(None)?; // the best; `Some("1")` and `Some("radeon")` choose
//! assert_eq!(gpu.summary(), &Gpu::adapters()[0]);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod pipeline_cache;
mod pretence;
#[cfg(not(target_family = "wasm"))]
mod worker;

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;

use crate::cache::{Cache, SealedFile};
use crate::error::{Error, Result};
use crate::kernels::{Capabilities, Workgroup};
use crate::nearest::nearest;
pub(crate) use pipeline_cache::PipelineCache;
pub use pretence::Pretence;
#[cfg(not(target_family = "wasm"))]
use worker::Worker;

/// The kind of a processor that plays a GPU.
const SOFTWARE: &str = "software device";

/// An adapter as wgpu sees it.
///
/// ```
/// use densenet_wgpu::Gpu;
///
/// let has_f16 = Gpu::adapters().into_iter().filter(|adapter| adapter.features.iter().any(|feature| feature == "f16"));
/// for adapter in has_f16 {
///     println!("{}{}", adapter.name, if adapter.is_software() { ", which is slow" } else { "" });
///     assert!(!adapter.limits.is_empty());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AdapterSummary {
    /// Its place in [`Gpu::adapters`]: 0 is what is taken by default.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// The graphics API it is reached by.
    pub backend: String,
    /// What it is: a discrete GPU, an integrated one, a software device, …
    pub kind: String,
    /// Its driver and the driver's version.
    pub driver: String,
    /// The features that matter here.
    pub features: Vec<String>,
    /// The limits that matter here, in bytes or counts.
    pub limits: Vec<(String, u64)>,
}

impl AdapterSummary {
    fn new(index: usize, info: &wgpu::AdapterInfo, features: wgpu::Features, limits: &wgpu::Limits) -> Self {
        let named = [
            ("f16", wgpu::Features::SHADER_F16),
            ("subgroups", wgpu::Features::SUBGROUP),
            ("timestamps", wgpu::Features::TIMESTAMP_QUERY),
            ("pipeline cache", wgpu::Features::PIPELINE_CACHE),
            ("cooperative matrices", wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX),
        ];
        let limits = [
            ("max_buffer_size", limits.max_buffer_size),
            ("max_storage_buffer_binding_size", limits.max_storage_buffer_binding_size),
            ("max_compute_workgroup_storage_size", limits.max_compute_workgroup_storage_size.into()),
            ("max_compute_invocations_per_workgroup", limits.max_compute_invocations_per_workgroup.into()),
            ("max_compute_workgroups_per_dimension", limits.max_compute_workgroups_per_dimension.into()),
            ("max_storage_buffers_per_shader_stage", limits.max_storage_buffers_per_shader_stage.into()),
        ];
        Self {
            index,
            name: info.name.clone(),
            backend: info.backend.to_string(),
            kind: kind(info.device_type).into(),
            driver: [info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_owned(),
            features: named.iter().filter(|(_, feature)| features.contains(*feature)).map(|(name, _)| (*name).into()).collect(),
            limits: limits.map(|(name, limit)| (name.into(), limit)).into(),
        }
    }

    /// Whether this is a processor that plays a GPU.
    pub fn is_software(&self) -> bool {
        self.kind == SOFTWARE
    }
}

fn kind(device_type: wgpu::DeviceType) -> &'static str {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete GPU",
        wgpu::DeviceType::IntegratedGpu => "integrated GPU",
        wgpu::DeviceType::VirtualGpu => "virtual GPU",
        wgpu::DeviceType::Cpu => SOFTWARE,
        wgpu::DeviceType::Other => "other",
    }
}

/// Why nothing more runs on a device.
#[derive(Debug, Clone)]
enum Failure {
    /// It is gone.
    Lost(String),
    /// It met an error that nobody caught.
    Uncaught(String),
}

/// An open device and its queue.
///
/// ```
/// use densenet_wgpu::Gpu;
///
/// let gpu = Gpu::open(None)?;
/// gpu.warnings().iter().for_each(|sentence| eprintln!("{sentence}"));
/// assert_eq!(gpu.is_software(), gpu.capabilities().software);
/// assert!(gpu.failure().is_none());
/// let error = Gpu::open(Some("no such adapter")).unwrap_err();
/// assert!(error.to_string().contains("no adapter is called \"no such adapter\""));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    summary: AdapterSummary,
    device_type: wgpu::DeviceType,
    pretence: Pretence,
    matrix: Option<u32>,
    warnings: Vec<String>,
    failure: Arc<Mutex<Option<Failure>>>,
    cache: Cache,
    pipeline_cache: Arc<OnceLock<Option<PipelineCache>>>,
    #[cfg(not(target_family = "wasm"))]
    worker: Arc<OnceLock<Worker>>,
}

impl Gpu {
    /// Every adapter, the best first: GPUs before software, and of one GPU's APIs Vulkan, Metal, DX12 in that order.
    pub fn adapters() -> Vec<AdapterSummary> {
        let _guard = opening();
        let adapters = pollster::block_on(adapters());
        adapters.iter().enumerate().map(|(i, a)| AdapterSummary::new(i, &a.get_info(), a.features(), &a.limits())).collect()
    }

    /// Opens the adapter with this index or with this in its name; the best one without a selector. What is worth
    /// keeping until the next start goes to [`Cache::from_env`]; [`Gpu::with_cache`] changes that.
    pub fn open(selector: Option<&str>) -> Result<Self> {
        let _guard = opening();
        pollster::block_on(Self::open_here(selector))
    }

    /// [`Gpu::open`] for callers that may not block: another thread waits for the driver. In a browser there is none, and
    /// nothing blocks.
    pub async fn open_async(selector: Option<&str>) -> Result<Self> {
        #[cfg(not(target_family = "wasm"))]
        {
            let selector = selector.map(str::to_owned);
            let open = move || Self::open(selector.as_deref());
            let worker = Worker::start().map_err(no_worker)?;
            worker.send(open).await.map_err(|_| unopened("no device was opened: an internal error"))?
        }
        #[cfg(target_family = "wasm")]
        Self::open_here(selector).await
    }

    #[tracing::instrument(name = "open device", skip_all)]
    async fn open_here(selector: Option<&str>) -> Result<Self> {
        let adapters = adapters().await;
        let index = select(&adapters, selector)?;
        let adapter = &adapters[index];
        let (info, limits) = (adapter.get_info(), adapter.limits());
        let opened = request(adapter).await;
        let (device, queue, matrix) = opened.map_err(|source| Error::DeviceRefused { adapter: called(&info), source: Box::new(source) })?;

        let failure = Arc::new(Mutex::new(None));
        let (lost, uncaptured) = (Arc::clone(&failure), Arc::clone(&failure));
        device.set_device_lost_callback(move |reason, message| {
            record(&lost, Failure::Lost(if message.is_empty() { format!("{reason:?}") } else { message }));
        });
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| record(&uncaptured, Failure::Uncaught(error.to_string()))));

        let summary = AdapterSummary::new(index, &info, adapter.features(), &limits);
        let warnings = warnings(&info, adapter.features());
        let cache = Cache::from_env();
        Ok(Self {
            device,
            queue,
            summary,
            device_type: info.device_type,
            pretence: Pretence::default(),
            matrix,
            warnings,
            failure,
            cache,
            pipeline_cache: Arc::default(),
            #[cfg(not(target_family = "wasm"))]
            worker: Arc::default(),
        })
    }

    /// Wraps a device and queue that a program already has. Their error handlers stay the program's own: errors of
    /// ours are caught by error scopes, a lost device shows as an error of the run that met it. Nothing is kept until the
    /// next start, unless [`Gpu::with_cache`] says where. Matrix units are not used: only the adapter tells which matrices
    /// they multiply.
    ///
    /// ```
    /// use densenet_wgpu::devices::Cache;
    /// use densenet_wgpu::{Gpu, wgpu};
    ///
    /// # pollster::block_on(async {
    /// let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    /// let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await?;
    /// let descriptor = wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..Default::default() };
    /// let (device, queue) = adapter.request_device(&descriptor).await?;
    /// let gpu = Gpu::from_device(device, queue);
    /// assert_eq!(gpu.cache(), &Cache::off());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_device(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let info = device.adapter_info();
        let summary = AdapterSummary::new(0, &info, device.features(), &device.limits());
        let warnings = warnings(&info, device.features());
        Self {
            device,
            queue,
            summary,
            device_type: info.device_type,
            pretence: Pretence::default(),
            matrix: None,
            warnings,
            failure: Arc::default(),
            cache: Cache::off(),
            pipeline_cache: Arc::default(),
            #[cfg(not(target_family = "wasm"))]
            worker: Arc::default(),
        }
    }

    /// The same device, whose new engines use this cache.
    pub fn with_cache(self, cache: Cache) -> Self {
        Self { cache, pipeline_cache: Arc::default(), ..self }
    }

    /// The same device with what `pretence` says of it. For tests, of the kernels of GPUs where there is none; no part of the
    /// interface.
    #[doc(hidden)]
    pub fn pretending(mut self, pretence: Pretence) -> Self {
        if let Some(device_type) = pretence.device_type {
            let info = wgpu::AdapterInfo { device_type, ..self.device.adapter_info() };
            self.warnings = warnings(&info, self.device.features());
            self.summary.kind = kind(device_type).into();
            self.device_type = device_type;
        }
        self.pretence = pretence;
        self
    }

    /// Where engines keep what makes their next start faster.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The file that keeps what the driver makes of the shaders, there or not; `None` without a cache, or where the
    /// device cannot hand out what it compiled: that takes Vulkan and [`wgpu::Features::PIPELINE_CACHE`].
    pub fn pipeline_cache_file(&self) -> Option<PathBuf> {
        self.pipeline_file().map(|file| file.path().to_path_buf())
    }

    /// The adapter.
    pub fn summary(&self) -> &AdapterSummary {
        &self.summary
    }

    /// The device.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// The device's queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// Whether this is a processor that plays a GPU.
    pub fn is_software(&self) -> bool {
        self.device_type == wgpu::DeviceType::Cpu
    }

    /// What a person should know about this device, a sentence each: software, or a shader compiler that is slow.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What the choice of kernels depends on.
    pub fn capabilities(&self) -> Capabilities {
        let (info, features, limits) = (self.device.adapter_info(), self.device.features(), self.device.limits());
        let has_subgroups = features.contains(wgpu::Features::SUBGROUP);
        Capabilities {
            software: self.is_software(),
            discrete: self.device_type == wgpu::DeviceType::DiscreteGpu,
            subgroup: has_subgroups.then_some([info.subgroup_min_size, info.subgroup_max_size]),
            f16: features.contains(wgpu::Features::SHADER_F16),
            matrix: self.matrix,
            workgroup: Workgroup {
                invocations: limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x),
                bytes: limits.max_compute_workgroup_storage_size,
            },
        }
    }

    /// The text of a shader as this device gets it.
    pub(crate) fn shader_text(&self, source: String) -> String {
        if self.pretence.arrays_in_structs { pretence::arrays_in_structs(&source) } else { source }
    }

    /// What pipelines are made with, where something keeps what the driver makes of them.
    pub(crate) fn pipeline_cache(&self) -> Option<&PipelineCache> {
        self.pipeline_cache.get_or_init(|| PipelineCache::open(self)).as_ref()
    }

    fn pipeline_file(&self) -> Option<SealedFile> {
        self.device.features().contains(wgpu::Features::PIPELINE_CACHE).then(|| self.cache_file("pipelines"))?
    }

    /// The cache's file of this kind about this adapter with this driver.
    pub(crate) fn cache_file(&self, kind: &str) -> Option<SealedFile> {
        let info = self.device.adapter_info();
        let ids = format!("vendor {:04x}, device {:04x}", info.vendor, info.device);
        self.cache.file(kind, &info.name, &[&info.name, &self.summary.backend, &ids, &info.driver, &info.driver_info])
    }

    /// The largest buffer a kernel can read or write, in bytes.
    pub(crate) fn byte_buffer_limit(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// Floating point operations after which work is submitted, so that no submission nears a driver's watchdog
    /// (about two seconds on Windows). Software devices have none.
    pub(crate) fn flops_per_submission(&self) -> u64 {
        let own = match self.device_type {
            wgpu::DeviceType::Cpu => u64::MAX,
            wgpu::DeviceType::DiscreteGpu => 500_000_000_000,
            _ => 50_000_000_000,
        };
        self.pretence.flops_per_submission.unwrap_or(own)
    }

    /// What went wrong with the device since it was opened, if anything did: it was lost ([`Error::DeviceLost`]), or met an
    /// error that nobody caught ([`Error::DeviceFailed`]). Nothing more can run on it; opening it again may help.
    pub fn failure(&self) -> Option<Error> {
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()? {
            Failure::Lost(reason) => Some(self.lost(reason)),
            Failure::Uncaught(reason) => Some(self.error(reason)),
        }
    }

    /// Errors where something went wrong with the device since it was opened.
    pub(crate) fn check(&self) -> Result<()> {
        self.failure().map_or(Ok(()), Err)
    }

    /// The device did not do what was asked of it.
    pub(crate) fn error(&self, reason: impl std::fmt::Display) -> Error {
        Error::DeviceFailed { adapter: self.called(), reason: reason.to_string() }
    }

    /// The device is gone.
    pub(crate) fn lost(&self, reason: impl std::fmt::Display) -> Error {
        Error::DeviceLost { adapter: self.called(), reason: reason.to_string() }
    }

    /// Its name and graphics API, as errors have them.
    pub(crate) fn called(&self) -> String {
        called(&self.device.adapter_info())
    }

    /// Does what would keep the caller waiting on the device's own thread, which does one thing after the other.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) async fn on_worker<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let worker = match self.worker.get() {
            Some(worker) => worker,
            None => {
                // Where two start one, that which came second ends at once.
                let started = Worker::start().map_err(no_worker)?;
                self.worker.get_or_init(|| started)
            }
        };
        worker.send(job).await.map_err(|_| self.error("no result: an internal error"))
    }

    /// A buffer that has these contents from the next submission on, zeros behind them up to whole words. On a device that is
    /// gone it has none, and the error scope says so, where wgpu's own `create_buffer_init` panics.
    pub(crate) fn filled_buffer(&self, label: &str, contents: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let mut words = contents.to_vec();
        words.resize(contents.len().next_multiple_of(wgpu::COPY_BUFFER_ALIGNMENT as usize), 0);
        let usage = usage | wgpu::BufferUsages::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: Some(label), size: words.len() as u64, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&descriptor);
        self.queue.write_buffer(&buffer, 0, &words);
        buffer
    }

    /// Blocks until the device has finished the submission.
    pub(crate) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        let poll = wgpu::PollType::Wait { submission_index: Some(submission), timeout: None };
        self.device.poll(poll).map(|_| ()).map_err(|error| self.error(error))
    }

    /// Runs `work` with every error of the device caught and returned.
    pub(crate) fn caught<T, F: FnOnce() -> T>(&self, work: F) -> impl Future<Output = Result<T>> + use<'_, T, F> {
        let scopes = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Internal, wgpu::ErrorFilter::Validation];
        let scopes = scopes.map(|filter| self.device.push_error_scope(filter));
        let result = work();
        // Scopes are a stack: the last pushed is popped first.
        let [memory, internal, validation] = scopes;
        let popped = (validation.pop(), internal.pop(), memory.pop());
        async move {
            for error in [popped.0.await, popped.1.await, popped.2.await] {
                match error {
                    Some(wgpu::Error::OutOfMemory { .. }) => return Err(Error::OutOfMemory { adapter: self.called() }),
                    Some(error) => {
                        self.check()?;
                        return Err(if self.is_gone().await { self.lost("it takes nothing any more") } else { self.error(error) });
                    }
                    None => {}
                }
            }
            self.check()?;
            Ok(result)
        }
    }

    /// Whether the device is lost, also where a program told us of none: wgpu passes over what a lost device is asked for, so
    /// that what was made there is invalid although no error said so.
    fn is_gone(&self) -> impl Future<Output = bool> + use<> {
        let scopes = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation].map(|filter| self.device.push_error_scope(filter));
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor { label: Some("probe"), size: 4, usage, mapped_at_creation: false });
        let [memory, validation] = scopes;
        let (validation, memory) = (validation.pop(), memory.pop());
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        buffer.map_async(wgpu::MapMode::Read, .., |_| {});
        let used = scope.pop();
        async move { validation.await.is_none() && memory.await.is_none() && used.await.is_some() }
    }
}

/// Features that are requested where the adapter has them.
fn wanted_features() -> wgpu::Features {
    wgpu::Features::SHADER_F16 | wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::PIPELINE_CACHE
}

/// Opens the adapter, and tells the side of the matrices that shaders may multiply on it.
async fn request(adapter: &wgpu::Adapter) -> std::result::Result<(wgpu::Device, wgpu::Queue, Option<u32>), wgpu::RequestDeviceError> {
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("densenet"),
        required_features: adapter.features() & wanted_features(),
        required_limits: adapter.limits(),
        ..Default::default()
    };
    if let Some(matrix) = matrix(adapter) {
        let with_matrices = wgpu::DeviceDescriptor {
            required_features: descriptor.required_features | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX,
            // SAFETY: bugs of wgpu's may be met by what uses the feature. That is one shader, whose matrices are whole and in
            // bounds, and which the tests compare with the reference wherever a device runs it.
            experimental_features: unsafe { wgpu::ExperimentalFeatures::enabled() },
            ..descriptor.clone()
        };
        if let Ok((device, queue)) = adapter.request_device(&with_matrices).await {
            return Ok((device, queue, Some(matrix)));
        }
    }
    let (device, queue) = adapter.request_device(&descriptor).await?;
    Ok((device, queue, None))
}

/// The side of the largest matrices of 16-bit floats that the adapter says it multiplies, with sums of 32 bits.
fn matrix(adapter: &wgpu::Adapter) -> Option<u32> {
    use wgpu::CooperativeScalarType::{F16, F32};
    let properties = adapter.cooperative_matrix_properties();
    let multiplies =
        |side: &u32| properties.iter().any(|p| [p.m_size, p.n_size, p.k_size] == [*side; 3] && (p.ab_type, p.cr_type) == (F16, F32));
    [16, 8].into_iter().find(multiplies)
}

/// Held while adapters are listed and devices opened: some drivers crash where two threads do that at a time.
fn opening() -> MutexGuard<'static, ()> {
    static OPENING: Mutex<()> = Mutex::new(());
    OPENING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(not(target_family = "wasm"))]
fn no_worker(error: std::io::Error) -> Error {
    unopened(format!("no thread to work for the device: {error}"))
}

/// What went wrong before there was a device.
#[cfg(not(target_family = "wasm"))]
fn unopened(reason: impl Into<String>) -> Error {
    Error::DeviceFailed { adapter: "no device yet".into(), reason: reason.into() }
}

fn record(failure: &Mutex<Option<Failure>>, met: Failure) {
    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(met);
}

fn called(info: &wgpu::AdapterInfo) -> String {
    format!("{} ({})", info.name, info.backend)
}

async fn adapters() -> Vec<wgpu::Adapter> {
    let descriptor = wgpu::InstanceDescriptor {
        backends: wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    };
    let instance = wgpu::Instance::new(descriptor.with_env());
    let mut adapters = instance.enumerate_adapters(wgpu::Backends::all()).await;
    adapters.sort_by_key(|adapter| rank(&adapter.get_info()));
    adapters
}

/// The order of adapters: a stable sort keeps the driver's own order beyond it.
fn rank(info: &wgpu::AdapterInfo) -> (u8, u8) {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    let backend = match info.backend {
        wgpu::Backend::Vulkan => 0,
        wgpu::Backend::Metal => 1,
        wgpu::Backend::Dx12 => 2,
        _ => 3,
    };
    (kind, backend)
}

fn select(adapters: &[wgpu::Adapter], selector: Option<&str>) -> Result<usize> {
    if adapters.is_empty() {
        return Err(Error::NoAdapter);
    }
    let Some(selector) = selector else { return Ok(0) };
    if let Some(index) = selector.parse().ok().filter(|index| *index < adapters.len()) {
        return Ok(index);
    }
    let wanted = selector.to_lowercase();
    let found = adapters.iter().position(|a| !wanted.is_empty() && a.get_info().name.to_lowercase().contains(&wanted));
    found.ok_or_else(|| {
        let names: Vec<String> = adapters.iter().map(|adapter| adapter.get_info().name).collect();
        Error::NoSuchAdapter {
            name: selector.to_owned(),
            suggestion: nearest(selector, words(&names)).map(str::to_owned),
            adapters: adapters.iter().map(|adapter| called(&adapter.get_info())).collect(),
        }
    })
}

/// What one may have meant by a device: a name, or a word of one.
fn words(names: &[String]) -> impl Iterator<Item = &str> {
    let words = names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
    names.iter().map(String::as_str).chain(words.filter(|word| word.len() > 2))
}

fn warnings(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Vec<String> {
    let mut warnings = Vec::new();
    if info.device_type == wgpu::DeviceType::Cpu {
        warnings.push(format!("no GPU in use: {} is a software device, many times slower than a GPU", info.name));
    }
    // wgpu offers subgroups on DX12 wherever DXC compiles the shaders: without them it fell back to FXC.
    if info.backend == wgpu::Backend::Dx12 && !features.contains(wgpu::Features::SUBGROUP) {
        warnings.push("shaders are compiled by FXC, which takes minutes where DXC takes seconds: put dxcompiler.dll on the PATH".into());
    }
    warnings
}
