//! Random networks.

use std::fmt::Write as _;

use densenet_wgpu::Graph;
use densenet_wgpu::network::{Conv, Shape, Value, Window};
use proptest::prelude::*;

use super::heads::NONLINEARITIES;
use super::{GROWTH, HALVE, Net, Odd, POINTWISE, window};

/// A random network of at most ten layers. It is valid by construction: verbs that do not fit are left out.
pub(crate) fn random() -> impl Strategy<Value = Odd> {
    let verb = (0..14u8, any::<[prop::sample::Index; 3]>(), 1..7usize, 0..6usize);
    let verbs = prop::collection::vec(verb, 3..=10);
    let shape = (1..6usize, 1..10usize, 1..10usize);
    let others = prop::collection::vec(any::<prop::sample::Index>(), 0..=2);
    (shape, 1..=3usize, verbs, others, prop::bool::weighted(0.2)).prop_map(
        |((channels, height, width), batch, verbs, others, elsewhere)| {
            let mut net = Net { graph: Graph::new(Shape::new(channels, height, width)) };
            for (verb, operands, channels, pick) in verbs {
                net.random_verb(verb, operands, channels, pick);
            }
            let values: Vec<Value> = net.graph.values().collect();
            let others = others.iter().map(|other| *other.get(&values));
            let outputs: Vec<Value> = Some(net.graph.output()).filter(|_| !elsewhere).into_iter().chain(others).collect();
            if !outputs.is_empty() {
                net.outputs(&outputs);
            }
            Odd { name: format!("batch {batch} of{}", description(&net.graph)), graph: net.graph, batch }
        },
    )
}

impl Net {
    fn random_verb(&mut self, verb: u8, operands: [prop::sample::Index; 3], channels: usize, pick: usize) {
        let values: Vec<Value> = self.graph.values().collect();
        // Mostly what was made last: chains are what fusion is about.
        let x = if pick.is_multiple_of(3) { *operands[0].get(&values) } else { *values.last().expect("the input") };
        let size = |x: Value| (self.graph.shape(x).height, self.graph.shape(x).width);
        let name = format!("layer{}", values.len());
        let window = [GROWTH, HALVE, Window::square(3, 2, 1), window([1, 3], [1, 1], [0, 1]), Window::square(3, 1, 0), POINTWISE][pick];
        let conv = |window| Conv { out_channels: channels, window, bias: pick.is_multiple_of(2) };
        let tried = match verb {
            0 | 1 => self.graph.conv(&name, x, conv(POINTWISE)),
            2 => self.graph.conv(&name, x, conv(window)),
            3 | 4 => self.graph.batch_norm(&name, x, 1e-5),
            5 | 6 => self.graph.relu(&name, x),
            7 => self.graph.max_pool(&name, x, window),
            8 => self.graph.avg_pool(&name, x, window),
            9 | 10 => {
                let fitting: Vec<Value> = values.iter().copied().filter(|&other| size(other) == size(x)).collect();
                let mut parts: Vec<Value> = operands[..1 + pick % 3].iter().map(|operand| *operand.get(&fitting)).collect();
                parts.insert(channels % (parts.len() + 1), x);
                let sum: usize = parts.iter().map(|&part| self.graph.shape(part).channels).sum();
                if sum > 64 {
                    return;
                }
                self.graph.concat(&name, &parts)
            }
            11 => self.graph.blur_pool(&name, x),
            12 => self.graph.nonlinearity(&name, x, NONLINEARITIES[pick]),
            _ if self.graph.shape(x).pixels() == 1 => self.graph.linear(&name, x, channels),
            _ if pick == 0 => self.graph.global_avg_pool(&name, x),
            _ => return,
        };
        // A window that does not fit leaves the graph as it was.
        drop(tried);
    }
}

/// A graph in words, a line for each layer.
fn description(graph: &Graph) -> String {
    let mut text = format!(" {}", graph.input_shape());
    for node in &graph.nodes()[1..] {
        let inputs: Vec<&str> = node.inputs.iter().map(|&x| graph.node(x).name.as_str()).collect();
        let _ = write!(text, "\n    {} = {:?} of {}: {}", node.name, node.op, inputs.join(", "), node.shape);
    }
    let outputs: Vec<&str> = graph.outputs().iter().map(|&output| graph.node(output).name.as_str()).collect();
    let _ = write!(text, "\n    output {}", outputs.join(", "));
    text
}
