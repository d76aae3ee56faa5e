//! The values of a graph as terms: equal symbols are equal values.

use std::collections::{HashMap, HashSet};

use densenet_wgpu::Graph;
use densenet_wgpu::network::{Conv, Node, Op, Window};

/// What one channel of a tensor is: an index into [`Symbols::terms`]. Equal symbols, equal values.
pub(crate) type Symbol = u32;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Term {
    Input {
        channel: usize,
    },
    /// A channel by itself: pools, and ReLU; the operation in words.
    Of {
        operation: String,
        channel: Symbol,
    },
    /// A channel of a layer with weights, and everything that the layer reads.
    Weighted {
        layer: String,
        channel: usize,
        inputs: Vec<Symbol>,
    },
}

/// The graph's values as terms.
#[derive(Default)]
pub(crate) struct Symbols {
    terms: Vec<Term>,
    known: HashMap<Term, Symbol>,
    /// Layers that are 1x1 convolutions: mean pools without padding may be swapped with them.
    pointwise: HashMap<String, Node>,
    /// Every value of the graph, and what is between a mean pool and the 1x1 convolution it was swapped with.
    pub(crate) values: HashSet<Vec<Symbol>>,
}

impl Symbols {
    fn symbol(&mut self, term: Term) -> Symbol {
        let next = self.terms.len() as Symbol;
        let symbol = *self.known.entry(term.clone()).or_insert(next);
        if symbol == next {
            self.terms.push(term);
        }
        symbol
    }

    fn input(&mut self, channels: usize) -> Vec<Symbol> {
        (0..channels).map(|channel| self.symbol(Term::Input { channel })).collect()
    }

    /// What `node` makes of `inputs`.
    pub(crate) fn apply(&mut self, node: &Node, inputs: &[Symbol]) -> Vec<Symbol> {
        let layer = || node.name.clone();
        match node.op {
            Op::Input | Op::Concat => inputs.to_vec(),
            Op::Conv(Conv { out_channels: channels, .. }) | Op::Linear { out_features: channels } => {
                if matches!(node.op, Op::Conv(conv) if conv.window == Window::square(1, 1, 0)) {
                    self.pointwise.insert(layer(), node.clone());
                }
                (0..channels).map(|channel| self.symbol(Term::Weighted { layer: layer(), channel, inputs: inputs.to_vec() })).collect()
            }
            Op::BatchNorm { .. } => {
                let norm =
                    |(channel, &input): (usize, &Symbol)| self.symbol(Term::Weighted { layer: layer(), channel, inputs: vec![input] });
                inputs.iter().enumerate().map(norm).collect()
            }
            Op::AvgPool(window) if window.padding == [0, 0] => {
                if let Some((conv, before)) = self.convolved(inputs) {
                    let pooled = self.apply(node, &before);
                    self.values.insert(pooled.clone());
                    return self.apply(&conv, &pooled);
                }
                self.each(node, inputs)
            }
            Op::Relu | Op::Nonlinearity(_) | Op::MaxPool(_) | Op::AvgPool(_) | Op::BlurPool | Op::GlobalAvgPool | Op::GlobalMaxPool => {
                self.each(node, inputs)
            }
            other => panic!("no rule for {other:?}"),
        }
    }

    fn each(&mut self, node: &Node, inputs: &[Symbol]) -> Vec<Symbol> {
        let operation = format!("{:?}", node.op);
        inputs.iter().map(|&channel| self.symbol(Term::Of { operation: operation.clone(), channel })).collect()
    }

    /// Where `values` are all that a 1x1 convolution makes: that layer and what it reads.
    fn convolved(&self, values: &[Symbol]) -> Option<(Node, Vec<Symbol>)> {
        let Term::Weighted { layer, inputs, .. } = &self.terms[values[0] as usize] else { return None };
        let conv = self.pointwise.get(layer)?;
        let is_channel = |(at, &value): (usize, &Symbol)| matches!(&self.terms[value as usize], Term::Weighted { layer: l, channel, inputs: i } if l == layer && *channel == at && i == inputs);
        let all = values.len() == conv.shape.channels && values.iter().enumerate().all(is_channel);
        all.then(|| (conv.clone(), inputs.clone()))
    }

    /// Every value of the graph.
    pub(crate) fn of(graph: &Graph) -> (Self, Vec<Vec<Symbol>>) {
        let mut symbols = Self::default();
        let mut values: Vec<Vec<Symbol>> = Vec::new();
        for node in graph.nodes() {
            let inputs: Vec<Symbol> = node.inputs.iter().flat_map(|x| values[x.index()].clone()).collect();
            let value = if node.op == Op::Input { symbols.input(node.shape.channels) } else { symbols.apply(node, &inputs) };
            symbols.values.insert(value.clone());
            values.push(value);
        }
        (symbols, values)
    }
}
