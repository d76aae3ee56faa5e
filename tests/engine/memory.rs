//! How much memory an engine takes, and that it gives it back.

use densenet_wgpu::{Engine, EngineOptions, Input};

use crate::common::assert_close;
use crate::{TOLERANCE, gpu, input, network, noisy, reference};

#[test]
fn memory_is_shared_and_given_back() {
    let (graph, weights) = network(40, 33);
    let engine = Engine::new(gpu(), &graph, &weights, EngineOptions::default()).unwrap();
    let empty = engine.byte_allocated();
    let run = |batch: usize, size: [usize; 2]| {
        let input = input(batch as u64, batch, size[0], size[1]);
        assert_close(&engine.run(Input::values(&input, size)).unwrap(), &reference(size[0], size[1], &input), TOLERANCE);
        engine.byte_allocated()
    };
    let activations = |batch: usize, size: [usize; 2]| engine.plan(batch, size[0], size[1]).unwrap().byte_buffers().sum::<u64>();
    let largest = run(8, [40, 33]);
    let parameters = 64 << 10;
    assert!(largest <= empty + activations(8, [40, 33]) + parameters, "{largest} bytes");
    // Smaller batches and pictures fit into what is there, and nothing is bound anew when they come again.
    for batch in 1..8 {
        assert!(run(batch, [40, 33]) <= largest + batch as u64 * parameters);
    }
    let all = engine.byte_allocated();
    for batch in 1..8 {
        assert_eq!(run(batch, [40, 33]), all, "batch {batch}");
    }
    // Growth gives back what was too small.
    let grown = run(8, [80, 66]);
    assert!(grown <= empty + activations(8, [80, 66]) + 2 * parameters, "{grown} bytes");
    assert!(run(1, [40, 33]) <= grown + parameters);
    engine.trim();
    assert_eq!(engine.byte_allocated(), empty);
    run(2, [40, 33]);
}

#[test]
fn memory_is_what_the_plan_says() {
    let engine = Engine::new(gpu(), &network(97, 131).0, &network(97, 131).1, EngineOptions::default()).unwrap();
    engine.run(Input::values(&input(1, 3, 97, 131), [97, 131])).unwrap();
    let planned = engine.plan(3, 97, 131).unwrap();
    let allowed = 1.05 * (planned.byte_weight_buffers().sum::<u64>() + planned.byte_peak()) as f64 + f64::from(4 << 20);
    assert!(engine.byte_allocated() as f64 <= allowed, "{} bytes, {allowed} allowed", engine.byte_allocated());
    assert!(engine.byte_allocated() >= planned.byte_total());

    let before = engine.byte_allocated();
    engine.run(Input::pictures(&noisy(1, 3, 97, 131).samples(), [97, 131])).unwrap();
    let uploads = 3 * (97_u64 * 131 * 3).next_multiple_of(4) + 3 * 3 * 1024;
    // The activations are where they were; what arrives and a second plan's parameters come with it.
    let taken = engine.byte_allocated() - before;
    assert!((1..=uploads + (64 << 10)).contains(&taken), "{taken} bytes");
}
