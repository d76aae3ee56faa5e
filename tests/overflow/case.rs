//! Networks one of whose values is too large for 16-bit floats.

use std::ops::ControlFlow;

use densenet_wgpu::Graph;
use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::network::{Conv, Shape, Value, Window};
use densenet_wgpu::verify::Reference;

use crate::common::{seeded_input, seeded_weights};

/// The least magnitude that rounds to an infinity of 16 bits.
pub(crate) const BEYOND: f32 = 65520.0;

pub(crate) const BATCH: usize = 2;

/// How far beyond the largest number of each case is.
const TIMES_BEYOND: f32 = 3.0;

/// A network one of whose values grows too large in its middle; behind that come a maximum and a ReLU.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) graph: Graph,
    pub(crate) middle: Value,
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
    pub(crate) fn too_large(&self) -> (Weights, Vec<f32>) {
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
    pub(crate) fn values(&self, weights: &Weights, input: &[f32]) -> Values {
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
pub(crate) struct Values(pub(crate) Vec<(Value, Vec<f32>)>);

impl std::ops::Index<Value> for Values {
    type Output = Vec<f32>;

    fn index(&self, value: Value) -> &Vec<f32> {
        &self.0.iter().find(|(other, _)| *other == value).unwrap().1
    }
}

/// Multiplies weights and biases of the layers whose names begin so.
pub(crate) fn scale(weights: &mut Weights, layer: &str, factor: f32) {
    let named = |name: &str| name.starts_with(layer) && (name.ends_with(".weight") || name.ends_with(".bias"));
    let scaled: Vec<(String, Tensor)> = weights
        .iter()
        .filter(|(name, _)| named(name))
        .map(|(name, tensor)| (name.to_owned(), Tensor { data: tensor.data.iter().map(|x| x * factor).collect(), ..tensor.clone() }))
        .collect();
    assert!(!scaled.is_empty(), "no weights of {layer}");
    scaled.into_iter().for_each(|(name, tensor)| drop(weights.insert(name, tensor)));
}

pub(crate) const ONE: Window = Window::square(1, 1, 0);

/// Sizes are no multiples of any tile, so that edges are ragged.
pub(crate) fn convolutions() -> Vec<Case> {
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

pub(crate) type Layer = fn(&mut Graph, Value) -> Value;

/// Layers that are one operation.
pub(crate) fn operations() -> Vec<Case> {
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
pub(crate) fn fused() -> Vec<Case> {
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
