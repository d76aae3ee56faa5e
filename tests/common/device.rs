//! The device that tests run on, and what they say where it cannot show what they are about.

use std::io::Write as _;

use densenet_wgpu::devices::Cache;
use densenet_wgpu::internal::{Pretence, opening};
use densenet_wgpu::{Gpu, wgpu};

/// Says what a device is taken for, one or several of: `discrete`, which has the kernels of GPUs tested where there is only a
/// software device, and `validated`, for GPU-assisted validation (`scripts/validate.sh`).
const TEST_AS: &str = "DENSENET_TEST_AS";

/// The device, which keeps nothing from one run of the tests to the next.
pub(crate) fn open_gpu() -> Gpu {
    let gpu = Gpu::open(None).unwrap_or_else(|e| panic!("these tests need a GPU, a software one will do: {e}"));
    pretending(gpu.with_cache(Cache::off()))
}

/// A device of a program's own, with no more than these limits.
pub(crate) fn own_device(limits: wgpu::Limits) -> (wgpu::Device, wgpu::Queue) {
    device_with(limits, wgpu::Features::empty())
}

/// [`own_device`] with those of these features that there are.
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

/// The device as the environment has it taken for.
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

/// Whether it is a processor that runs the kernels of GPUs, which takes it many times as long as its own.
pub(crate) fn is_slow(gpu: &Gpu) -> bool {
    !gpu.is_software() && gpu.device().adapter_info().device_type == wgpu::DeviceType::Cpu
}

/// Says on standard error, also where the harness keeps what a test prints to itself, what cannot be tested on this device.
pub(crate) fn untested(gpu: &Gpu, what: &str) {
    let _ = writeln!(std::io::stderr(), "not tested on {} ({}): {what}", gpu.summary().name, gpu.summary().kind);
}
