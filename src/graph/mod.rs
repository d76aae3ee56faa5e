//! What a network is: a typed, shape-checked list of operations on one image.
//!
//! Every verb checks its shapes as it is called, so a graph that exists is valid. A graph knows neither weights
//! nor batch size: weights are looked up by layer name ([`Node::tensors`]), the batch belongs to the plan.
//!
//! ```
//! use densenet_wgpu::network::{Conv, Shape, Window};
//! use densenet_wgpu::Graph;
//!
//! # fn main() -> densenet_wgpu::Result<()> {
//! let mut graph = Graph::new(Shape::new(3, 32, 32));
//! let x = graph.input();
//! let x = graph.conv("stem", x, Conv::new(8, Window::square(3, 1, 1)))?;
//! let y = graph.relu("stem.relu", x)?;
//! let x = graph.concat("both", &[x, y])?;
//! let x = graph.global_avg_pool("pool", x)?;
//! let x = graph.linear("classifier", x, 10)?;
//! assert_eq!(graph.shape(x), Shape::new(10, 1, 1));
//! # Ok(())
//! # }
//! ```

mod node;
mod op;
mod verbs;

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::shape::Shape;
pub use node::{Node, TensorSpec, Value};
pub use op::{Conv, Op};

/// A network: operations in the order they were added, each reading earlier ones.
///
/// ```
/// use densenet_wgpu::network::{Conv, Shape, Window};
/// use densenet_wgpu::{Error, Graph};
///
/// let mut graph = Graph::new(Shape::new(3, 32, 48));
/// let x = graph.conv("conv", graph.input(), Conv::new(16, Window::square(3, 2, 1)))?;
/// let x = graph.batch_norm("norm", x, 1e-5)?;
/// let x = graph.max_pool("pool", x, Window::square(2, 2, 0))?;
/// graph.alias("stem", x)?;
/// assert_eq!(graph.shape(graph.find("stem")?), Shape::new(16, 8, 12));
/// assert_eq!(graph.shape(graph.output()), Shape::new(16, 8, 12));
/// assert_eq!(graph.resized(64, 64)?.shape(x), Shape::new(16, 16, 16));
/// assert_eq!(graph.parameters(), 16 * 3 * 9 + 2 * 16);
///
/// let wrong = graph.linear("classifier", x, 10).unwrap_err();
/// assert!(matches!(wrong, Error::Graph { .. })); // it needs 1x1 pixels: pool them first
/// let unknown = graph.find("cnov").unwrap_err().to_string();
/// assert_eq!(unknown, "no layer is called \"cnov\"; did you mean \"conv\"?");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Graph {
    nodes: Vec<Node>,
    names: HashMap<String, Value>,
    /// At least one.
    outputs: Vec<Value>,
}

impl Graph {
    /// A graph with only an input, one image of `shape`.
    pub fn new(shape: Shape) -> Self {
        let node = Node { name: "input".into(), op: Op::Input, inputs: Vec::new(), shape, in_channels: shape.channels };
        Self { names: HashMap::from([(node.name.clone(), Value(0))]), nodes: vec![node], outputs: vec![Value(0)] }
    }

    /// The network's input.
    pub fn input(&self) -> Value {
        Value(0)
    }

    /// Makes `x` the network's only output. By default it is the value added last.
    pub fn set_output(&mut self, x: Value) -> Result<()> {
        self.set_outputs(&[x])
    }

    /// Makes `outputs` the network's outputs, in this order; a value may occur twice. Errors if there are none.
    ///
    /// Features and logits in one run:
    ///
    /// ```
    /// use densenet_wgpu::verify::Reference;
    /// use densenet_wgpu::models;
    ///
    /// # fn main() -> densenet_wgpu::Result<()> {
    /// let model = models::bundled("digits").expect("it is bundled")?;
    /// let mut graph = model.graph(32, 32)?;
    /// let (logits, features) = (graph.output(), graph.find("global_pool")?);
    /// graph.set_outputs(&[logits, features])?;
    /// let picture = vec![0.5; graph.input_shape().elements()];
    /// let outputs = Reference::new(graph, model.weights)?.run_all(&picture, 32, 32)?;
    /// assert_eq!(outputs.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_outputs(&mut self, outputs: &[Value]) -> Result<()> {
        self.expect("output", !outputs.is_empty(), "at least one output", "none".into())?;
        for &x in outputs {
            self.checked_shape("output", x)?;
        }
        self.outputs = outputs.to_vec();
        Ok(())
    }

    /// Gives `x` a second name, for a module that holds several operations (`features.transition1`).
    pub fn alias(&mut self, name: &str, x: Value) -> Result<()> {
        self.checked_shape(name, x)?;
        self.claim(name, x)
    }

    /// The network's output, the first if there are several.
    pub fn output(&self) -> Value {
        self.outputs[0]
    }

    /// Every output of the network, at least one.
    pub fn outputs(&self) -> &[Value] {
        &self.outputs
    }

    /// Shape of one image's `x`.
    ///
    /// # Panics
    /// If `x` belongs to a larger graph.
    pub fn shape(&self, x: Value) -> Shape {
        self.nodes[x.0].shape
    }

    /// Shape of one input image.
    pub fn input_shape(&self) -> Shape {
        self.nodes[0].shape
    }

    /// All operations, each after those it reads; the first is the input.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The operation that makes `x`.
    ///
    /// # Panics
    /// If `x` belongs to a larger graph.
    pub fn node(&self, x: Value) -> &Node {
        &self.nodes[x.0]
    }

    /// Every value in the order it is computed.
    pub fn values(&self) -> impl Iterator<Item = Value> + use<> {
        (0..self.nodes.len()).map(Value)
    }

    /// The value of a layer or alias. The error suggests the nearest existing name.
    pub fn find(&self, name: &str) -> Result<Value> {
        self.names.get(name).copied().ok_or_else(|| Error::NoSuchLayer { name: name.into(), suggestion: self.nearest(name) })
    }

    /// Every checkpoint tensor the network needs, in order.
    pub fn tensors(&self) -> impl Iterator<Item = TensorSpec> + '_ {
        self.nodes.iter().flat_map(Node::tensors)
    }

    /// Number of trainable parameters as in published tables, without running statistics.
    pub fn parameters(&self) -> usize {
        self.tensors().filter(|t| t.trainable).map(|t| t.shape.iter().product::<usize>()).sum()
    }

    /// The same network for another input size. Errors if the picture is too small for one of its windows,
    /// or if a linear layer would see more than one pixel.
    pub fn resized(&self, height: usize, width: usize) -> Result<Self> {
        let mut graph = Self::new(Shape { height, width, ..self.input_shape() });
        for node in &self.nodes[1..] {
            let (name, x) = (node.name.as_str(), node.inputs[0]);
            match node.op {
                Op::Input => unreachable!("only the first node is the input"),
                Op::Conv(conv) => graph.conv(name, x, conv)?,
                Op::BatchNorm { epsilon } => graph.batch_norm(name, x, epsilon)?,
                Op::Relu => graph.relu(name, x)?,
                Op::Nonlinearity(nonlinearity) => graph.nonlinearity(name, x, nonlinearity)?,
                Op::MaxPool(window) => graph.max_pool(name, x, window)?,
                Op::AvgPool(window) => graph.avg_pool(name, x, window)?,
                Op::BlurPool => graph.blur_pool(name, x)?,
                Op::Concat => graph.concat(name, &node.inputs)?,
                Op::GlobalAvgPool => graph.global_avg_pool(name, x)?,
                Op::GlobalMaxPool => graph.global_max_pool(name, x)?,
                Op::Linear { out_features } => graph.linear(name, x, out_features)?,
            };
        }
        graph.names.clone_from(&self.names);
        graph.outputs.clone_from(&self.outputs);
        Ok(graph)
    }

    fn add(&mut self, name: &str, op: Op, inputs: Vec<Value>, shape: Shape) -> Result<Value> {
        let value = Value(self.nodes.len());
        self.claim(name, value)?;
        let in_channels = self.shape(inputs[0]).channels;
        self.nodes.push(Node { name: name.into(), op, inputs, shape, in_channels });
        self.outputs = vec![value];
        Ok(value)
    }

    fn claim(&mut self, name: &str, value: Value) -> Result<()> {
        self.expect(name, !self.names.contains_key(name), "a name no other layer has", name.to_owned())?;
        self.names.insert(name.into(), value);
        Ok(())
    }

    fn checked_shape(&self, name: &str, x: Value) -> Result<Shape> {
        let node = self.nodes.get(x.0);
        node.map(|n| n.shape).ok_or_else(|| graph_error(name, "a value of this graph", format!("value {} of another", x.0)))
    }

    fn expect(&self, name: &str, holds: bool, expected: &str, found: String) -> Result<()> {
        if holds { Ok(()) } else { Err(graph_error(name, expected, found)) }
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let mut names: Vec<&str> = self.names.keys().map(String::as_str).collect();
        names.sort_unstable();
        nearest(name, names).map(str::to_owned)
    }
}

fn graph_error(layer: &str, expected: &str, found: impl Into<String>) -> Error {
    Error::Graph { layer: layer.into(), expected: expected.into(), found: found.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_layer_gets_a_suggestion() {
        let mut graph = Graph::new(Shape::new(1, 4, 4));
        graph.relu("features.relu0", graph.input()).unwrap();
        let message = graph.find("feature.relu0").unwrap_err().to_string();
        assert!(message.contains("did you mean \"features.relu0\""), "{message}");
    }
}
