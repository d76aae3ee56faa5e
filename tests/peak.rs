//! What a device can do at the most. Nothing is said about how much that is: it depends on the machine.

use densenet_wgpu::internal::Shader;
use densenet_wgpu::profile::Peak;
use densenet_wgpu::{Gpu, wgpu};

#[test]
fn a_device_has_a_peak() {
    let gpu = Gpu::open(None).unwrap_or_else(|e| panic!("this test needs a GPU, a software one will do: {e}"));
    let peak = Peak::measure(&gpu).unwrap();
    assert!(peak.gflops.is_finite() && peak.gflops > 0.0, "{peak:?}");
    assert!(peak.gigabytes_per_second.is_finite() && peak.gigabytes_per_second > 0.0, "{peak:?}");
    assert!(Shader::Fma.variants().iter().any(|variant| variant.to_string() == peak.kernel), "{peak:?}");
}

#[test]
fn a_device_without_room_says_so() {
    let (device, queue) = pollster::block_on(async {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await.unwrap();
        let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 20, ..wgpu::Limits::downlevel_defaults() };
        adapter.request_device(&wgpu::DeviceDescriptor { required_limits: limits, ..Default::default() }).await.unwrap()
    });
    let error = Peak::measure(&Gpu::from_device(device, queue)).unwrap_err().to_string();
    assert!(error.contains("8388608 bytes") && error.contains("1048576"), "{error}");
}
