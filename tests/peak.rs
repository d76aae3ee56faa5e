//! What a device can do at the most. Nothing is said about how much that is: it depends on the machine.

use densenet_wgpu::internal::Shader;
use densenet_wgpu::profile::Peak;
use densenet_wgpu::{Gpu, wgpu};

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "common/device.rs"]
mod device;
use device::{open_gpu, own_device};

#[test]
fn a_device_has_a_peak() {
    let peak = Peak::measure(&open_gpu()).unwrap();
    assert!(peak.gflops.is_finite() && peak.gflops > 0.0, "{peak:?}");
    assert!(peak.gigabytes_per_second.is_finite() && peak.gigabytes_per_second > 0.0, "{peak:?}");
    assert!(Shader::Fma.variants().iter().any(|variant| variant.to_string() == peak.kernel), "{peak:?}");
}

#[test]
fn a_device_without_room_says_so() {
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 20, ..wgpu::Limits::downlevel_defaults() };
    let (device, queue) = own_device(limits);
    let error = Peak::measure(&Gpu::from_device(device, queue)).unwrap_err().to_string();
    assert!(error.contains("8388608 bytes") && error.contains("1048576"), "{error}");
}
