//! Devices whose buffers are small: batches are split, weights spread, and what fits nowhere is refused.

use densenet_wgpu::checkpoint::Weights;
use densenet_wgpu::network::Shape;
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Config, Engine, EngineOptions, Error, Gpu, Graph, Input, wgpu};

use crate::common::buffers::{encoded, filled};
use crate::common::device::{own_device, pretending};
use crate::common::{assert_close, seeded_weights};
use crate::{TOLERANCE, input, network, noisy};

/// A device whose kernels can bind no more than a mebibyte of a buffer, and its largest buffer.
pub(crate) fn small_device(max_buffer_size: u64) -> Gpu {
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 20, max_buffer_size, ..wgpu::Limits::default() };
    let (device, queue) = own_device(limits);
    pretending(Gpu::from_device(device, queue))
}

#[test]
fn batches_are_split_where_buffers_are_limited() {
    let (graph, weights) = network(64, 64);
    // The device has no subgroups: it gets the kernels of GPUs, whose tiles depend on the batch.
    let options = EngineOptions::default().with_batch_invariant(true);
    let engine = Engine::new(&small_device(1 << 20), &graph, &weights, options).unwrap();
    let pictures = input(2, 33, 64, 64);
    let largest = engine.plan(33, 64, 64).unwrap().byte_buffers().max().unwrap();
    assert!(largest > 1 << 20, "{largest} bytes would fit: the test needs a larger batch");
    let together = engine.run(Input::values(&pictures, [64, 64])).unwrap();
    let alone: Vec<f32> =
        pictures.chunks_exact(3 * 64 * 64).flat_map(|picture| engine.run(Input::values(picture, [64, 64])).unwrap()).collect();
    assert_eq!(together, alone);
    assert_eq!(pollster::block_on(engine.run_async(Input::values(&pictures, [64, 64]))).unwrap(), alone);
    // Seven of another size, in parts that are not all alike.
    let seven = input(3, 7, 200, 170);
    assert!(engine.plan(4, 200, 170).unwrap().byte_buffers().max().unwrap() > 1 << 20, "the test needs larger pictures");
    let alone: Vec<f32> =
        seven.chunks_exact(3 * 200 * 170).flat_map(|picture| engine.run(Input::values(picture, [200, 170])).unwrap()).collect();
    assert_eq!(engine.run(Input::values(&seven, [200, 170])).unwrap(), alone);
    let seven = noisy(3, 7, 200, 170);
    assert_eq!(
        engine.run(Input::pictures(&seven.samples(), [200, 170])).unwrap(),
        engine.run(Input::values(&seven.values(), [200, 170])).unwrap()
    );
}

/// Their tables are larger than they are.
#[test]
fn tiny_pictures_are_split_where_buffers_are_limited() {
    let graph = Graph::new(Shape::new(3, 2, 2));
    let engine = Engine::new(&small_device(1 << 20), &graph, &Weights::new(), EngineOptions::default()).unwrap();
    let pictures = noisy(1, 1000, 2, 2);
    assert_eq!(engine.run(Input::pictures(&pictures.samples(), [2, 2])).unwrap(), pictures.values());
}

#[test]
fn an_encoded_batch_is_split_where_buffers_are_limited() {
    let gpu = small_device(1 << 22);
    let (graph, weights) = network(64, 64);
    let engine = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let pictures = input(2, 5, 200, 170);
    assert!(engine.plan(5, 200, 170).unwrap().byte_buffers().max().unwrap() > 1 << 20, "the test needs larger pictures");
    let from = filled(gpu.device(), &pictures);
    let logits = encoded(&engine, Input::buffer(&from, 5, [200, 170]), 5 * 7);
    assert_eq!(logits, engine.run(Input::values(&pictures, [200, 170])).unwrap());
}

#[test]
fn weights_are_spread_over_buffers_where_they_are_limited() {
    let config = Config::imagenet(32, &[6, 4], 16).with_classes(Some(7));
    let graph = config.graph(33, 35).unwrap();
    let weights = seeded_weights(&graph, 3);
    let engine = Engine::new(&small_device(1 << 20), &graph, &weights, EngineOptions::default()).unwrap();
    let buffers = engine.plan(1, 33, 35).unwrap().byte_weight_buffers().count();
    assert!(buffers > 1, "all weights fit into one buffer: the test needs a larger network");
    let picture = input(4, 1, 33, 35);
    let expected = Reference::new(graph, weights).unwrap().run(&picture, 33, 35).unwrap();
    assert_close(&engine.run(Input::values(&picture, [33, 35])).unwrap(), &expected, TOLERANCE);
}

#[test]
fn what_a_device_cannot_hold_is_refused() {
    let too_large = |refused: Error| match refused {
        Error::TooLarge { what, needed, limit, .. } => {
            assert!(needed > limit && limit == 1 << 20, "{what} needs {needed}, {limit} allowed");
            what
        }
        other => panic!("{other}"),
    };
    let gpu = small_device(1 << 20);
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let what = too_large(engine.run(Input::values(&input(1, 1, 640, 640), [640, 640])).unwrap_err());
    assert!(what.contains("640x640"), "{what}");

    let graph = Config::imagenet(6, &[2, 2], 9).with_classes(Some(20_000)).graph(40, 33).unwrap();
    let what = too_large(Engine::new(&gpu, &graph, &seeded_weights(&graph, 3), EngineOptions::default()).unwrap_err());
    assert!(what.contains("weights"), "{what}");
}
