//! Graph to stages: which operations share a kernel.
//!
//! With fusion, four rewrites: batch norm and ReLU after a convolution fold into its weights and its epilogue; before a
//! 1x1 convolution or a mean pool they are its prologue; a mean pool after a 1x1 convolution comes before it (both are
//! linear, and there are fewer pixels after it); a concat whose first parts are all of an earlier concat grows that one.
//! Without fusion, every operation is a stage of its own.

use super::stage::{Norm, NormRelu, Operation, Stage, Stages, TensorId};
use crate::graph::{Conv, Graph, Op, Value};
use crate::kernels::pool::Pooling;
use crate::shape::{Shape, Window};

/// Where a graph value is while stages are made.
#[derive(Debug, Clone)]
struct Held {
    tensor: TensorId,
    /// What still has to be done to the tensor to get the value.
    pending: NormRelu,
    /// The layers that pending work came from.
    layers: Vec<String>,
}

impl Held {
    fn new(tensor: TensorId) -> Self {
        Self { tensor, pending: NormRelu::default(), layers: Vec::new() }
    }
}

/// Lowers `graph`.
pub(super) fn lower(graph: &Graph, fusion: bool) -> Stages {
    let uses = uses(graph);
    let mut lowering = Lowering { graph, fusion, uses, held: Vec::new(), result: Stages::default() };
    for value in graph.values() {
        let is_read = value == graph.input() || lowering.uses[value.index()] > 0;
        let held = if is_read { lowering.value(value) } else { Held::new(TensorId(0)) };
        lowering.held.push(held);
    }
    lowering.result.outputs = graph.outputs().iter().map(|&output| lowering.materialised(output)).collect();
    lowering.result
}

/// How often each value is read on the way to the network's outputs, each of which counts as a reader.
fn uses(graph: &Graph) -> Vec<usize> {
    let mut uses = vec![0; graph.nodes().len()];
    graph.outputs().iter().for_each(|output| uses[output.index()] += 1);
    for (index, node) in graph.nodes().iter().enumerate().rev() {
        if uses[index] > 0 {
            node.inputs.iter().for_each(|input| uses[input.index()] += 1);
        }
    }
    uses
}

struct Lowering<'a> {
    graph: &'a Graph,
    fusion: bool,
    uses: Vec<usize>,
    held: Vec<Held>,
    result: Stages,
}

impl Lowering<'_> {
    fn value(&mut self, value: Value) -> Held {
        let node = self.graph.node(value);
        match node.op {
            Op::Input => self.ready(node.shape),
            Op::Conv(conv) => self.conv(value, conv),
            Op::BatchNorm { epsilon } => {
                self.norm_relu(value, NormRelu { norm: Some(Norm { layer: node.name.clone(), epsilon }), relu: false })
            }
            Op::Relu => self.norm_relu(value, NormRelu { norm: None, relu: true }),
            Op::Nonlinearity(nonlinearity) => {
                let source = self.materialised(node.inputs[0]);
                self.stage(value, Vec::new(), Operation::Nonlinearity(nonlinearity), vec![source])
            }
            Op::MaxPool(window) => {
                let source = self.materialised(node.inputs[0]);
                self.stage(value, Vec::new(), Operation::Pool { pooling: Pooling::Max, window, prologue: None }, vec![source])
            }
            Op::AvgPool(window) => self.avg_pool(value, window),
            Op::BlurPool => {
                let source = self.materialised(node.inputs[0]);
                self.stage(value, Vec::new(), Operation::BlurPool, vec![source])
            }
            Op::Concat => self.concat(value),
            Op::GlobalAvgPool => {
                let (source, prologue, layers) = self.with_prologue(node.inputs[0], true);
                self.stage(value, layers, Operation::GlobalPool { prologue }, vec![source])
            }
            Op::GlobalMaxPool => {
                let source = self.materialised(node.inputs[0]);
                let Shape { height, width, .. } = self.graph.shape(node.inputs[0]);
                let window = Window { kernel: [height, width], stride: [1, 1], padding: [0, 0] };
                self.stage(value, Vec::new(), Operation::Pool { pooling: Pooling::Max, window, prologue: None }, vec![source])
            }
            Op::Linear { .. } => {
                let source = self.materialised(node.inputs[0]);
                self.stage(value, Vec::new(), Operation::Linear { relu: false }, vec![source])
            }
        }
    }

    fn conv(&mut self, value: Value, conv: Conv) -> Held {
        let node = self.graph.node(value);
        let (source, prologue, layers) = self.with_prologue(node.inputs[0], conv.window == POINTWISE);
        self.stage(value, layers, Operation::Conv { conv, prologue, epilogue: NormRelu::default() }, vec![source])
    }

    /// Batch norm or ReLU: into the epilogue of the stage before it where that made this value alone, else left pending
    /// for its readers, else a stage.
    fn norm_relu(&mut self, value: Value, step: NormRelu) -> Held {
        let node = self.graph.node(value);
        let input = node.inputs[0];
        if !self.fusion {
            let source = self.materialised(input);
            return self.stage(value, Vec::new(), Operation::NormRelu(step), vec![source]);
        }
        let mut held = self.held[input.index()].clone();
        let read_once = self.uses[input.index()] == 1;
        if read_once && held.layers.is_empty() && self.fold(held.tensor, value, &step) {
            return held;
        }
        match join(&held.pending, &step) {
            Some(pending) => {
                held.pending = pending;
                held.layers.push(node.name.clone());
                held
            }
            None => {
                let tensor = self.materialised(input);
                Held { tensor, pending: step, layers: vec![node.name.clone()] }
            }
        }
    }

    /// Takes `step` into the epilogue of the stage that makes `tensor`, where it can.
    fn fold(&mut self, tensor: TensorId, value: Value, step: &NormRelu) -> bool {
        let Some(stage) = self.result.stages.iter_mut().rev().find(|s| s.target == tensor) else { return false };
        match &mut stage.operation {
            Operation::Conv { epilogue, .. } => match join(epilogue, step) {
                Some(joined) => *epilogue = joined,
                None => return false,
            },
            Operation::Linear { relu } if step.norm.is_none() => *relu |= step.relu,
            _ => return false,
        }
        stage.layers.push(self.graph.node(value).name.clone());
        stage.value = Some(value);
        true
    }

    fn avg_pool(&mut self, value: Value, window: Window) -> Held {
        if let Some(held) = self.pool_before_conv(value, window) {
            return held;
        }
        let source = self.graph.node(value).inputs[0];
        let (source, prologue, layers) = self.with_prologue(source, window.padding == [0, 0]);
        self.stage(value, layers, Operation::Pool { pooling: Pooling::Mean, window, prologue }, vec![source])
    }

    /// Swaps a mean pool with the 1x1 convolution before it, which nothing else reads.
    fn pool_before_conv(&mut self, value: Value, window: Window) -> Option<Held> {
        let node = self.graph.node(value);
        let input = node.inputs[0];
        let held = self.held[input.index()].clone();
        let alone = self.fusion && self.uses[input.index()] == 1 && held.layers.is_empty() && window.padding == [0, 0];
        let position = self.result.stages.iter().rposition(|s| s.target == held.tensor).filter(|_| alone)?;
        let stage = &self.result.stages[position];
        let Operation::Conv { conv, prologue, epilogue } = &stage.operation else { return None };
        if conv.window != POINTWISE || *epilogue != NormRelu::default() {
            return None;
        }
        let (conv, prologue) = (*conv, prologue.clone());
        let Stage { name, mut layers, sources, target: pooled, .. } = self.result.stages.remove(position);
        layers.retain(|layer| *layer != name);
        layers.push(node.name.clone());
        self.result.tensors[pooled.0] = Shape { channels: self.result.tensors[sources[0].0].channels, ..node.shape };
        let operation = Operation::Pool { pooling: Pooling::Mean, window, prologue };
        self.result.stages.push(Stage { name: node.name.clone(), layers, operation, sources, target: pooled, value: None });
        let target = self.tensor(node.shape);
        let operation = Operation::Conv { conv, prologue: None, epilogue: NormRelu::default() };
        self.result.stages.push(Stage { layers: vec![name.clone()], name, operation, sources: vec![pooled], target, value: Some(value) });
        Some(Held::new(target))
    }

    fn concat(&mut self, value: Value) -> Held {
        let node = self.graph.node(value);
        let mut sources: Vec<TensorId> = node.inputs.iter().map(|&x| self.materialised(x)).collect();
        if self.fusion {
            // The parts of an earlier concat may themselves be shortened: each match may be the beginning of a longer one.
            while let Some(earlier) = self.longest_concat(&sources) {
                sources.splice(..earlier.sources.len(), [earlier.target]);
            }
        }
        self.stage(value, Vec::new(), Operation::Concat, sources)
    }

    /// The concat with the most of the parts that `sources` begins with, but not with all of them.
    fn longest_concat(&self, sources: &[TensorId]) -> Option<Stage> {
        let shorter = self.result.concats().filter(|s| s.sources.len() < sources.len() && sources.starts_with(&s.sources));
        shorter.max_by_key(|s| s.sources.len()).cloned()
    }

    /// The tensor `value` is in, with what a reader that `takes` a prologue must do to it first.
    fn with_prologue(&mut self, value: Value, takes: bool) -> (TensorId, Option<NormRelu>, Vec<String>) {
        let held = &self.held[value.index()];
        // The input is not laid out in planes, and only kernels that read planes have a prologue.
        let is_input = held.tensor == TensorId(0);
        if takes && !is_input && !held.layers.is_empty() {
            return (held.tensor, Some(held.pending.clone()), held.layers.clone());
        }
        (self.materialised(value), None, Vec::new())
    }

    /// The tensor that holds `value` with nothing pending; made here where there is none yet.
    fn materialised(&mut self, value: Value) -> TensorId {
        let held = self.held[value.index()].clone();
        let Some((name, before)) = held.layers.split_last() else { return held.tensor };
        let target = self.tensor(self.graph.shape(value));
        self.result.stages.push(Stage {
            name: name.clone(),
            layers: before.iter().chain([name]).cloned().collect(),
            operation: Operation::NormRelu(held.pending),
            sources: vec![held.tensor],
            target,
            value: Some(value),
        });
        self.held[value.index()] = Held::new(target);
        target
    }

    fn stage(&mut self, value: Value, mut layers: Vec<String>, operation: Operation, sources: Vec<TensorId>) -> Held {
        let node = self.graph.node(value);
        layers.push(node.name.clone());
        let held = self.ready(node.shape);
        let stage = Stage { name: node.name.clone(), layers, operation, sources, target: held.tensor, value: Some(value) };
        self.result.stages.push(stage);
        held
    }

    fn ready(&mut self, shape: Shape) -> Held {
        Held::new(self.tensor(shape))
    }

    fn tensor(&mut self, shape: Shape) -> TensorId {
        self.result.tensors.push(shape);
        TensorId(self.result.tensors.len() - 1)
    }
}

/// The window of a 1x1 convolution.
const POINTWISE: Window = Window::square(1, 1, 0);

/// `first` and then `second` as one batch norm and ReLU, where that is one.
fn join(first: &NormRelu, second: &NormRelu) -> Option<NormRelu> {
    match (&second.norm, &first.norm) {
        (None, norm) => Some(NormRelu { norm: norm.clone(), relu: first.relu || second.relu }),
        (Some(norm), None) if !first.relu => Some(NormRelu { norm: Some(norm.clone()), relu: second.relu }),
        _ => None,
    }
}
