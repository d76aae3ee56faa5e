//! Stages: operations of a graph that share a kernel, between tensors that have no place yet.

use crate::graph::{Conv, Value};
use crate::kernels::pool::Pooling;
use crate::nonlinearity::Nonlinearity;
use crate::shape::{Shape, Window};

/// A tensor that exists in memory: an index into [`Stages::tensors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TensorId(pub(super) usize);

/// A batch norm's layer name and epsilon.
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    /// The layer whose four tensors are used.
    pub layer: String,
    /// Added to its variance.
    pub epsilon: f32,
}

/// What is done to each element on the way into a kernel or out of it: batch norm, then ReLU, either of them optional.
///
/// ```
/// use densenet_wgpu::internal::{NormRelu, Pack};
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let prologues = plan.packs().iter().filter_map(|packed| match &packed.pack {
///     Pack::Matrix { prologue, .. } => prologue.as_ref(),
///     Pack::Norm { .. } => None,
/// });
/// let NormRelu { norm, relu } = prologues.into_iter().next().expect("1x1 convolutions have one");
/// let norm = norm.as_ref().expect("a batch norm");
/// assert_eq!((norm.layer.as_str(), norm.epsilon, *relu), ("features.denseblock1.denselayer1.norm1", 1e-5, true));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NormRelu {
    /// The batch norm.
    pub norm: Option<Norm>,
    /// Whether a ReLU follows.
    pub relu: bool,
}

/// What a stage computes.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Conv { conv: Conv, prologue: Option<NormRelu>, epilogue: NormRelu },
    NormRelu(NormRelu),
    Nonlinearity(Nonlinearity),
    Pool { pooling: Pooling, window: Window, prologue: Option<NormRelu> },
    BlurPool,
    GlobalPool { prologue: Option<NormRelu> },
    Linear { relu: bool },
    Concat,
}

/// One or more operations of the graph that run as one kernel.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) layers: Vec<String>,
    pub(super) operation: Operation,
    pub(super) sources: Vec<TensorId>,
    pub(super) target: TensorId,
    /// The graph's value that `target` holds afterwards; none where a rewrite made something that the graph has not.
    pub(super) value: Option<Value>,
}

/// A lowered graph.
#[derive(Debug, Default)]
pub(super) struct Stages {
    pub(super) tensors: Vec<Shape>,
    pub(super) stages: Vec<Stage>,
    /// One for each of the graph's outputs, in their order.
    pub(super) outputs: Vec<TensorId>,
}

impl Stage {
    pub(super) fn is_concat(&self) -> bool {
        matches!(self.operation, Operation::Concat)
    }
}

impl Stages {
    pub(super) fn concats(&self) -> impl DoubleEndedIterator<Item = &Stage> {
        self.stages.iter().filter(|stage| stage.is_concat())
    }

    /// The channels of all these tensors.
    pub(super) fn channels(&self, tensors: &[TensorId]) -> usize {
        tensors.iter().map(|tensor| self.tensors[tensor.0].channels).sum()
    }
}
