//! The CPU reference against PyTorch, and its own edges.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::network::{Conv, Shape, Window};
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Config, Error, Graph};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::{Case, assert_close, generate, listing, seeded_input, seeded_weights};

/// Both sides compute in float64, but the reference rounds after every layer: that alone makes about 1e-7.
const TOLERANCE: f32 = 5e-7;

fn logits_agree(name: &str) {
    let case = Case::named(name);
    let reference = Reference::new(case.graph(), case.weights()).unwrap();
    let actual = reference.run(&case.input(), case.height, case.width).unwrap();
    let expected = case.logits();
    assert_eq!(expected.shape, [case.batch, case.config.num_classes.unwrap()]);
    for (actual, expected) in actual.chunks(expected.shape[1]).zip(expected.data.chunks(expected.shape[1])) {
        assert_close(actual, expected, TOLERANCE);
    }
}

#[test]
fn the_generator_repeats_the_other_sides_numbers() {
    for sample in listing()["samples"].as_array().unwrap() {
        let numbers = |key: &str| sample[key].as_array().unwrap().clone();
        let shape: Vec<usize> = numbers("shape").iter().map(|n| n.as_u64().unwrap() as usize).collect();
        let name = sample["name"].as_str().unwrap();
        let values = generate(name, &shape, sample["seed"].as_u64().unwrap());
        let first: Vec<u32> = numbers("first").iter().map(|v| (v.as_f64().unwrap() as f32).to_bits()).collect();
        let same: Vec<u32> = values[..first.len()].iter().map(|v| v.to_bits()).collect();
        assert_eq!(same, first, "{name}");
    }
}

#[test]
fn nonlinearities_compute_what_pytorch_computes() {
    for (nonlinearity, x, expected) in common::nonlinearities() {
        let mut graph = Graph::new(Shape::new(1, 1, x.len()));
        graph.nonlinearity("layer", graph.input(), nonlinearity).unwrap();
        let found = Reference::new(graph, Weights::new()).unwrap().run(&x, 1, x.len()).unwrap();
        for ((x, found), expected) in x.iter().zip(found).zip(expected) {
            let error = (f64::from(found) - expected).abs();
            // PyTorch's GELU adds 1 to an error function near -1, in 64 bits.
            assert!(error <= 1e-7 * expected.abs() + 1e-14, "{nonlinearity} of {x}: {found} instead of {expected}");
        }
    }
}

#[test]
fn small_networks_compute_what_pytorch_computes() {
    for name in ["odd", "grey", "cifar-bc", "cifar-plain", "cifar-plain-odd", "deep", "deep-blur", "norm-last"] {
        println!("{name}");
        logits_agree(name);
    }
}

#[test]
fn densenet121_computes_what_pytorch_computes() {
    logits_agree("densenet121");
    logits_agree("densenet121-batch");
}

#[test]
fn every_module_returns_what_pytorchs_does() {
    let (case, layers) = Case::layers();
    // Made for another size: `resized` is part of what is tested.
    let reference = Reference::new(case.config.graph(64, 64).unwrap(), case.weights()).unwrap();
    assert!(layers.len() >= 20, "{}", layers.len());
    for (name, expected) in layers {
        println!("{name}");
        let layer = reference.graph().find(&name).unwrap();
        let actual = reference.run_to(&case.input(), case.height, case.width, layer).unwrap();
        let Shape { channels, height, width } = case.graph().shape(layer);
        let shape = [case.batch, channels, height, width];
        assert!(shape.starts_with(&expected.shape) && shape[expected.shape.len()..].iter().all(|&n| n == 1), "{shape:?}");
        assert_close(&actual, &expected.data, TOLERANCE);
    }
}

#[test]
fn an_image_does_not_depend_on_its_neighbours() {
    let case = Case::named("odd");
    let reference = Reference::new(case.graph(), case.weights()).unwrap();
    let (input, per_image) = (case.input(), case.graph().input_shape().elements());
    let together = reference.run(&input, case.height, case.width).unwrap();
    let apart: Vec<f32> = input.chunks(per_image).flat_map(|x| reference.run(x, case.height, case.width).unwrap()).collect();
    assert_eq!(together, apart);
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let graph = Config::imagenet(4, &[1, 1], 4).graph(32, 32).unwrap();
    let weights = seeded_weights(&graph, 1);
    let reference = Reference::new(graph, weights).unwrap();
    let mut input = seeded_input(1, 3 * 32 * 32);
    let message = |input: &[f32], height, width| reference.run(input, height, width).unwrap_err().to_string();
    assert!(message(&input[1..], 32, 32).contains("[N, 3, 32, 32]"));
    assert!(message(&[], 32, 32).contains("0 values"));
    assert!(message(&input, 32, 33).contains("[N, 3, 32, 33]"));
    assert!(message(&input, 2, 2).contains("too small"));
    assert!(message(&input, 1 << 40, 1 << 40).contains("expected a batch"));
    input[77] = f32::NAN;
    assert!(message(&input, 32, 32).contains("NaN at index 77"));
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let graph = Config::imagenet(4, &[1, 1], 4).graph(32, 32).unwrap();
    let refused = Reference::new(graph, Weights::new()).unwrap_err();
    assert!(matches!(&refused, Error::Tensor { tensor, .. } if tensor == "features.conv0.weight"), "{refused}");
}

/// One conv with uneven window and a bias, worked by hand.
#[test]
fn a_convolution_can_be_uneven() {
    let mut graph = Graph::new(Shape::new(1, 3, 4));
    let window = Window { kernel: [2, 3], stride: [1, 2], padding: [0, 1] };
    graph.conv("conv", graph.input(), Conv::new(1, window).with_bias()).unwrap();
    let mut weights = Weights::new();
    weights.insert("conv.weight", Tensor { shape: vec![1, 1, 2, 3], data: vec![1.0, 10.0, 100.0, 2.0, 20.0, 200.0] });
    weights.insert("conv.bias", Tensor { shape: vec![1], data: vec![0.5] });
    let input: Vec<f32> = (1..=12).map(|v| v as f32).collect();
    let output = Reference::new(graph, weights).unwrap().run(&input, 3, 4).unwrap();
    // Rows 1 2 3 4 | 5 6 7 8 | 9 10 11 12, a zero column on each side; windows start at columns -1 and 1.
    let expected = [
        10.0 + 200.0 + 100.0 + 1200.0,
        2.0 + 30.0 + 400.0 + 12.0 + 140.0 + 1600.0,
        50.0 + 600.0 + 180.0 + 2000.0,
        6.0 + 70.0 + 800.0 + 20.0 + 220.0 + 2400.0,
    ];
    assert_eq!(output, expected.map(|v| v + 0.5));
}

/// Pictures of uneven and of the smallest size, worked by hand.
#[test]
fn a_blur_pool_mirrors_the_picture() {
    let blurred = |input: &[f32], height, width| {
        let mut graph = Graph::new(Shape::new(1, height, width));
        graph.blur_pool("blur", graph.input()).unwrap();
        Reference::new(graph, Weights::new()).unwrap().run(input, height, width).unwrap()
    };
    // Rows 1 2 3 4 | 5 6 7 8 | 9 10 11 12; weighted around columns 0 and 2 they are 6 12 | 22 28 | 38 44.
    let picture: Vec<f32> = (1..=12).map(|v| v as f32).collect();
    let above = [22.0 + 2.0 * 6.0 + 22.0, 28.0 + 2.0 * 12.0 + 28.0];
    let below = [22.0 + 2.0 * 38.0 + 22.0, 28.0 + 2.0 * 44.0 + 28.0];
    assert_eq!(blurred(&picture, 3, 4), [above, below].concat().iter().map(|sum| sum / 16.0).collect::<Vec<f32>>());
    // Both directions at once: 2 1 2 and 4 3 4 are the only rows there are.
    assert_eq!(blurred(&[1.0, 2.0, 3.0, 4.0], 2, 2), [2.5]);
}
