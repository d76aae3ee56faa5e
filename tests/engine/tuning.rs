//! What tuning keeps.

use densenet_wgpu::internal::Pretence;
use densenet_wgpu::{Engine, EngineOptions, wgpu};

use crate::common::device::open_gpu;
use crate::network;

/// Tiles that are clearly slower are given up, and others are used only where the network is faster with them; with tiles for
/// software devices and tiles for GPUs in one list, many are clearly slower than another.
#[test]
fn what_is_tuned_is_faster_or_the_rule_stays() {
    let gpu = open_gpu().pretending(Pretence { device_type: Some(wgpu::DeviceType::DiscreteGpu), ..Pretence::default() });
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(&gpu, &graph, &weights, EngineOptions::default()).unwrap();
    let mut progress = Vec::new();
    let tuned = engine.tune_watched(2, 40, 33, |at| progress.push((at.measured, at.count, at.next.is_some()))).unwrap();
    let measured: usize = tuned.timings.values().map(Vec::len).sum();
    let expected: Vec<_> = (0..measured).map(|at| (at, measured, true)).chain([(measured, measured, false)]).collect();
    assert!(progress == expected || !engine.faults().is_empty(), "{progress:?}");
    for (class, timings) in &tuned.timings {
        assert!(timings.is_sorted_by(|a, b| a.seconds <= b.seconds), "{class}: {timings:?}");
        for given_up in timings.iter().filter(|timing| timing.given_up) {
            assert!(given_up.seconds > 2.0 * timings[0].seconds, "{class}: {timings:?}");
        }
        let used = engine.tuning().fastest().get(class).copied();
        assert_eq!(used, tuned.is_faster().then_some(timings[0].tile), "{class}, {:.3} times as fast", tuned.speedup());
    }
    if gpu.device().adapter_info().device_type == wgpu::DeviceType::Cpu {
        assert!(tuned.timings.values().flatten().any(|timing| timing.given_up), "{tuned:?}");
    }
}
