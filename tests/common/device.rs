//! The device that tests run on, and the note that they leave where it cannot run them.

use std::io::Write as _;

use densenet_wgpu::devices::Cache;
use densenet_wgpu::internal::{Pretence, opening};
use densenet_wgpu::{Gpu, wgpu};

/// What the tests take the device for, one or several of: `discrete`, which tests the kernels of GPUs where there is only a
/// software device, and `validated`, for GPU-assisted validation (`scripts/validate.sh`).
const TEST_AS: &str = "DENSENET_TEST_AS";

/// The device, without a cache.
pub(crate) fn open_gpu() -> Gpu {
    let gpu = Gpu::open(None).unwrap_or_else(|e| panic!("these tests need a GPU, a software one will do: {e}"));
    pretending(gpu.with_cache(Cache::off()))
}

/// A program's own device with these limits.
pub(crate) fn own_device(limits: wgpu::Limits) -> (wgpu::Device, wgpu::Queue) {
    device_with(limits, wgpu::Features::empty())
}

/// [`own_device`] with those of these features that the adapter has.
pub(crate) fn device_with(required_limits: wgpu::Limits, features: wgpu::Features) -> (wgpu::Device, wgpu::Queue) {
    let _guard = opening();
    pollster::block_on(async {
        // Without debugging, which writes into shaders what validation layers of 2023 cannot read: that they are WGSL.
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor { flags: wgpu::InstanceFlags::empty(), ..descriptor });
        let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await.expect("an adapter");
        let required_features = adapter.features() & features;
        adapter
            .request_device(&wgpu::DeviceDescriptor { required_features, required_limits, ..Default::default() })
            .await
            .expect("a device")
    })
}

/// The device taken for what [`TEST_AS`] names.
pub(crate) fn pretending(gpu: Gpu) -> Gpu {
    let mut pretence = Pretence::default();
    for word in std::env::var(TEST_AS).unwrap_or_default().split(',') {
        match word {
            "" => {}
            "discrete" => pretence.device_type = Some(wgpu::DeviceType::DiscreteGpu),
            "validated" => pretence.arrays_in_structs = true,
            other => panic!("{TEST_AS}: expected discrete or validated, found {other:?}"),
        }
    }
    gpu.pretending(pretence)
}

/// Whether it is a software adapter that runs the kernels of GPUs, which takes many times as long as its own kernels.
pub(crate) fn is_slow(gpu: &Gpu) -> bool {
    !gpu.is_software() && gpu.device().adapter_info().device_type == wgpu::DeviceType::Cpu
}

/// Names on standard error, past the harness that captures a test's output, what cannot be tested on this device.
pub(crate) fn untested(gpu: &Gpu, what: &str) {
    let _ = writeln!(std::io::stderr(), "not tested on {} ({}): {what}", gpu.summary().name, gpu.summary().kind);
}
