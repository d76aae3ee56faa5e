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

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::nonlinearity::Nonlinearity;
use crate::shape::{Shape, Window};

/// The result of an operation: a handle into the graph that made it.
///
/// ```
/// use densenet_wgpu::network::Shape;
/// use densenet_wgpu::Graph;
///
/// let mut graph = Graph::new(Shape::new(3, 8, 8));
/// let x = graph.relu("relu", graph.input())?;
/// assert_eq!((x.index(), graph.nodes()[x.index()].name.as_str()), (1, "relu"));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(usize);

impl Value {
    /// Position of the value's node in [`Graph::nodes`].
    pub const fn index(self) -> usize {
        self.0
    }
}

/// A convolution: cross-correlation as in PyTorch's `Conv2d`, one group, no dilation.
///
/// ```
/// use densenet_wgpu::network::{Conv, Window};
///
/// let conv = Conv::new(64, Window::square(7, 2, 3)).with_bias();
/// assert!(conv.bias && conv.out_channels == 64);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Channels it makes.
    pub out_channels: usize,
    /// Kernel, stride and zero padding.
    pub window: Window,
    /// Whether a bias is added to each output channel.
    pub bias: bool,
}

impl Conv {
    /// A convolution without bias, as in every DenseNet.
    pub const fn new(out_channels: usize, window: Window) -> Self {
        Self { out_channels, window, bias: false }
    }

    /// The same with a bias.
    pub const fn with_bias(self) -> Self {
        Self { bias: true, ..self }
    }
}

/// One operation.
///
/// ```
/// use densenet_wgpu::network::Op;
/// use densenet_wgpu::Config;
///
/// let graph = Config::densenet121().graph(224, 224)?;
/// let convolutions = graph.nodes().iter().filter(|node| matches!(node.op, Op::Conv(_)));
/// assert_eq!(convolutions.count() + 1, 121); // and the classifier
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// The network's input.
    Input,
    /// Convolution; tensors `weight` `[out, in, kh, kw]` and, with a bias, `bias` `[out]`.
    Conv(Conv),
    /// Batch normalisation in inference: `(x - running_mean) / sqrt(running_var + epsilon) * weight + bias`.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
    },
    /// `max(x, 0)`.
    Relu,
    /// Another function of each element.
    Nonlinearity(Nonlinearity),
    /// Maximum over a window; padding never wins.
    MaxPool(Window),
    /// Mean over a window; padding counts as zeros (PyTorch's `count_include_pad = True`).
    AvgPool(Window),
    /// Mean of 3x3 pixels at every other one, weighted (1, 2, 1) along each axis. The picture goes on mirrored at its
    /// outermost pixels: index -1 is 1, index `size` is `size - 2` (PyTorch's `reflect`).
    ///
    /// R. Zhang: *Making Convolutional Networks Shift-Invariant Again*, ICML 2019 (timm's `BlurPool2d`).
    BlurPool,
    /// Its inputs' channels one after the other.
    Concat,
    /// Mean of each channel over all pixels.
    GlobalAvgPool,
    /// Maximum of each channel over all pixels.
    GlobalMaxPool,
    /// Fully connected layer over the channels of a 1x1 picture; tensors `weight` `[out, in]` and `bias` `[out]`.
    Linear {
        /// Features it makes.
        out_features: usize,
    },
}

/// An operation in its place: its layer name, what it reads and the shape it makes.
///
/// ```
/// use densenet_wgpu::Config;
///
/// let graph = Config::densenet121().graph(224, 224)?;
/// let classifier = graph.node(graph.find("classifier")?);
/// assert_eq!(classifier.shape.channels, 1000);
/// let names: Vec<String> = classifier.tensors().into_iter().map(|tensor| tensor.name).collect();
/// assert_eq!(names, ["classifier.weight", "classifier.bias"]);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Node {
    /// The layer's name: checkpoint key, plan row, profile row and error message all use it.
    pub name: String,
    /// What is done.
    pub op: Op,
    /// What it is done to.
    pub inputs: Vec<Value>,
    /// The result's shape.
    pub shape: Shape,
    in_channels: usize,
}

/// A tensor that a layer needs from the checkpoint.
///
/// ```
/// use densenet_wgpu::Config;
///
/// let graph = Config::densenet121().graph(224, 224)?;
/// let first = graph.tensors().next().expect("a DenseNet has tensors");
/// assert_eq!((first.name.as_str(), first.shape), ("features.conv0.weight", vec![64, 3, 7, 7]));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its full name, `<layer>.<suffix>`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether training changes it by gradient (batch norm's running statistics are not counted as parameters).
    pub trainable: bool,
}

impl Node {
    /// The checkpoint tensors this layer needs.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let spec = |suffix: &str, shape: Vec<usize>, trainable| TensorSpec { name: format!("{}.{suffix}", self.name), shape, trainable };
        match self.op {
            Op::Conv(conv) => {
                let [kh, kw] = conv.window.kernel;
                let mut specs = vec![spec("weight", vec![conv.out_channels, self.in_channels, kh, kw], true)];
                if conv.bias {
                    specs.push(spec("bias", vec![conv.out_channels], true));
                }
                specs
            }
            Op::BatchNorm { .. } => {
                let [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
                    .map(|suffix| spec(suffix, vec![self.in_channels], !suffix.starts_with("running")));
                vec![weight, bias, mean, variance]
            }
            Op::Linear { out_features } => {
                vec![spec("weight", vec![out_features, self.in_channels], true), spec("bias", vec![out_features], true)]
            }
            _ => Vec::new(),
        }
    }
}

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
    /// A graph with nothing but its input, one image of `shape`.
    pub fn new(shape: Shape) -> Self {
        let node = Node { name: "input".into(), op: Op::Input, inputs: Vec::new(), shape, in_channels: shape.channels };
        Self { names: HashMap::from([(node.name.clone(), Value(0))]), nodes: vec![node], outputs: vec![Value(0)] }
    }

    /// The network's input.
    pub fn input(&self) -> Value {
        Value(0)
    }

    /// Convolves `x`. Errors where the window fits nowhere in `x`.
    pub fn conv(&mut self, name: &str, x: Value, conv: Conv) -> Result<Value> {
        let found = conv.out_channels.to_string();
        self.expect(name, conv.out_channels > 0, "at least one output channel", found)?;
        let [height, width] = self.slide(name, x, conv.window)?;
        self.add(name, Op::Conv(conv), vec![x], Shape::new(conv.out_channels, height, width))
    }

    /// Normalises each channel with its running statistics; torch's `epsilon` is `1e-5`.
    pub fn batch_norm(&mut self, name: &str, x: Value, epsilon: f32) -> Result<Value> {
        self.expect(name, epsilon.is_finite() && epsilon >= 0.0, "an epsilon of at least 0", epsilon.to_string())?;
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::BatchNorm { epsilon }, vec![x], shape)
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, name: &str, x: Value) -> Result<Value> {
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::Relu, vec![x], shape)
    }

    /// Applies another function than ReLU to each element. Errors where a slope is no finite number.
    pub fn nonlinearity(&mut self, name: &str, x: Value, nonlinearity: Nonlinearity) -> Result<Value> {
        if let Nonlinearity::LeakyRelu { slope } = nonlinearity {
            self.expect(name, slope.is_finite(), "a finite slope", slope.to_string())?;
        }
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::Nonlinearity(nonlinearity), vec![x], shape)
    }

    /// Maximum over a window. Errors where the padding exceeds half the kernel, as PyTorch does.
    pub fn max_pool(&mut self, name: &str, x: Value, window: Window) -> Result<Value> {
        let shape = self.pooled(name, x, window)?;
        self.add(name, Op::MaxPool(window), vec![x], shape)
    }

    /// Mean over a window, padding counted as zeros. Errors where the padding exceeds half the kernel, as PyTorch does.
    pub fn avg_pool(&mut self, name: &str, x: Value, window: Window) -> Result<Value> {
        let shape = self.pooled(name, x, window)?;
        self.add(name, Op::AvgPool(window), vec![x], shape)
    }

    /// [`Op::BlurPool`]: `[C, H, W]` to `[C, ceil(H / 2), ceil(W / 2)]`. Errors where a side is below 2, too small to mirror.
    pub fn blur_pool(&mut self, name: &str, x: Value) -> Result<Value> {
        let Shape { channels, height, width } = self.checked_shape(name, x)?;
        if height < 2 || width < 2 {
            return Err(Error::TooSmall { layer: name.into(), input: self.input_shape(), height, width });
        }
        self.add(name, Op::BlurPool, vec![x], Shape::new(channels, height.div_ceil(2), width.div_ceil(2)))
    }

    /// The channels of `inputs`, one after the other. Errors where heights or widths differ.
    pub fn concat(&mut self, name: &str, inputs: &[Value]) -> Result<Value> {
        let shapes = inputs.iter().map(|&x| self.checked_shape(name, x)).collect::<Result<Vec<_>>>()?;
        let Some(first) = shapes.first().copied() else {
            return Err(graph_error(name, "at least one input", "none"));
        };
        for shape in &shapes {
            let same = (shape.height, shape.width) == (first.height, first.width);
            self.expect(name, same, &format!("every input {}x{}", first.height, first.width), shape.to_string())?;
        }
        let channels = shapes.iter().try_fold(0usize, |sum, shape| sum.checked_add(shape.channels));
        let channels = channels.ok_or_else(|| graph_error(name, "fewer channels", "more than can be counted"))?;
        self.add(name, Op::Concat, inputs.to_vec(), Shape { channels, ..first })
    }

    /// Mean of each channel: `[C, H, W]` to `[C, 1, 1]`.
    pub fn global_avg_pool(&mut self, name: &str, x: Value) -> Result<Value> {
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::GlobalAvgPool, vec![x], Shape::new(shape.channels, 1, 1))
    }

    /// Maximum of each channel: `[C, H, W]` to `[C, 1, 1]`.
    pub fn global_max_pool(&mut self, name: &str, x: Value) -> Result<Value> {
        let shape = self.checked_shape(name, x)?;
        self.add(name, Op::GlobalMaxPool, vec![x], Shape::new(shape.channels, 1, 1))
    }

    /// Fully connected layer with a bias: `[C, 1, 1]` to `[out_features, 1, 1]`.
    pub fn linear(&mut self, name: &str, x: Value, out_features: usize) -> Result<Value> {
        let shape = self.checked_shape(name, x)?;
        self.expect(name, shape.pixels() == 1, "an input of 1x1 pixels (pool it first)", shape.to_string())?;
        self.expect(name, out_features > 0, "at least one output feature", out_features.to_string())?;
        self.add(name, Op::Linear { out_features }, vec![x], Shape::new(out_features, 1, 1))
    }

    /// Makes `x` the network's only output; without this it is the value added last.
    pub fn set_output(&mut self, x: Value) -> Result<()> {
        self.set_outputs(&[x])
    }

    /// Makes `outputs` the network's outputs, in this order; a value may be there twice. Errors where there are none.
    ///
    /// Pictures to features and logits in one run:
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

    /// The network's output, the first where there are several.
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
    /// Where `x` belongs to a larger graph than this one.
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
    /// Where `x` belongs to a larger graph than this one.
    pub fn node(&self, x: Value) -> &Node {
        &self.nodes[x.0]
    }

    /// Every value in the order it is computed.
    pub fn values(&self) -> impl Iterator<Item = Value> + use<> {
        (0..self.nodes.len()).map(Value)
    }

    /// The value of a layer or alias. The error names the nearest name there is.
    pub fn find(&self, name: &str) -> Result<Value> {
        self.names.get(name).copied().ok_or_else(|| Error::NoSuchLayer { name: name.into(), suggestion: self.nearest(name) })
    }

    /// Every checkpoint tensor the network needs, in order.
    pub fn tensors(&self) -> impl Iterator<Item = TensorSpec> + '_ {
        self.nodes.iter().flat_map(Node::tensors)
    }

    /// Trainable parameters, as published tables count them (running statistics are not among them).
    pub fn parameters(&self) -> usize {
        self.tensors().filter(|t| t.trainable).map(|t| t.shape.iter().product::<usize>()).sum()
    }

    /// The same network for another input size. Errors where the picture is too small for one of its windows,
    /// or where a linear layer would see more than one pixel.
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

    fn pooled(&self, name: &str, x: Value, window: Window) -> Result<Shape> {
        let half = (0..2).all(|axis| 2 * window.padding[axis] <= window.kernel[axis]);
        self.expect(name, half, "a padding of at most half the kernel", window.to_string())?;
        let [height, width] = self.slide(name, x, window)?;
        Ok(Shape { height, width, ..self.shape(x) })
    }

    fn slide(&self, name: &str, x: Value, window: Window) -> Result<[usize; 2]> {
        let positive = window.kernel.iter().chain(&window.stride).all(|&n| n > 0);
        self.expect(name, positive, "a kernel and a stride of at least 1", window.to_string())?;
        let Shape { height, width, .. } = self.checked_shape(name, x)?;
        let slid = window.slide(height, width).filter(|_| height > 0 && width > 0);
        slid.ok_or_else(|| Error::TooSmall { layer: name.into(), input: self.input_shape(), height, width })
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
    fn verbs_refuse_what_does_not_fit() {
        let mut graph = Graph::new(Shape::new(3, 8, 8));
        let x = graph.input();
        let small = graph.max_pool("pool", x, Window::square(2, 2, 0)).unwrap();
        for (what, refused) in [
            ("sizes differ", graph.concat("a", &[x, small])),
            ("nothing to join", graph.concat("b", &[])),
            ("many pixels", graph.linear("c", x, 10)),
            ("window too large", graph.conv("d", small, Conv::new(1, Window::square(5, 1, 0)))),
            ("stride 0", graph.conv("e", x, Conv::new(1, Window::square(1, 0, 0)))),
            ("no channels", graph.conv("f", x, Conv::new(0, Window::square(1, 1, 0)))),
            ("padding", graph.avg_pool("g", x, Window::square(2, 2, 2))),
            ("name taken", graph.relu("pool", x)),
            ("foreign value", graph.relu("h", Value(99))),
            ("negative epsilon", graph.batch_norm("i", x, -1.0)),
            ("no slope", graph.nonlinearity("j", x, Nonlinearity::LeakyRelu { slope: f32::NAN })),
        ] {
            assert!(refused.is_err(), "{what}");
        }
        assert_eq!(graph.nodes().len(), 2, "what was refused left nothing behind");
    }

    #[test]
    fn a_blur_pool_needs_two_pixels_a_side() {
        let mut graph = Graph::new(Shape::new(3, 2, 5));
        let x = graph.blur_pool("first", graph.input()).unwrap();
        assert_eq!(graph.shape(x), Shape::new(3, 1, 3));
        let refused = graph.blur_pool("second", x);
        assert!(matches!(&refused, Err(Error::TooSmall { layer, height: 1, width: 3, .. }) if layer == "second"), "{refused:?}");
        assert_eq!(graph.resized(7, 6).unwrap().shape(x), Shape::new(3, 4, 3));
        assert!(matches!(graph.resized(7, 1), Err(Error::TooSmall { .. })));
    }

    #[test]
    fn an_unknown_layer_gets_a_suggestion() {
        let mut graph = Graph::new(Shape::new(1, 4, 4));
        graph.relu("features.relu0", graph.input()).unwrap();
        let message = graph.find("feature.relu0").unwrap_err().to_string();
        assert!(message.contains("did you mean \"features.relu0\""), "{message}");
    }
}
