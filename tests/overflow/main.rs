//! Numbers beyond the range of 16-bit floats become NaN in every kernel, and never an answer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod case;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../common/mod.rs"]
mod common;

use std::sync::OnceLock;

use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::network::{Conv, Nonlinearity, Shape, Window};
use densenet_wgpu::tuning::{Capabilities, Tile, Tuning};
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Config, Engine, EngineOptions, Error, Gpu, Graph, Input, Precision};

use case::{BATCH, BEYOND, Case, Layer, ONE, Values, convolutions, fused, operations, scale};
use common::buffers;
use common::device::{open_gpu, untested};
use common::{seeded_input, seeded_weights};

/// Magnitudes near [`BEYOND`] may round to either side.
const UNCERTAIN: std::ops::Range<f32> = 0.98 * BEYOND..1.02 * BEYOND;

/// Whether the device has no 16-bit floats; notes it on standard error.
fn has_no_half() -> bool {
    let has_none = !gpu().capabilities().f16;
    if has_none {
        untested(gpu(), "16-bit floats, which it has not");
    }
    has_none
}

fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(open_gpu)
}

/// The first and the last tile of each shader that the device can run, which differ in how sums come together.
fn tiles() -> Vec<Tile> {
    let runs: Vec<Tile> = Tile::all().filter(|tile| tile.runs_on(&gpu().capabilities(), Precision::F16)).collect();
    let is_end = |&index: &usize| {
        let shader = |other: Option<usize>| other.and_then(|other| runs.get(other)).map(|tile| tile.shader());
        [index.checked_sub(1), Some(index + 1)].iter().any(|beside| shader(*beside) != Some(runs[index].shader()))
    };
    (0..runs.len()).filter(is_end).map(|index| runs[index]).collect()
}

/// Fails where other elements are NaN than those whose magnitude was beyond reach.
#[track_caller]
fn assert_poisoned(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let is_wrong = |(found, expected): (&f32, &f32)| !UNCERTAIN.contains(&expected.abs()) && found.is_nan() != (expected.abs() >= BEYOND);
    let wrong = found.iter().zip(expected).position(is_wrong);
    assert_eq!(wrong.map(|index| (index, found[index], expected[index])), None, "{what}: (index, found, expected)");
}

/// The input of a network at its own size.
fn values<'a>(graph: &Graph, input: &'a [f32]) -> Input<'a> {
    let Shape { height, width, .. } = graph.input_shape();
    Input::values(input, [height, width])
}

/// What `encode` leaves in a buffer.
fn encoded(engine: &Engine, input: &[f32]) -> Vec<f32> {
    let graph = engine.graph();
    buffers::encoded(engine, values(graph, input), BATCH * graph.shape(graph.output()).elements())
}

/// The network in 16-bit floats with this tile, or with those that suit the device; none where the tile does not compute it.
fn engine(case: &Case, weights: &Weights, fusion: bool, tile: Option<Tile>) -> Option<Engine> {
    let own = Tuning::new(gpu().capabilities()).with_precision(Precision::F16);
    let tuning = Some(if let Some(tile) = tile { own.only(tile) } else { own });
    let mut options = EngineOptions::default().with_fusion(fusion);
    options.tuning = tuning;
    match Engine::new(gpu(), &case.graph, weights, options) {
        Err(Error::NoKernel { .. }) if tile.is_some() => None,
        engine => Some(engine.unwrap_or_else(|error| panic!("{}: {error}", case.name))),
    }
}

/// What is too large in the middle is NaN there and behind it, and nothing else is. Returns whether the tile computes it.
#[track_caller]
fn check(case: &Case, fusion: bool, tile: Option<Tile>) -> bool {
    let (weights, input) = case.too_large();
    let expected = &case.values(&weights, &input)[case.middle];
    let what = format!("{}, {fusion} fusion, {}", case.name, tile.map_or("own tiles".into(), |tile| tile.to_string()));
    let Some(engine) = engine(case, &weights, fusion, tile) else { return false };

    let mut walk = engine.walk(values(&case.graph, &input)).unwrap();
    let mut made = Values(Vec::new());
    while let Some(values) = walk.advance().unwrap() {
        made.0.extend(values);
    }
    assert_poisoned(&what, &made[case.middle], expected);
    assert_poisoned(&format!("{what}, behind"), &made[case.graph.output()], expected);
    assert_poisoned(&format!("{what}, encoded"), &encoded(&engine, &input), expected);
    assert!(matches!(engine.run(values(&case.graph, &input)), Err(Error::HalfOverflow)), "{what}");
    true
}

#[test]
fn what_16_bits_do_not_reach_is_nan_through_every_convolution() {
    if has_no_half() {
        return;
    }
    for case in convolutions() {
        let (weights, input) = case.too_large();
        let middle = case.values(&weights, &input);
        let signs = [1.0, -1.0].map(|sign| middle[case.middle].iter().any(|x| x * sign > UNCERTAIN.end));
        assert_eq!(signs, [true, true], "{}: the case must have both signs", case.name);
        check(&case, true, None);
        let checked = tiles().into_iter().filter(|tile| check(&case, false, Some(*tile))).count();
        assert!(checked > 1, "{}: {checked} tiles", case.name);
    }
}

#[test]
fn what_16_bits_do_not_reach_is_nan_through_every_other_kernel() {
    if has_no_half() {
        return;
    }
    for case in operations() {
        for fusion in [false, true] {
            check(&case, fusion, None);
        }
    }
    for case in fused() {
        check(&case, true, None);
    }
}

/// Some of them make a number of whatever is large.
#[test]
fn what_16_bits_do_not_reach_stays_nan_in_nonlinearities() {
    if has_no_half() {
        return;
    }
    for nonlinearity in [
        Nonlinearity::LeakyRelu { slope: 1e-3 },
        Nonlinearity::Sigmoid,
        Nonlinearity::Silu,
        Nonlinearity::Tanh,
        Nonlinearity::Gelu,
        Nonlinearity::GeluTanh,
    ] {
        let mut graph = Graph::new(Shape::new(3, 9, 11));
        let middle = graph.max_pool("another", graph.input(), ONE).unwrap();
        graph.nonlinearity("layer", middle, nonlinearity).unwrap();
        let case = Case { name: nonlinearity.to_string(), graph, middle };
        let (weights, input) = case.too_large();
        let expected = &case.values(&weights, &input)[middle];
        let engine = engine(&case, &weights, true, None).unwrap();
        assert_poisoned(&case.name, &encoded(&engine, &input), expected);
    }
}

/// Matrix units multiply 16-bit floats: what a prologue made is too large for them, though what they make of it is not. Other
/// kernels keep it in 32 bits.
#[test]
fn what_matrices_do_not_reach_is_nan() {
    if has_no_half() {
        return;
    }
    let mut graph = Graph::new(Shape::new(19, 9, 11));
    let x = graph.max_pool("another", graph.input(), ONE).unwrap();
    let x = graph.batch_norm("layer", x, 1e-5).unwrap();
    let middle = graph.relu("layer.relu", x).unwrap();
    let x = graph.conv("conv", middle, Conv::new(37, ONE)).unwrap();
    graph.relu("relu", x).unwrap();
    let case = Case { name: "prologue".into(), graph, middle };
    let (mut weights, input) = case.too_large();
    scale(&mut weights, "conv", 1e-3);
    let values = case.values(&weights, &input);
    let (large, expected) = (&values[middle], &values[case.graph.output()]);
    let pixels = 9 * 11;
    if gpu().capabilities().matrix.is_none() {
        untested(gpu(), "matrix units, which it has not");
    }
    for tile in tiles() {
        let Some(engine) = engine(&case, &weights, true, Some(tile)) else { continue };
        let found = encoded(&engine, &input);
        // Each output depends on every channel of its pixel.
        let depends = |index: usize| {
            let (image, pixel) = (index / (37 * pixels), index % pixels);
            let channels = (0..19).map(|channel| large[(image * 19 + channel) * pixels + pixel]);
            channels.fold(0f32, f32::max)
        };
        if matches!(tile, Tile::ConvMatrix(_)) {
            let depends: Vec<f32> = (0..found.len()).map(depends).collect();
            assert!(depends.iter().any(|x| *x < UNCERTAIN.start), "the case must have pixels that are not too large");
            assert_poisoned(&tile.to_string(), &found, &depends);
        } else {
            common::assert_close(&found, expected, 2e-2);
        }
    }
}

/// A dense layer's output too large, of one sign: the norm and ReLU behind it would make zeros of the negative one.
#[test]
fn a_dense_layer_that_overflows_is_an_error() {
    if has_no_half() {
        return;
    }
    let config = Config::imagenet(6, &[2, 2], 10).with_classes(Some(7));
    let graph = config.graph(40, 33).unwrap();
    for sign in [1.0, -1.0] {
        let mut weights = seeded_weights(&graph, 3);
        // One sign: after a ReLU, weights of one sign make outputs of that sign.
        let name = "features.denseblock1.denselayer2.conv2.weight";
        let tensor = weights.tensor(name).unwrap();
        let data = tensor.data.iter().map(|x| sign * 2e4 * x.abs()).collect();
        weights.insert(name, Tensor { data, ..tensor.clone() });
        let input = seeded_input(4, BATCH * graph.input_shape().elements());
        let any_gpu = Capabilities { f16: true, ..Capabilities::default() };
        for capabilities in [gpu().capabilities(), any_gpu] {
            let tuning = Some(Tuning::new(capabilities).with_precision(Precision::F16));
            let mut options = EngineOptions::default();
            options.tuning = tuning;
            let engine = Engine::new(gpu(), &graph, &weights, options).unwrap();
            assert!(matches!(engine.run(values(&graph, &input)), Err(Error::HalfOverflow)), "sign {sign}, {capabilities:?}");
            assert!(encoded(&engine, &input).iter().all(|logit| logit.is_nan()), "sign {sign}, {capabilities:?}");
        }
        let single = Engine::new(gpu(), &graph, &weights, EngineOptions::default()).unwrap();
        assert!(single.run(values(&graph, &input)).unwrap().iter().all(|logit| logit.is_finite()));
    }
}

/// A 32-bit infinity stays an infinity and does not become the largest number.
#[test]
fn infinities_of_32_bits_are_infinities() {
    for (name, layer) in [
        ("conv", (|graph, x| graph.conv("layer", x, Conv::new(9, ONE)).unwrap()) as Layer),
        ("growth", |graph, x| graph.conv("layer", x, Conv::new(9, Window::square(3, 1, 1))).unwrap()),
        ("any", |graph, x| graph.conv("layer", x, Conv::new(9, Window::square(3, 2, 1))).unwrap()),
        ("norm", |graph, x| graph.batch_norm("layer", x, 1e-5).unwrap()),
        ("linear", |graph, x| {
            let x = graph.global_avg_pool("pool", x).unwrap();
            graph.linear("layer", x, 9).unwrap()
        }),
    ] {
        let mut graph = Graph::new(Shape::new(5, 7, 9));
        let input = graph.input();
        let x = layer(&mut graph, input);
        graph.max_pool("max", x, ONE).unwrap();
        graph.set_outputs(&[x, graph.output()]).unwrap();
        let mut weights = seeded_weights(&graph, 1);
        let mut input = seeded_input(2, graph.input_shape().elements());
        let found = Reference::new(graph.clone(), weights.clone()).unwrap().run(&input, 7, 9).unwrap();
        let largest = found.iter().fold(0f32, |most, x| most.max(x.abs()));
        scale(&mut weights, "layer", 1e19);
        input.iter_mut().for_each(|x| *x *= 1e20 / largest);
        for tuning in [Tuning::new(gpu().capabilities()), Tuning::default()] {
            let engine = Engine::new(gpu(), &graph, &weights, EngineOptions::default().with_tuning(tuning)).unwrap();
            let outputs = engine.start(values(&graph, &input)).unwrap().wait_all().unwrap();
            for infinity in [f32::INFINITY, f32::NEG_INFINITY] {
                assert!(outputs.iter().all(|output| output.contains(&infinity)), "{name}: {infinity} is missing");
            }
            assert!(!outputs.iter().any(|output| output.contains(&f32::MIN)), "{name}: a number in place of an infinity");
            assert_eq!(outputs[0].len(), outputs[1].len());
            let differ = outputs[0].iter().zip(&outputs[1]).find(|(a, b)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan()));
            assert_eq!(differ, None, "{name}: a maximum of one changed it");
        }
    }
}
