//! An open device.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::failure::Failure;
use super::pace::{Pace, Units};
use super::pipeline_cache::PipelineCache;
use super::pipelines::Pipelines;
use super::pretence::{self, Pretence};
use super::request::Opened;
use super::summary::{AdapterSummary, called, kind, llvm, warnings};
use super::verdicts::Verdicts;
#[cfg(not(target_family = "wasm"))]
use super::worker::Worker;
use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::kernels::{Capabilities, Workgroup};

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
    pub(super) warnings: Vec<String>,
    pub(super) failure: Arc<Mutex<Option<Failure>>>,
    cache: Cache,
    pub(super) pipeline_cache: Arc<OnceLock<Option<PipelineCache>>>,
    /// Without and with bounds checks.
    pub(super) pipelines: Arc<[OnceLock<Arc<Pipelines>>; 2]>,
    pace: Arc<OnceLock<Pace>>,
    verdicts: Arc<OnceLock<Mutex<Verdicts>>>,
    #[cfg(not(target_family = "wasm"))]
    worker: Arc<OnceLock<Worker>>,
}

impl Gpu {
    /// A device that nothing has run on yet.
    pub(super) fn new(
        opened: Opened,
        summary: AdapterSummary,
        warnings: Vec<String>,
        failure: Arc<Mutex<Option<Failure>>>,
        cache: Cache,
    ) -> Self {
        let Opened { device, queue, matrix } = opened;
        Self {
            device_type: device.adapter_info().device_type,
            device,
            queue,
            summary,
            pretence: Pretence::default(),
            matrix,
            warnings,
            failure,
            cache,
            pipeline_cache: Arc::default(),
            pipelines: Arc::default(),
            pace: Arc::default(),
            verdicts: Arc::default(),
            #[cfg(not(target_family = "wasm"))]
            worker: Arc::default(),
        }
    }

    /// The same device, whose new engines use this cache.
    pub fn with_cache(self, cache: Cache) -> Self {
        Self { cache, pipeline_cache: Arc::default(), pipelines: Arc::default(), pace: Arc::default(), verdicts: Arc::default(), ..self }
    }

    /// The same device with properties replaced by `pretence`. For tests that run kernels for GPUs without one; not part of the public API.
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
        self.verdicts = Arc::default();
        self
    }

    /// Where engines keep data for a faster next start.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The file for shaders compiled by the driver, whether it exists or not; `None` without a cache, or if the device cannot export
    /// compiled shaders, which takes Vulkan and [`wgpu::Features::PIPELINE_CACHE`].
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

    /// Whether this is a software adapter, which runs shaders on the CPU.
    pub fn is_software(&self) -> bool {
        self.device_type == wgpu::DeviceType::Cpu
    }

    /// Warnings about this device, one sentence each: a software adapter, or a slow shader compiler.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The properties that the choice of kernels depends on.
    pub fn capabilities(&self) -> Capabilities {
        let (info, features, limits) = (self.device.adapter_info(), self.device.features(), self.device.limits());
        let has_subgroups = features.contains(wgpu::Features::SUBGROUP);
        Capabilities {
            software: self.is_software(),
            llvm: llvm(&info.name),
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

    /// The source of a shader as this device compiles it.
    pub(crate) fn shader_text(&self, source: String) -> String {
        if self.pretence.arrays_in_structs { pretence::arrays_in_structs(&source) } else { source }
    }

    /// The largest buffer a kernel can read or write, in bytes.
    pub(crate) fn byte_buffer_limit(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// Errors if `bytes` of activations exceed the memory that tests give the device. Devices do not report their memory.
    pub(crate) fn find_memory(&self, bytes: u64) -> Result<()> {
        match self.pretence.byte_pool {
            Some(most) if bytes > most => Err(Error::OutOfMemory { adapter: self.called() }),
            _ => Ok(()),
        }
    }

    /// The number of floating point operations per submission, low enough that no submission nears a driver's watchdog. Software adapters
    /// have no watchdog.
    pub(crate) fn flops_per_submission(&self, units: Units) -> u64 {
        match self.pretence.flops_per_submission {
            Some(flops) => flops,
            None if self.is_software() => u64::MAX,
            None => self.pace().flops_per_submission(units),
        }
    }

    /// Records how long a run of this number of floating point operations took.
    pub(crate) fn note_run(&self, units: Units, flops: u64, took: Duration) {
        let took = self.pretence.slowdown.map_or(took, |slowdown| took.mul_f64(slowdown));
        if !self.is_software() {
            self.pace().note(units, flops, took);
        }
    }

    /// The clock readings before and after each pass, broken if tests say so.
    pub(crate) fn ticks(&self, found: Vec<[u64; 2]>) -> Vec<[u64; 2]> {
        match self.pretence.clock {
            Some(broken) => broken.of(found),
            None => found,
        }
    }

    fn pace(&self) -> &Pace {
        self.pace.get_or_init(|| Pace::open(self.cache_file("pace")))
    }

    /// What it is known to get right, and wrong.
    pub(crate) fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        let verdicts = self.verdicts.get_or_init(|| Mutex::new(Verdicts::open(self.cache_file("verdicts"))));
        verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name and graphics API, for error messages.
    pub(crate) fn called(&self) -> String {
        called(&self.device.adapter_info())
    }

    /// Runs a blocking `job` on the device's own thread, one job at a time.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) async fn on_worker<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let worker = match self.worker.get() {
            Some(worker) => worker,
            None => {
                // If two callers start one, the second ends at once.
                let started = Worker::start()?;
                self.worker.get_or_init(|| started)
            }
        };
        worker.send(job).await.map_err(|_| self.error("no result: an internal error"))
    }

    /// A buffer with these contents from the next submission on, padded with zeros to whole words. On a lost device the error scope reports
    /// the failure; wgpu's own `create_buffer_init` would panic.
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
