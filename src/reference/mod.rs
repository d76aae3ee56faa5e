//! The reference: a simple, slow executor of the [`Graph`] on the CPU.
//!
//! It runs operation by operation on the checkpoint's own tensors: nothing is folded, fused or placed, so it shares no mistakes with the
//! plan or the kernels. Every operation computes in 64-bit floats and rounds its result to 32 bits.
//!
//! ```
//! use densenet_wgpu::verify::Reference;
//! use densenet_wgpu::models;
//!
//! let model = models::bundled("digits").expect("it is bundled")?;
//!
//! let reference = Reference::new(model.graph(64, 64)?, model.weights)?;
//! let logits = reference.run(&[0.5; 3 * 64 * 64], 64, 64)?;
//! assert_eq!(logits.len(), 10);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::graph::{Graph, Node, Op, Value};
use crate::shape::Shape;
use crate::weights::Weights;

mod ops;

use ops::{avg_pool, blur_pool, concat, conv, global_max_pool, global_pool, linear, max_pool, nonlinearity, norm, relu};

/// A network and its weights, ready to run on the CPU.
///
/// ```
/// use std::ops::ControlFlow;
/// use densenet_wgpu::verify::Reference;
/// use densenet_wgpu::models;
///
/// let model = models::bundled("digits").expect("it is bundled")?;
///
/// let reference = Reference::new(model.graph(64, 64)?, model.weights)?;
/// let picture = [0.5; 3 * 64 * 64];
/// let features = reference.run_to(&picture, 64, 64, reference.graph().find("global_pool")?)?;
/// assert_eq!(features.len(), 50);
///
/// let mut seen = Vec::new();
/// reference.walk(&picture, 64, 64, |value, _elements| {
///     seen.push(reference.graph().node(value).name.clone());
///     if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
/// })?;
/// assert_eq!(seen, ["input", "features.conv0", "features.norm0"]);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reference {
    graph: Graph,
    weights: Weights,
}

impl Reference {
    /// Makes a reference for a network with its weights. Errors if the weights are not exactly those that it needs
    /// ([`Weights::check`]).
    pub fn new(graph: Graph, weights: Weights) -> Result<Self> {
        weights.check(&graph)?;
        Ok(Self { graph, weights })
    }

    /// The network, at the size that it was made for.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Runs the network on a batch `[N, C, height, width]` and returns its output `[N, C', H', W']`, for a
    /// classifier `[N, classes]`; the first output if there are several.
    ///
    /// The size may differ from the graph's own. Errors if the length is not that of whole pictures, a value is NaN
    /// or infinite, or the pictures are too small for the network.
    pub fn run(&self, input: &[f32], height: usize, width: usize) -> Result<Vec<f32>> {
        self.run_to(input, height, width, self.graph.output())
    }

    /// Like [`Reference::run`], but returns all outputs of the network in order, each `[N, C', H', W']`.
    pub fn run_all(&self, input: &[f32], height: usize, width: usize) -> Result<Vec<Vec<f32>>> {
        let wanted = self.graph.outputs();
        let mut outputs = vec![Vec::new(); wanted.len()];
        self.walk(input, height, width, |value, result| {
            for (output, _) in outputs.iter_mut().zip(wanted).filter(|(_, wanted)| **wanted == value) {
                *output = result.to_vec();
            }
            if wanted.iter().all(|&wanted| wanted <= value) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(outputs)
    }

    /// Like [`Reference::run`], but stops at `layer` and returns its result. Errors also if the graph has no such layer.
    pub fn run_to(&self, input: &[f32], height: usize, width: usize, layer: Value) -> Result<Vec<f32>> {
        let mut output = None;
        self.walk(input, height, width, |value, result| {
            if value == layer {
                output = Some(result.to_vec());
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        output.ok_or_else(|| Error::NoSuchLayer { name: format!("value {}", layer.index()), suggestion: None })
    }

    /// Runs the network on a batch and passes the result of each layer to `visit`, in the graph's order, until it breaks.
    /// A result is kept only while a later layer needs it. Errors as [`Reference::run`] does.
    pub fn walk(&self, input: &[f32], height: usize, width: usize, mut visit: impl FnMut(Value, &[f32]) -> ControlFlow<()>) -> Result<()> {
        let same = Shape { height, width, ..self.graph.input_shape() } == self.graph.input_shape();
        let resized = if same { None } else { Some(self.graph.resized(height, width)?) };
        let graph = resized.as_ref().unwrap_or(&self.graph);
        check_input(input, graph.input_shape())?;

        let mut readers = vec![0; graph.nodes().len()];
        for read in graph.nodes().iter().flat_map(|node| &node.inputs) {
            readers[read.index()] += 1;
        }
        let mut results: Vec<Vec<f32>> = vec![Vec::new(); graph.nodes().len()];
        for value in graph.values() {
            let node = graph.node(value);
            let result = match node.op {
                Op::Input => input.to_vec(),
                _ => {
                    let inputs: Vec<_> = node.inputs.iter().map(|&x| (graph.shape(x), results[x.index()].as_slice())).collect();
                    self.compute(node, &inputs)?
                }
            };
            if visit(value, &result).is_break() {
                break;
            }
            results[value.index()] = result;
            for read in &node.inputs {
                readers[read.index()] -= 1;
                if readers[read.index()] == 0 {
                    results[read.index()] = Vec::new();
                }
            }
        }
        Ok(())
    }

    fn compute(&self, node: &Node, inputs: &[(Shape, &[f32])]) -> Result<Vec<f32>> {
        let (from, x) = inputs[0];
        let tensor = |suffix: &str| self.weights.tensor(&format!("{}.{suffix}", node.name)).map(|t| t.data.as_slice());
        Ok(match node.op {
            Op::Input => x.to_vec(),
            Op::Conv(c) => {
                let bias = if c.bias { Some(tensor("bias")?) } else { None };
                conv(c, from, x, tensor("weight")?, bias)
            }
            Op::BatchNorm { epsilon } => {
                norm(epsilon, from, x, [tensor("weight")?, tensor("bias")?, tensor("running_mean")?, tensor("running_var")?])
            }
            Op::Relu => relu(x),
            Op::Nonlinearity(function) => nonlinearity(function, x),
            Op::MaxPool(window) => max_pool(window, from, x),
            Op::AvgPool(window) => avg_pool(window, from, x),
            Op::BlurPool => blur_pool(from, x),
            Op::Concat => concat(inputs),
            Op::GlobalAvgPool => global_pool(from, x),
            Op::GlobalMaxPool => global_max_pool(from, x),
            Op::Linear { .. } => linear(x, tensor("weight")?, tensor("bias")?),
        })
    }
}

fn check_input(input: &[f32], shape: Shape) -> Result<()> {
    let Shape { channels, height, width } = shape;
    let elements = channels.checked_mul(height).and_then(|n| n.checked_mul(width)).filter(|&n| n > 0);
    if input.is_empty() || !elements.is_some_and(|n| input.len().is_multiple_of(n)) {
        let expected = format!("a batch [N, {channels}, {height}, {width}] of whole pictures");
        return Err(Error::Input { expected, found: format!("{} values", input.len()) });
    }
    match input.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Error::Input { expected: "finite numbers".into(), found: format!("{} at index {index}", input[index]) }),
        None => Ok(()),
    }
}
