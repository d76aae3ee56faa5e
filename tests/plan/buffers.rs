//! How large buffers are, and what is refused because no buffer could hold it.

use std::collections::HashMap;

use densenet_wgpu::internal::Pack;
use densenet_wgpu::network::{Shape, Window};
use densenet_wgpu::planning::PlanOptions;
use densenet_wgpu::{Config, Error, Graph, Plan};

use crate::{densenet121, plan};

#[test]
fn weights_are_packed_alike_for_every_size_and_batch() {
    for fusion in [true, false] {
        let packs = plan(&densenet121(224, 224), 1, fusion).packs().to_vec();
        for (batch, [height, width]) in [(3, [224, 224]), (1, [97, 131]), (2, [32, 640])] {
            let other = plan(&densenet121(height, width), batch, fusion);
            assert!(other.packs() == packs, "batch {batch}, {height}x{width}: the engine uploads weights once for all");
        }
    }
}

#[test]
fn weight_buffers_stay_below_the_limit() {
    let options = PlanOptions::default().with_byte_weight_buffer(1 << 20);
    let small = Plan::new(&densenet121(224, 224), options).unwrap();
    let largest = small.packs().iter().map(|packed| 4 * packed.pack.elements() as u64).max().unwrap();
    assert!(small.byte_weight_buffers().count() > 20);
    assert!(small.byte_weight_buffers().all(|bytes| bytes <= largest.max(1 << 20)));
    let mut ends = HashMap::new();
    for packed in small.packs() {
        let end = ends.entry(packed.buffer).or_insert(0);
        assert_eq!(packed.element_offset, *end, "packs follow each other");
        *end += packed.pack.elements();
    }
    for (buffer, bytes) in small.byte_weight_buffers().enumerate() {
        assert_eq!(4 * ends[&buffer] as u64, bytes);
    }
}

/// For what the engine allocates: little more than is alive at once.
#[test]
fn buffers_hold_little_more_than_is_alive_at_once() {
    for name in Config::names() {
        for (batch, [height, width]) in [(1, [224, 224]), (8, [224, 224]), (3, [97, 131]), (1, [640, 480])] {
            let plan = plan(&Config::named(name).unwrap().graph(height, width).unwrap(), batch, true);
            let weights: u64 = plan.byte_weight_buffers().sum();
            assert_eq!(plan.byte_total(), weights + plan.byte_buffers().sum::<u64>());
            assert!(plan.byte_peak() <= plan.byte_buffers().sum(), "{name}: more is alive than there is memory");
            let allowed = 1.05 * (weights + plan.byte_peak()) as f64 + f64::from(4 << 20);
            assert!(plan.byte_total() as f64 <= allowed, "{name}, {batch} x {height}x{width}: {allowed} bytes allowed\n{plan}");
        }
    }
}

#[test]
fn networks_without_parameters_have_plans() {
    let mut graph = Graph::new(Shape::new(3, 8, 8));
    let x = graph.max_pool("pool", graph.input(), Window::square(2, 2, 0)).unwrap();
    let x = graph.relu("relu", x).unwrap();
    let x = graph.concat("both", &[x, x]).unwrap();
    graph.global_avg_pool("mean", x).unwrap();
    for (network, fusion) in [(&graph, true), (&graph, false), (&Graph::new(Shape::new(3, 8, 8)), true)] {
        let plan = plan(network, 2, fusion);
        let needless = |packed: &Pack| matches!(packed, Pack::Norm { norm: None, .. });
        assert!(plan.packs().iter().all(|packed| needless(&packed.pack)), "{:?}", plan.packs());
        assert_eq!(plan.flops(), 0);
        assert!(!plan.steps().is_empty());
        plan.to_string();
    }
}

#[test]
fn batches_and_pictures_that_nothing_can_hold_are_refused() {
    let graph = densenet121(224, 224);
    let refused = |batch| Plan::new(&graph, PlanOptions::default().with_batch(batch)).unwrap_err();
    assert!(matches!(refused(0), Error::Input { .. }), "{}", refused(0));
    assert!(refused(0).to_string().contains("at least 1"), "{}", refused(0));

    // The kernels' indices are 32-bit numbers.
    let single = plan(&graph, 1, true).byte_buffers().max().unwrap();
    let largest = (u64::from(u32::MAX) / single) as usize;
    plan(&graph, largest, true);
    for batch in [largest + 1, 1 << 20, 1 << 40, usize::MAX] {
        let error = refused(batch);
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert!(error.to_string().contains(&format!("{batch} images of 3x224x224")), "{error}");
    }

    let mut enormous = Graph::new(Shape::new(3, 1 << 40, 1 << 40));
    enormous.relu("relu", enormous.input()).unwrap();
    let error = Plan::new(&enormous, PlanOptions::default()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");

    let mut empty = Graph::new(Shape::new(3, 0, 5));
    empty.relu("relu", empty.input()).unwrap();
    let error = Plan::new(&empty, PlanOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Input { .. }) && error.to_string().contains("3x0x5"), "{error}");
}
