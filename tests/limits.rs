//! Devices that can do less than this one: a DenseNet comes out right within what each of them allows.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use densenet_wgpu::tuning::Tile;
use densenet_wgpu::verify::{Reference, self_test};
use densenet_wgpu::{Config, Engine, EngineOptions, Gpu, Input, Precision, wgpu};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::device::{device_with, open_gpu, untested};
use common::{assert_close, seeded_input, seeded_weights};

/// Of the largest expected magnitude: what is allowed between us and PyTorch.
const TOLERANCE: f32 = 2e-5;

/// WebGPU's own limits, which every device has.
fn least() -> wgpu::Limits {
    wgpu::Limits::default()
}

/// Runs a DenseNet of every kind of layer, batches of odd sizes, and the self-test.
#[track_caller]
fn runs(limits: wgpu::Limits, features: wgpu::Features) -> Engine {
    let (device, queue) = device_with(limits, features);
    let gpu = Gpu::from_device(device, queue);
    self_test(&gpu, Precision::F32).unwrap();
    let graph = Config::imagenet(8, &[3, 2], 16).with_classes(Some(7)).graph(70, 61).unwrap();
    let weights = seeded_weights(&graph, 3);
    let engine = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap();
    assert!(engine.faults().is_empty(), "{:?}", engine.faults());
    let reference = Reference::new(graph, weights).unwrap();
    for batch in [1, 5] {
        let pictures = seeded_input(batch as u64, batch * 3 * 70 * 61);
        let expected = reference.run(&pictures, 70, 61).unwrap();
        assert_close(&engine.run(Input::values(&pictures, [70, 61])).unwrap(), &expected, TOLERANCE);
    }
    engine
}

/// Every tile that the engine uses fits the device.
#[track_caller]
fn fits(engine: &Engine) {
    let capabilities = engine.gpu().capabilities();
    let plan = engine.plan(5, 70, 61).unwrap();
    let mut tiles = plan.steps().iter().filter_map(|step| step.tile).map(|(tile, _)| tile);
    assert!(tiles.all(|tile: Tile| tile.workgroup().fits(capabilities.workgroup) && tile.runs_on(&capabilities, Precision::F32)));
}

/// WebGPU's least: 16 KiB and 256 invocations a workgroup, bindings of 128 MiB, 8 storage buffers, 65,535 workgroups, neither
/// 16-bit floats nor subgroups nor a clock.
#[test]
fn a_device_of_webgpus_least_limits() {
    let limits = least();
    assert_eq!((limits.max_compute_workgroup_storage_size, limits.max_compute_invocations_per_workgroup), (16 << 10, 256));
    assert_eq!((limits.max_storage_buffer_binding_size, limits.max_storage_buffers_per_shader_stage), (128 << 20, 8));
    assert_eq!(limits.max_compute_workgroups_per_dimension, 65535);
    let engine = runs(limits, wgpu::Features::empty());
    assert_eq!((engine.gpu().capabilities().subgroup, engine.gpu().capabilities().f16), (None, false));
    fits(&engine);
}

/// As a Raspberry Pi's, of half as many storage buffers and 64 MiB of them.
#[test]
fn a_device_of_few_and_small_buffers() {
    let buffers = wgpu::Limits { max_storage_buffer_binding_size: 64 << 20, max_storage_buffers_per_shader_stage: 4, ..least() };
    fits(&runs(buffers, wgpu::Features::empty()));
}

/// As OpenGL ES has them at the least.
#[test]
fn a_device_of_the_lowest_level() {
    fits(&runs(wgpu::Limits::downlevel_defaults(), wgpu::Features::empty()));
}

/// As an M1's: large workgroups, no subgroups that this was told of, a clock.
#[test]
fn a_device_of_large_workgroups_and_no_subgroups() {
    let large = wgpu::Limits { max_compute_workgroup_storage_size: 32 << 10, max_compute_invocations_per_workgroup: 1024, ..least() };
    let large = wgpu::Limits { max_compute_workgroup_size_x: 1024, ..large };
    let gpu = open_gpu();
    if !large.check_limits(&gpu.device().limits()) {
        return untested(&gpu, "workgroups of 1024 invocations and 32 KiB, which it has not");
    }
    fits(&runs(large, wgpu::Features::TIMESTAMP_QUERY));
}

/// As an old Intel GPU's: subgroups and no 16-bit floats.
#[test]
fn a_device_of_subgroups_and_no_half() {
    let engine = runs(least(), wgpu::Features::SUBGROUP);
    assert!(!engine.gpu().capabilities().f16);
    fits(&engine);
    let half = EngineOptions::default().with_precision(Precision::F16);
    let (graph, weights) = (engine.graph().clone(), seeded_weights(engine.graph(), 3));
    let refused = Engine::new(engine.gpu(), &graph, &weights, half).unwrap_err().to_string();
    assert!(refused.contains("expected a device with 16-bit floats, found one without; use 32-bit floats"), "{refused}");
}
