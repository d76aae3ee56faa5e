//! Devices that are lost or have no memory left: typed errors, nothing that panics, and nothing held against what is sound.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Barrier;

use densenet_wgpu::checkpoint::Weights;
use densenet_wgpu::devices::Cache;
use densenet_wgpu::internal::Pretence;
use densenet_wgpu::profile::Granularity;
use densenet_wgpu::verify::{Reference, self_test};
use densenet_wgpu::{Config, Engine, EngineOptions, Error, Gpu, Graph, Input, Precision, wgpu};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::device::{open_gpu, own_device};
use common::{assert_close, seeded_input, seeded_weights};

const TOLERANCE: f32 = 2e-5;
const SIZE: [usize; 2] = [40, 33];

fn network() -> (Graph, Weights) {
    let config = Config::imagenet(6, &[2, 2], 9).with_classes(Some(7));
    let graph = config.graph(SIZE[0], SIZE[1]).unwrap();
    let weights = seeded_weights(&graph, 3);
    (graph, weights)
}

fn engine(gpu: &Gpu) -> Engine {
    let (graph, weights) = network();
    Engine::new(gpu, &graph, &weights, EngineOptions::default()).unwrap()
}

fn pictures(batch: usize) -> Vec<f32> {
    seeded_input(1, batch * 3 * SIZE[0] * SIZE[1])
}

/// The engine gives what the reference does.
#[track_caller]
fn works(engine: &Engine, batch: usize) {
    let (graph, weights) = network();
    let pictures = pictures(batch);
    let expected = Reference::new(graph, weights).unwrap().run(&pictures, SIZE[0], SIZE[1]).unwrap();
    assert_close(&engine.run(Input::values(&pictures, SIZE)).unwrap(), &expected, TOLERANCE);
}

/// A device that was opened here, and one of a program's own, which tells us nothing by itself.
fn both_kinds() -> [Gpu; 2] {
    let (device, queue) = own_device(wgpu::Limits::default());
    [open_gpu(), Gpu::from_device(device, queue)]
}

/// Whatever is asked of an engine whose device is gone, and another device goes on.
#[test]
fn a_device_that_is_destroyed_is_an_error() {
    let other = engine(&open_gpu());
    for gpu in both_kinds() {
        let engine = engine(&gpu);
        works(&engine, 2);
        assert!(gpu.failure().is_none());
        gpu.device().destroy();
        let (graph, weights) = network();
        let pictures = pictures(2);
        let input = Input::values(&pictures, SIZE);
        let refused: [Error; 7] = [
            engine.run(input).unwrap_err(),
            engine.run(Input::values(&pictures[..3 * SIZE[0] * SIZE[1]], SIZE)).unwrap_err(), // bound anew
            pollster::block_on(engine.run_async(input)).unwrap_err(),
            engine.time(input, Granularity::Step).unwrap_err(),
            engine.walk(input).map(drop).unwrap_err(),
            engine.tune(1, SIZE[0], SIZE[1]).unwrap_err(),
            Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap_err(),
        ];
        for error in refused.into_iter().chain(gpu.failure()) {
            assert!(matches!(error, Error::DeviceLost { .. }), "{error:?}");
            assert!(error.place().unwrap().contains(&gpu.summary().name) && error.to_string().contains("open it again"), "{error}");
        }
        assert!(gpu.failure().is_some());
        works(&other, 2);
    }
}

/// By another thread, while runs are under way: what was begun ends or errs, and a device that is opened anew goes on.
#[test]
fn a_device_that_is_destroyed_in_the_middle_of_runs_is_an_error() {
    for gpu in both_kinds() {
        let engine = engine(&gpu);
        let pictures = pictures(4);
        let expected = engine.run(Input::values(&pictures, SIZE)).unwrap();
        let under_way = Barrier::new(3);
        let run = || {
            under_way.wait();
            loop {
                match engine.run(Input::values(&pictures, SIZE)) {
                    Ok(logits) => assert_eq!(logits, expected, "an answer is right or none"),
                    Err(error) => return error,
                }
            }
        };
        let errors = std::thread::scope(|scope| {
            let threads = [scope.spawn(run), scope.spawn(run)];
            under_way.wait();
            // Started before, waited for after.
            let started = engine.start(Input::values(&pictures, SIZE));
            gpu.device().destroy();
            if let Ok(logits) = started.and_then(|run| run.wait()) {
                assert_eq!(logits, expected);
            }
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(errors.iter().all(|error| matches!(error, Error::DeviceLost { .. })), "{errors:?}");
    }
    works(&engine(&open_gpu()), 2);
}

/// A check that the loss of a device ended says nothing about a tile, nor does a self-test about the device.
#[test]
fn nothing_is_held_against_a_device_that_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (device, queue) = own_device(wgpu::Limits::default());
    let own = Gpu::from_device(device, queue);
    for gpu in [open_gpu(), own].map(|gpu| gpu.with_cache(Cache::at(folder.path()))) {
        let (graph, weights) = network();
        let engine = engine(&gpu);
        gpu.device().destroy();
        // Of another size, whose tiles have to be tried.
        let large = seeded_input(1, 24 * 3 * 80 * 70);
        let error = engine.run(Input::values(&large, [80, 70])).unwrap_err();
        assert!(matches!(error, Error::DeviceLost { .. }), "{error:?}");
        for _ in 0..3 {
            let error = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap_err();
            assert!(matches!(error, Error::DeviceLost { .. }), "{error:?}");
            assert!(matches!(self_test(&gpu, Precision::F32), Err(Error::DeviceLost { .. })));
        }
    }
    for gpu in both_kinds().map(|gpu| gpu.with_cache(Cache::at(folder.path()))) {
        self_test(&gpu, Precision::F32).unwrap();
        let engine = engine(&gpu);
        engine.run(Input::values(&seeded_input(1, 24 * 3 * 80 * 70), [80, 70])).unwrap();
        assert!(engine.faults().is_empty(), "{:?}", engine.faults());
        works(&engine, 1);
    }
}

/// Where a batch does not fit the device's memory it runs in parts; where an image does not, that is the error.
#[test]
fn a_device_without_memory_runs_smaller_batches() {
    let plan = |batch| engine(&open_gpu()).plan(batch, SIZE[0], SIZE[1]).unwrap().byte_buffers().sum::<u64>();
    let with = |bytes| engine(&open_gpu().pretending(Pretence { byte_pool: Some(bytes), ..Pretence::default() }));
    let small = with(plan(3));
    for batch in [1, 2, 9] {
        works(&small, batch);
    }
    assert!(small.byte_allocated() < engine(&open_gpu()).byte_allocated() + plan(3) + (1 << 20));
    // What had to be halved once need not be for ever.
    small.trim();
    works(&small, 3);
    let error = with(plan(1) - 1).run(Input::values(&pictures(1), SIZE)).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { .. }), "{error:?}");
    assert!(small.gpu().failure().is_none(), "a device without memory is not lost");
}
