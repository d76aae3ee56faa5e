//! Numbers that 16-bit floats do not reach: they come out as NaN, through every kernel, and never as an answer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::sync::OnceLock;

use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::network::{Conv, Nonlinearity, Shape, Value, Window};
use densenet_wgpu::tuning::{Capabilities, Tile, Tuning};
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Config, Engine, EngineOptions, Error, Gpu, Graph, Input, Precision, wgpu};

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::device::{open_gpu, untested};
use common::{seeded_input, seeded_weights};

/// The least magnitude that rounds to an infinity of 16 bits.
const BEYOND: f32 = 65520.0;

/// Magnitudes near it may round to either side.
const UNCERTAIN: std::ops::Range<f32> = 0.98 * BEYOND..1.02 * BEYOND;

/// How far beyond the largest number of each case is.
const TIMES_BEYOND: f32 = 3.0;

const BATCH: usize = 2;

/// Whether the device has no 16-bit floats, and says so.
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

/// A network one of whose values grows too large in its middle; behind that come a maximum and a ReLU.
struct Case {
    name: String,
    graph: Graph,
    middle: Value,
}

impl Case {
    /// A network of a layer that reads the input, of 32 bits, or what another layer stored in 16.
    fn new(
        name: &str,
        [channels, height, width]: [usize; 3],
        behind_another: bool,
        layer: impl FnOnce(&mut Graph, Value) -> Value,
    ) -> Self {
        let mut graph = Graph::new(Shape::new(channels, height, width));
        let mut x = graph.input();
        if behind_another {
            x = graph.max_pool("another", x, ONE).unwrap();
        }
        let middle = layer(&mut graph, x);
        let x = graph.max_pool("max", middle, ONE).unwrap();
        graph.relu("relu", x).unwrap();
        let name = format!("{name}, {}", if behind_another { "behind another" } else { "on the input" });
        Self { name, graph, middle }
    }

    /// Weights and an input for which the middle grows too large: by the layer's weights, or where it has none, by the input.
    fn too_large(&self) -> (Weights, Vec<f32>) {
        let mut weights = seeded_weights(&self.graph, 1);
        let mut input = seeded_input(2, BATCH * self.graph.input_shape().elements());
        if !weights.is_empty() {
            input.iter_mut().for_each(|x| *x *= 100.0);
        }
        let largest = self.values(&weights, &input)[self.middle].iter().fold(0f32, |most, x| most.max(x.abs()));
        let factor = TIMES_BEYOND * BEYOND / largest;
        if weights.is_empty() {
            input.iter_mut().for_each(|x| *x *= factor);
        } else {
            scale(&mut weights, "layer", factor);
        }
        (weights, input)
    }

    /// Every value of the graph as the reference has it.
    fn values(&self, weights: &Weights, input: &[f32]) -> Values {
        let mut values = Values(Vec::new());
        let reference = Reference::new(self.graph.clone(), weights.clone()).unwrap();
        let Shape { height, width, .. } = self.graph.input_shape();
        let visit = |value, elements: &[f32]| {
            values.0.push((value, elements.to_vec()));
            ControlFlow::Continue(())
        };
        reference.walk(input, height, width, visit).unwrap();
        values
    }
}

/// Elements of a graph's values.
struct Values(Vec<(Value, Vec<f32>)>);

impl std::ops::Index<Value> for Values {
    type Output = Vec<f32>;

    fn index(&self, value: Value) -> &Vec<f32> {
        &self.0.iter().find(|(other, _)| *other == value).unwrap().1
    }
}

/// Multiplies weights and biases of the layers whose names begin so.
fn scale(weights: &mut Weights, layer: &str, factor: f32) {
    let named = |name: &str| name.starts_with(layer) && (name.ends_with(".weight") || name.ends_with(".bias"));
    let scaled: Vec<(String, Tensor)> = weights
        .iter()
        .filter(|(name, _)| named(name))
        .map(|(name, tensor)| (name.to_owned(), Tensor { data: tensor.data.iter().map(|x| x * factor).collect(), ..tensor.clone() }))
        .collect();
    assert!(!scaled.is_empty(), "no weights of {layer}");
    scaled.into_iter().for_each(|(name, tensor)| drop(weights.insert(name, tensor)));
}

const ONE: Window = Window::square(1, 1, 0);

/// Sizes are no multiples of any tile, so that edges are ragged.
fn convolutions() -> Vec<Case> {
    let windows = [
        ("1x1", ONE),
        ("3x3", Window::square(3, 1, 1)),
        ("5x3 in steps of two", Window { kernel: [5, 3], stride: [2, 2], padding: [2, 1] }),
    ];
    let conv = |(name, window): (&str, Window), behind| {
        let conv = Conv::new(37, window).with_bias();
        Case::new(name, [19, 9, 11], behind, |graph, x| graph.conv("layer", x, conv).unwrap())
    };
    windows.into_iter().flat_map(|window| [false, true].map(|behind| conv(window, behind))).collect()
}

type Layer = fn(&mut Graph, Value) -> Value;

/// Layers that are one operation.
fn operations() -> Vec<Case> {
    let norm: Layer = |graph, x| graph.batch_norm("layer", x, 1e-5).unwrap();
    let linear: Layer = |graph, x| graph.linear("layer", x, 131).unwrap();
    let weighted = [("norm", [5, 7, 9], norm), ("linear", [70, 1, 1], linear)];
    let weighted = weighted.into_iter().flat_map(|(name, shape, layer)| [false, true].map(|behind| Case::new(name, shape, behind, layer)));
    // Without weights only the input can be too large.
    let others: [(&str, Layer); 4] = [
        ("max pool", |graph, x| graph.max_pool("pool", x, Window::square(3, 2, 1)).unwrap()),
        ("mean pool", |graph, x| graph.avg_pool("pool", x, Window::square(3, 2, 1)).unwrap()),
        ("blur", |graph, x| graph.blur_pool("pool", x).unwrap()),
        ("copies", |graph, x| graph.concat("twice", &[x, x]).unwrap()),
    ];
    weighted.chain(others.into_iter().map(|(name, layer)| Case::new(name, [3, 9, 11], false, layer))).collect()
}

/// Layers of several operations that share a kernel, so that only the last one's result is stored.
fn fused() -> Vec<Case> {
    let norm_relu = |graph: &mut Graph, x| {
        let x = graph.batch_norm("layer", x, 1e-5).unwrap();
        graph.relu("layer.relu", x).unwrap()
    };
    let mean: Layer = |graph, x| graph.avg_pool("pool", x, Window::square(2, 2, 0)).unwrap();
    let global: Layer = |graph, x| graph.global_avg_pool("pool", x).unwrap();
    let pools = [("mean pool", mean), ("global pool", global)].map(|(name, pool)| {
        Case::new(&format!("{name} after norm and ReLU"), [5, 8, 10], true, |graph, x| {
            let x = norm_relu(graph, x);
            pool(graph, x)
        })
    });
    let norms = [false, true].map(|behind| Case::new("norm and ReLU", [5, 7, 9], behind, norm_relu));
    norms.into_iter().chain(pools).collect()
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
    let (device, queue) = (engine.gpu().device(), engine.gpu().queue());
    let size = (BATCH * engine.graph().shape(engine.graph().output()).elements() * size_of::<f32>()) as u64;
    let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
    let output = device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    engine.encode(&mut encoder, values(engine.graph(), input), &output).unwrap();
    queue.submit([encoder.finish()]);
    output.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
    device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    bytemuck::cast_slice(&output.get_mapped_range(..).unwrap()).to_vec()
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

/// An infinity of 32 bits is one, and no large number.
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
