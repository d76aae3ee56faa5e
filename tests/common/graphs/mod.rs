//! Tiny networks made to find mistakes: tables of odd ones, and a recipe for random ones.
//!
//! `tests/kernels` runs all of them on the device, `tests/plan` walks their plans' memory.

mod concats;
mod convolutions;
mod heads;
mod norms;
mod outputs;
mod pools;
mod random;

use densenet_wgpu::network::{Conv, Nonlinearity, Shape, Value, Window};
use densenet_wgpu::{Graph, Result};

pub(crate) use concats::concats;
pub(crate) use convolutions::{growth, pointwise, windows};
pub(crate) use heads::{heads, nonlinearities};
pub(crate) use norms::norms;
pub(crate) use outputs::outputs;
pub(crate) use pools::pools;
pub(crate) use random::random;

/// A network, the batch it is run with, and a name that says what is odd about it.
pub(crate) struct Odd {
    pub(crate) name: String,
    pub(crate) graph: Graph,
    pub(crate) batch: usize,
}

/// `shape` of the input, then `verbs` that add layers to it; the last one is the output.
fn odd(name: impl Into<String>, batch: usize, [channels, height, width]: [usize; 3], verbs: impl FnOnce(&mut Net, Value)) -> Odd {
    let mut net = Net { graph: Graph::new(Shape::new(channels, height, width)) };
    let input = net.graph.input();
    verbs(&mut net, input);
    Odd { name: format!("{} (batch {batch} of {channels}x{height}x{width})", name.into()), graph: net.graph, batch }
}

/// A graph whose layers are named by verb and number.
struct Net {
    graph: Graph,
}

impl Net {
    fn add(&mut self, verb: &str, add: impl FnOnce(&mut Graph, &str) -> Result<Value>) -> Value {
        let name = format!("{verb}{}", self.graph.nodes().len());
        add(&mut self.graph, &name).unwrap_or_else(|e| panic!("a case of this table is no network: {e}"))
    }

    fn conv(&mut self, x: Value, channels: usize, window: Window) -> Value {
        self.add("conv", |graph, name| graph.conv(name, x, Conv::new(channels, window)))
    }

    fn conv_with_bias(&mut self, x: Value, channels: usize, window: Window) -> Value {
        self.add("conv", |graph, name| graph.conv(name, x, Conv::new(channels, window).with_bias()))
    }

    fn norm(&mut self, x: Value) -> Value {
        self.add("norm", |graph, name| graph.batch_norm(name, x, 1e-5))
    }

    fn relu(&mut self, x: Value) -> Value {
        self.add("relu", |graph, name| graph.relu(name, x))
    }

    fn nonlinearity(&mut self, x: Value, nonlinearity: Nonlinearity) -> Value {
        self.add("nonlinearity", |graph, name| graph.nonlinearity(name, x, nonlinearity))
    }

    fn norm_relu(&mut self, x: Value) -> Value {
        let x = self.norm(x);
        self.relu(x)
    }

    fn max_pool(&mut self, x: Value, window: Window) -> Value {
        self.add("max_pool", |graph, name| graph.max_pool(name, x, window))
    }

    fn avg_pool(&mut self, x: Value, window: Window) -> Value {
        self.add("avg_pool", |graph, name| graph.avg_pool(name, x, window))
    }

    fn blur_pool(&mut self, x: Value) -> Value {
        self.add("blur_pool", |graph, name| graph.blur_pool(name, x))
    }

    fn concat(&mut self, parts: &[Value]) -> Value {
        self.add("concat", |graph, name| graph.concat(name, parts))
    }

    fn global_pool(&mut self, x: Value) -> Value {
        self.add("global_pool", |graph, name| graph.global_avg_pool(name, x))
    }

    fn global_max_pool(&mut self, x: Value) -> Value {
        self.add("global_max_pool", |graph, name| graph.global_max_pool(name, x))
    }

    fn linear(&mut self, x: Value, features: usize) -> Value {
        self.add("linear", |graph, name| graph.linear(name, x, features))
    }

    fn outputs(&mut self, outputs: &[Value]) {
        self.graph.set_outputs(outputs).unwrap_or_else(|e| panic!("outputs: {e}"));
    }

    fn output(&mut self, x: Value) {
        self.graph.set_output(x).expect("a value of this graph");
    }
}

const POINTWISE: Window = Window::square(1, 1, 0);

const GROWTH: Window = Window::square(3, 1, 1);

const HALVE: Window = Window::square(2, 2, 0);

const fn window(kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Window {
    Window { kernel, stride, padding }
}

/// Every table.
pub(crate) fn tables() -> Vec<Odd> {
    [pointwise(), growth(), windows(), pools(), norms(), concats(), heads(), nonlinearities(), outputs()].into_iter().flatten().collect()
}

impl std::fmt::Debug for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}
