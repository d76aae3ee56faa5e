//! Opening of devices, from an adapter or a program's own device.

use std::sync::{Arc, Mutex};

use super::adapter::{adapters, opening, select};
use super::device::Gpu;
use super::failure::{Failure, record};
use super::request::{Opened, request};
use super::summary::{AdapterSummary, called, warnings};
#[cfg(not(target_family = "wasm"))]
use super::worker::Worker;
use crate::cache::Cache;
use crate::environment;
use crate::error::{Error, Result};

impl Gpu {
    /// Every adapter, the best first: GPUs before software, and of one GPU's APIs Vulkan, Metal, DX12 in that order.
    pub fn adapters() -> Vec<AdapterSummary> {
        let _guard = opening();
        let adapters = pollster::block_on(adapters());
        adapters.iter().enumerate().map(|(i, a)| AdapterSummary::new(i, &a.get_info(), a.features(), &a.limits())).collect()
    }

    /// Opens the adapter with this index, with this PCI address (`0000:01:00.0`) or with this in its name. Without a selector it is the one
    /// that the variable `DENSENET_DEVICE` selects, and without that the best. Data for the next start is kept in [`Cache::from_env`];
    /// [`Gpu::with_cache`] changes that.
    pub fn open(selector: Option<&str>) -> Result<Self> {
        let _guard = opening();
        pollster::block_on(Self::open_here(selector))
    }

    /// Like [`Gpu::open`], for callers that must not block: another thread waits for the driver. In a browser there are no threads, and
    /// nothing blocks.
    pub async fn open_async(selector: Option<&str>) -> Result<Self> {
        #[cfg(not(target_family = "wasm"))]
        {
            let selector = selector.map(str::to_owned);
            let open = move || Self::open(selector.as_deref());
            let panicked = |_| Error::DeviceFailed { adapter: "opening a device".into(), reason: "an internal error".into() };
            let worker = Worker::start()?;
            worker.send(open).await.map_err(panicked)?
        }
        #[cfg(target_family = "wasm")]
        Self::open_here(selector).await
    }

    async fn open_here(selector: Option<&str>) -> Result<Self> {
        match environment::device().filter(|_| selector.is_none()) {
            Some(selector) => Self::open_selected(Some(&selector)).await.map_err(|error| error.in_variable(environment::DEVICE, selector)),
            None => Self::open_selected(selector).await,
        }
    }

    #[tracing::instrument(name = "open device", skip_all)]
    async fn open_selected(selector: Option<&str>) -> Result<Self> {
        let adapters = adapters().await;
        let infos: Vec<wgpu::AdapterInfo> = adapters.iter().map(wgpu::Adapter::get_info).collect();
        let index = select(&infos, selector)?;
        let (adapter, info, limits) = (&adapters[index], &infos[index], adapters[index].limits());
        let opened = request(adapter).await;
        let opened = opened.map_err(|source| Error::DeviceRefused { adapter: called(info), source: Box::new(source) })?;

        let failure = Arc::new(Mutex::new(None));
        let (lost, uncaptured) = (Arc::clone(&failure), Arc::clone(&failure));
        opened.device.set_device_lost_callback(move |reason, message| {
            record(&lost, Failure::Lost(if message.is_empty() { format!("{reason:?}") } else { message }));
        });
        opened.device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| record(&uncaptured, Failure::Uncaught(error.to_string()))));

        let summary = AdapterSummary::new(index, info, adapter.features(), &limits);
        Ok(Self::new(opened, summary, warnings(info, adapter.features()), failure, Cache::from_env()))
    }

    /// Wraps a device and queue that a program already has. Their error handlers stay in place: this library catches its errors with error
    /// scopes, and a lost device becomes an error of the next run. Nothing is kept for the next start, unless [`Gpu::with_cache`] sets a
    /// folder. Matrix units are not used, because only an adapter reports their sizes.
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
        Self::new(Opened { device, queue, matrix: None }, summary, warnings, Arc::default(), Cache::off())
    }
}
