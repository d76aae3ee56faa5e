//! An operation in a graph, its result, and the tensors that it needs.

use super::op::Op;
use crate::shape::Shape;

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
pub struct Value(pub(super) usize);

impl Value {
    /// Position of the value's node in [`Graph::nodes`](crate::Graph::nodes).
    pub const fn index(self) -> usize {
        self.0
    }
}

/// An operation in a graph: its layer name, its inputs and the shape of its result.
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
    /// The layer's name, used as checkpoint key and in plans, profiles and error messages.
    pub name: String,
    /// The operation.
    pub op: Op,
    /// Its inputs.
    pub inputs: Vec<Value>,
    /// The shape of its result.
    pub shape: Shape,
    pub(super) in_channels: usize,
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
    /// Whether it is trained by gradient descent (batch norm's running statistics are not).
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
