//! Threads that share an engine or open devices: each gets the result of its own input.

use std::sync::atomic::{AtomicBool, Ordering};

use densenet_wgpu::internal::Pretence;
use densenet_wgpu::profile::Granularity;
use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, wgpu};

use crate::common::assert_close;
use crate::common::device::{open_gpu, own_device, pretending, untested};
use crate::{TOLERANCE, engine, gpu, input, network, noisy, reference};

#[test]
fn an_engine_can_be_shared() {
    const fn shared<T: Send + Sync>() {}
    const { shared::<Engine>() };
}

#[test]
fn threads_get_their_own_results() {
    let run = |seed: u64| {
        for (round, size) in [[40, 33], [31, 50], [40, 33]].into_iter().enumerate() {
            let input = input(seed + 10 * round as u64, 2, size[0], size[1]);
            assert_close(&engine().run(Input::values(&input, size)).unwrap(), &reference(size[0], size[1], &input), TOLERANCE);
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|seed| drop(scope.spawn(move || run(seed)))));
}

/// Runs, times and tunes one engine from several threads with different inputs: each gets the reference's result for its own.
#[track_caller]
fn hammer(gpu: &Gpu) {
    const SIZE: [usize; 2] = [40, 33];
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let works = |seed: u64| {
        let batches = [1, 3, 1, 2].into_iter().enumerate();
        let work = |(index, batch)| {
            let input = input(100 * seed + index as u64, batch, 40, 33);
            let expected = reference(40, 33, &input);
            (input, expected)
        };
        batches.map(work).collect::<Vec<_>>()
    };
    let is_over = AtomicBool::new(false);
    // Each input at least twice, however long the other threads take.
    let run = |works: Vec<(Vec<f32>, Vec<f32>)>| {
        for (count, (input, expected)) in works.iter().cycle().enumerate() {
            if count >= 2 * works.len() && is_over.load(Ordering::Relaxed) {
                break;
            }
            assert_close(&engine.run(Input::values(input, SIZE)).unwrap(), expected, TOLERANCE);
        }
    };
    let time = |input: &[f32]| {
        for granularity in [Granularity::Step, Granularity::Run].into_iter().cycle() {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            engine.time(Input::values(input, SIZE), granularity).unwrap();
        }
    };
    let tune = || {
        // Ends the others' loops also where it fails.
        let _ended = Ends(&is_over);
        assert!(!engine.tune(3, 40, 33).unwrap().timings.is_empty());
    };
    let (ours, theirs) = ([works(1), works(2)], input(7, 1, 40, 33));
    std::thread::scope(|scope| {
        let tuning = scope.spawn(tune);
        scope.spawn(|| time(&theirs));
        for works in ours {
            scope.spawn(|| run(works));
        }
        tuning.join().unwrap();
    });
}

/// Sets a flag when it is dropped.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn threads_run_while_others_time_and_tune() {
    hammer(gpu());
}

#[test]
fn threads_run_while_others_time_and_tune_by_the_hosts_clock() {
    let (device, queue) = own_device(wgpu::Limits::default());
    let gpu = pretending(Gpu::from_device(device, queue));
    assert!(!gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY));
    hammer(&gpu);
}

/// Every convolution is a submission of its own, or several where its kernel is cut.
#[test]
fn threads_run_while_others_time_and_tune_in_several_submissions() {
    let gpu = open_gpu().pretending(Pretence { flops_per_submission: Some(1), ..Pretence::default() });
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let submissions = engine.time(Input::values(&input(1, 1, 40, 33), [40, 33]), Granularity::Run).map(|timeline| timeline.passes.len());
    assert!(submissions.unwrap() > 4 || untimed(&gpu));
    hammer(&gpu);
}

/// Whether the device has no clock; notes it on standard error.
fn untimed(gpu: &Gpu) -> bool {
    let is_untimed = !gpu.device().features().contains(wgpu::Features::TIMESTAMP_QUERY);
    if is_untimed {
        untested(gpu, "whether a run is cut into several submissions, for want of timestamps");
    }
    is_untimed
}

/// Drivers have crashed where two threads open devices at a time.
#[test]
fn devices_are_opened_from_several_threads() {
    let names = std::thread::scope(|scope| {
        let threads = [0; 4].map(|_| scope.spawn(|| (Gpu::adapters().len(), Gpu::open(None).unwrap().summary().name.clone())));
        threads.map(|thread| thread.join().unwrap())
    });
    assert!(names.iter().all(|name| *name == names[0] && name.0 > 0), "{names:?}");
}

#[test]
fn pictures_are_their_values_in_any_thread() {
    let run = |seed: u64| {
        for (round, [height, width]) in [[40, 33], [31, 50], [40, 33]].into_iter().enumerate() {
            let pictures = noisy(seed + 10 * round as u64, 2 + round, height, width);
            let on_device = engine().run(Input::pictures(&pictures.samples(), [height, width])).unwrap();
            assert_eq!(on_device, engine().run(Input::values(&pictures.values(), [height, width])).unwrap());
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|seed| drop(scope.spawn(move || run(seed)))));
}
