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

mod adapter;
mod failure;
mod loader;
mod pace;
mod pipeline_cache;
mod pipelines;
mod pretence;
#[cfg(not(target_family = "wasm"))]
mod worker;

use std::any::TypeId;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::Duration;

use crate::cache::{Cache, SealedFile, checksum};
use crate::error::{Error, Result};
use crate::kernels::{Capabilities, Shader, Variant, Workgroup};
pub use adapter::AdapterSummary;
pub use adapter::opening;
use adapter::{adapters, called, kind, request, select, shader_compiler, warnings};
use failure::{Failure, record};
pub(crate) use loader::no_adapter;
use pace::Pace;
pub(crate) use pace::Units;
pub(crate) use pipeline_cache::PipelineCache;
pub(crate) use pipelines::Pipelines;
pub use pretence::{BrokenClock, Pretence};
/// `Send`, but in a browser, where whatever waits for a device stays on its thread.
#[cfg(feature = "image")]
pub(crate) use wgpu::WasmNotSend;
#[cfg(not(target_family = "wasm"))]
use worker::Worker;

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
    /// Without bounds checks and with them.
    pipelines: Arc<[OnceLock<Arc<Pipelines>>; 2]>,
    pace: Arc<OnceLock<Pace>>,
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
            let panicked = |_| Error::DeviceFailed { adapter: "opening a device".into(), reason: "an internal error".into() };
            let worker = Worker::start().map_err(no_worker)?;
            worker.send(open).await.map_err(panicked)?
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
            pipelines: Arc::default(),
            pace: Arc::default(),
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
            pipelines: Arc::default(),
            pace: Arc::default(),
            #[cfg(not(target_family = "wasm"))]
            worker: Arc::default(),
        }
    }

    /// The same device, whose new engines use this cache.
    pub fn with_cache(self, cache: Cache) -> Self {
        Self { cache, pipeline_cache: Arc::default(), pipelines: Arc::default(), pace: Arc::default(), ..self }
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
        self.pipelines = Arc::default();
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
            llvm: adapter::llvm(&info.name),
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

    /// The pipelines of this device, whose shaders are compiled with bounds checks or without: what one engine compiled no other
    /// compiles again, unless both were made at once. They stay as long as the device.
    pub(crate) async fn pipelines(&self, shader_checks: bool) -> Result<Arc<Pipelines>> {
        let place = &self.pipelines[usize::from(shader_checks)];
        if let Some(pipelines) = place.get() {
            return Ok(Arc::clone(pipelines));
        }
        let made = Arc::new(Pipelines::new(self, shader_checks).await?);
        Ok(Arc::clone(place.get_or_init(|| made)))
    }

    /// What pipelines are made with, where something keeps what the driver makes of them.
    pub(crate) fn pipeline_cache(&self) -> Option<&PipelineCache> {
        self.pipeline_cache.get_or_init(|| PipelineCache::open(self)).as_ref()
    }

    fn pipeline_file(&self) -> Option<SealedFile> {
        self.device.features().contains(wgpu::Features::PIPELINE_CACHE).then(|| self.cache_file("pipelines"))?
    }

    /// The cache's file of this kind about this adapter, with all that makes machine code of the shaders, and their texts.
    pub(crate) fn cache_file(&self, kind: &str) -> Option<SealedFile> {
        let info = self.device.adapter_info();
        self.cache.file(kind, &info.name, &identity(&info, self.device.features()).each_ref().map(String::as_str))
    }

    /// The largest buffer a kernel can read or write, in bytes.
    pub(crate) fn byte_buffer_limit(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// Errors where so many bytes of activations are more than the device is said to have; by itself it says nothing of that.
    pub(crate) fn find_memory(&self, bytes: u64) -> Result<()> {
        match self.pretence.byte_pool {
            Some(most) if bytes > most => Err(Error::OutOfMemory { adapter: self.called() }),
            _ => Ok(()),
        }
    }

    /// Floating point operations of these units after which work is submitted, so that no submission nears a driver's
    /// watchdog. Software devices have none.
    pub(crate) fn flops_per_submission(&self, units: Units) -> u64 {
        match self.pretence.flops_per_submission {
            Some(flops) => flops,
            None if self.is_software() => u64::MAX,
            None => self.pace().flops_per_submission(units),
        }
    }

    /// Takes note of how long a run of so many floating point operations was under way.
    pub(crate) fn note_run(&self, units: Units, flops: u64, took: Duration) {
        let took = self.pretence.slowdown.map_or(took, |slowdown| took.mul_f64(slowdown));
        if !self.is_software() {
            self.pace().note(units, flops, took);
        }
    }

    /// The readings of its clock before and after each pass, as they are said to be.
    pub(crate) fn ticks(&self, found: Vec<[u64; 2]>) -> Vec<[u64; 2]> {
        match self.pretence.clock {
            Some(broken) => broken.of(found),
            None => found,
        }
    }

    fn pace(&self) -> &Pace {
        self.pace.get_or_init(|| Pace::open(self.cache_file("pace")))
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
}

/// All that may change what a device makes of the shaders.
fn identity(info: &wgpu::AdapterInfo, features: wgpu::Features) -> [String; 8] {
    [
        info.name.clone(),
        info.backend.to_string(),
        format!("vendor {:04x}, device {:04x}", info.vendor, info.device),
        info.driver.clone(),
        info.driver_info.clone(),
        format!("compiled by {}", shader_compiler(info, features)),
        translator(),
        format!("shaders {:016x}", *SHADERS),
    ]
}

/// A checksum of the shaders' texts, with loops unrolled as they are compiled.
static SHADERS: LazyLock<u64> = LazyLock::new(|| {
    let texts: Vec<String> = Shader::ALL.into_iter().map(|shader| Variant::new(shader).source()).collect();
    checksum(texts.join("\n").as_bytes())
});

/// Which wgpu, and so which naga, translates shaders: a type's identity is another in every version of its crate.
fn translator() -> String {
    let mut hasher = DefaultHasher::new();
    TypeId::of::<wgpu::Device>().hash(&mut hasher);
    format!("wgpu {:016x}", hasher.finish())
}

#[cfg(not(target_family = "wasm"))]
fn no_worker(source: std::io::Error) -> Error {
    Error::NoThread { purpose: "work for the device", source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::open_gpu;

    #[test]
    fn what_one_shader_compiler_did_is_not_held_against_another() {
        let gpu = open_gpu();
        let info = gpu.device.adapter_info();
        let subgroups = wgpu::Features::SUBGROUP;
        let dx12 = wgpu::AdapterInfo { backend: wgpu::Backend::Dx12, ..info.clone() };
        let [fxc, dxc] = [wgpu::Features::empty(), subgroups].map(|features| identity(&dx12, features));
        assert_ne!(fxc, dxc);
        let vulkan = wgpu::AdapterInfo { backend: wgpu::Backend::Vulkan, ..info.clone() };
        assert_eq!(identity(&vulkan, wgpu::Features::empty()), identity(&vulkan, subgroups), "there the driver compiles");

        // A verdict that FXC's kernels got.
        let folder = tempfile::tempdir().unwrap();
        let gpu = gpu.with_cache(Cache::at(folder.path()));
        let file = |identity: [String; 8]| gpu.cache.file("verdicts", &info.name, &identity.each_ref().map(String::as_str)).unwrap();
        file(fxc.clone()).write(b"wrong");
        assert_eq!(file(fxc).read().as_deref(), Some(&b"wrong"[..]));
        assert_eq!(file(dxc).read(), None);
        assert_eq!(gpu.cache_file("verdicts").unwrap().read(), None);
    }
}
