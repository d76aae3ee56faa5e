//! Faults made on purpose: Khronos' validation layers must report each, or they would report none of ours. `scripts/validate.sh`
//! runs these under the layers before what must not be reported.

use wgpu::hal;

use crate::device::open_gpu;
use crate::engine::Input;
use crate::kernels::{Shader, Variant};
use crate::{Engine, EngineOptions, models};

/// A kernel that writes behind the end of its buffer, where the driver lets nothing happen: wgpu asks it for that.
#[test]
#[ignore = "a fault on purpose: scripts/validate.sh"]
fn a_write_behind_a_buffers_end() {
    let source = |variant: &Variant| match variant.shader {
        Shader::Linear => variant.source().replace("dst[", "dst[1000000u + "),
        _ => variant.source(),
    };
    let model = models::bundled("digits").unwrap().unwrap();
    let graph = model.graph(32, 32).unwrap();
    let engine = pollster::block_on(Engine::with_sources(&open_gpu(), &graph, &model.weights, EngineOptions::default(), source)).unwrap();
    engine.run(Input::values(&[0.5; 3 * 32 * 32], [32, 32])).unwrap(); // what was in memory before
}

/// Two fills of the same memory with nothing between them, behind wgpu's back, which would have put a barrier there.
#[test]
#[ignore = "a fault on purpose: scripts/validate.sh"]
fn two_writes_without_a_barrier() {
    let gpu = open_gpu();
    let usage = wgpu::BufferUsages::COPY_DST;
    let elements = gpu.device().create_buffer(&wgpu::BufferDescriptor { label: Some("fault"), size: 64, usage, mapped_at_creation: false });
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    // SAFETY: the handles are used while their owners live, and the buffer for nothing else: nobody reads what it holds.
    unsafe {
        let device = gpu.device().as_hal::<hal::api::Vulkan>().expect("the layers are Vulkan's");
        let elements = elements.as_hal::<hal::api::Vulkan>().unwrap();
        encoder.as_hal_mut::<hal::api::Vulkan, _, _>(|encoder| {
            let commands = encoder.unwrap().raw_handle();
            for value in [1, 2] {
                device.raw_device().cmd_fill_buffer(commands, elements.raw_handle(), 0, 64, value);
            }
        });
    }
    gpu.wait(Some(gpu.queue().submit([encoder.finish()]))).unwrap();
    assert!(gpu.failure().is_none());
}
