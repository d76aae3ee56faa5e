//! Tiny networks made to find mistakes: tables of odd ones, and a recipe for random ones.
//!
//! `tests/kernels.rs` runs all of them on the device, `tests/plan.rs` walks their plans' memory.

use std::fmt::Write as _;

use densenet_wgpu::network::{Conv, Nonlinearity, Shape, Value, Window};
use densenet_wgpu::{Graph, Result};
use proptest::prelude::*;

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

/// Input and output channels on both sides of every tile's edge.
const CHANNELS: [[usize; 2]; 12] =
    [[1, 1], [1, 9], [3, 5], [5, 3], [7, 8], [8, 7], [9, 1], [31, 33], [33, 31], [4, 64], [64, 128], [130, 17]];

/// 1x1 convolutions: from the input, from planes, with everything that joins them before and after.
pub(crate) fn pointwise() -> Vec<Odd> {
    let sizes = [[1, 1], [1, 5], [3, 1], [2, 2], [7, 7], [16, 16], [13, 20], [33, 19]];
    let mut cases = Vec::new();
    for (index, [channels, out]) in CHANNELS.into_iter().enumerate() {
        for (offset, batch) in [(0, 1), (3, 3), (5, 2)] {
            let [height, width] = sizes[(index + offset) % sizes.len()];
            let shape = [channels, height, width];
            cases.push(odd(format!("1x1 conv of the input to {out}"), batch, shape, |net, x| {
                net.conv(x, out, POINTWISE);
            }));
            cases.push(odd(format!("norm, ReLU, 1x1 conv to {out}, norm, ReLU"), batch, shape, |net, x| {
                let x = net.max_pool(x, POINTWISE);
                let x = net.norm_relu(x);
                let x = net.conv_with_bias(x, out, POINTWISE);
                net.norm_relu(x);
            }));
            cases.push(odd(format!("1x1 conv to {out} of planes, ReLU"), batch, shape, |net, x| {
                let x = net.relu(x);
                let x = net.conv(x, out, POINTWISE);
                net.relu(x);
            }));
        }
    }
    cases
}

/// 3x3 convolutions of stride 1: every width from 1 to 9, every tile's edge.
pub(crate) fn growth() -> Vec<Odd> {
    let mut cases = Vec::new();
    for width in 1..=9 {
        for (height, batch) in [(1, 1), (2, 3), (7, 1), (5, 3)] {
            cases.push(odd("3x3 conv, 3 to 5", batch, [3, height, width], |net, x| {
                net.conv(x, 5, GROWTH);
            }));
        }
    }
    for (index, [channels, out]) in CHANNELS.into_iter().enumerate() {
        for batch in [1, 3] {
            let [height, width] = [[4, 6], [7, 7], [14, 14], [1, 17], [17, 1]][(index + batch) % 5];
            cases.push(odd(format!("1x1 conv to {channels}, 3x3 conv to {out}, norm, ReLU"), batch, [2, height, width], |net, x| {
                let x = net.conv_with_bias(x, channels, POINTWISE);
                let x = net.norm_relu(x);
                let x = net.conv_with_bias(x, out, GROWTH);
                net.norm_relu(x);
            }));
        }
    }
    cases.push(odd("3x3 conv of a large picture", 1, [3, 61, 67], |net, x| {
        let x = net.conv(x, 9, GROWTH);
        net.conv(x, 33, GROWTH);
    }));
    cases
}

/// Every other window a convolution can have.
pub(crate) fn windows() -> Vec<Odd> {
    let windows = [
        Window::square(1, 2, 0),
        Window::square(1, 3, 0),
        Window::square(1, 1, 1),
        Window::square(2, 1, 0),
        Window::square(2, 2, 1),
        Window::square(3, 1, 0),
        Window::square(3, 1, 2),
        Window::square(3, 2, 1),
        Window::square(3, 3, 1),
        Window::square(4, 2, 1),
        Window::square(5, 1, 2),
        Window::square(5, 2, 4),
        Window::square(7, 1, 3),
        Window::square(7, 2, 3),
        Window::square(7, 3, 0),
        window([3, 1], [1, 1], [1, 0]),
        window([1, 3], [1, 1], [0, 1]),
        window([3, 3], [1, 2], [1, 1]),
        window([3, 3], [2, 1], [1, 1]),
        window([3, 3], [1, 1], [1, 0]),
        window([5, 2], [3, 1], [0, 1]),
        window([1, 7], [2, 3], [1, 3]),
    ];
    let mut cases = Vec::new();
    for (index, window) in windows.into_iter().enumerate() {
        for (offset, batch) in [(0, 1), (2, 3)] {
            let [height, width] = [[7, 7], [8, 9], [11, 13], [9, 7], [16, 21]][(index + offset) % 5];
            let [channels, out] = CHANNELS[(index + offset) % 8];
            cases.push(odd(format!("{window} conv of the input to {out}"), batch, [channels, height, width], |net, x| {
                net.conv(x, out, window);
            }));
            cases.push(odd(format!("norm, ReLU, {window} conv to {out}, norm, ReLU"), batch, [channels, height, width], |net, x| {
                let x = net.norm_relu(x);
                let x = net.conv_with_bias(x, out, window);
                net.norm_relu(x);
            }));
        }
    }
    let larger_than_the_picture = [([5, 5], [2, 2], [1, 1]), ([7, 7], [3, 3], [1, 2]), ([3, 3], [4, 4], [2, 1]), ([1, 5], [0, 2], [4, 1])];
    for (kernel, padding, [height, width]) in larger_than_the_picture {
        cases.push(odd(format!("{kernel:?} conv padded by {padding:?}"), 3, [3, height, width], |net, x| {
            net.conv(x, 5, window(kernel, [1, 2], padding));
        }));
    }
    for (channels, [height, width]) in [(1, [224, 224]), (3, [97, 131]), (3, [64, 64])] {
        cases.push(odd("a DenseNet's stem", 1, [channels, height, width], |net, x| {
            let x = net.conv(x, 24, Window::square(7, 2, 3));
            let x = net.norm_relu(x);
            net.max_pool(x, Window::square(3, 2, 1));
        }));
    }
    cases
}

/// Pooling of the input, of planes, after batch norm and ReLU, and around 1x1 convolutions.
pub(crate) fn pools() -> Vec<Odd> {
    let windows = [
        POINTWISE,
        HALVE,
        Window::square(2, 1, 0),
        Window::square(2, 2, 1),
        Window::square(3, 2, 1),
        Window::square(3, 3, 0),
        Window::square(3, 1, 1),
        Window::square(5, 2, 2),
        Window::square(7, 7, 0),
        window([2, 1], [1, 2], [1, 0]),
        window([1, 3], [3, 1], [0, 1]),
        window([4, 3], [2, 3], [2, 0]),
    ];
    let mut cases = Vec::new();
    for (index, window) in windows.into_iter().enumerate() {
        let [height, width] = [[7, 7], [8, 9], [9, 13], [15, 7]][index % 4];
        for (channels, batch) in [(3, 3), (9, 1)] {
            let shape = [channels, height, width];
            cases.push(odd(format!("{window} max pool of the input"), batch, shape, |net, x| {
                net.max_pool(x, window);
            }));
            cases.push(odd(format!("{window} mean pool of the input"), batch, shape, |net, x| {
                net.avg_pool(x, window);
            }));
            cases.push(odd(format!("conv, norm, {window} max pool, ReLU, {window} mean pool"), batch, [channels, 51, 53], |net, x| {
                let x = net.conv(x, 3, POINTWISE);
                let x = net.norm(x);
                let x = net.max_pool(x, window);
                let x = net.relu(x);
                net.avg_pool(x, window);
            }));
            cases.push(odd(format!("max pool, norm, ReLU, {window} mean pool"), batch, shape, |net, x| {
                let x = net.max_pool(x, POINTWISE);
                let x = net.norm_relu(x);
                net.avg_pool(x, window);
            }));
            // Without padding the two commute, even with a bias; with padding they do not.
            cases.push(odd(format!("norm, ReLU, 1x1 conv with bias, {window} mean pool"), batch, shape, |net, x| {
                let x = net.max_pool(x, POINTWISE);
                let x = net.norm_relu(x);
                let x = net.conv_with_bias(x, 7, POINTWISE);
                net.avg_pool(x, window);
            }));
        }
    }
    for (channels, [height, width], batch) in [(3, [2, 2], 1), (3, [5, 7], 3), (33, [14, 14], 1)] {
        let shape = [channels, height, width];
        cases.push(odd("a transition", batch, shape, |net, x| {
            let x = net.concat(&[x, x]);
            let x = net.norm_relu(x);
            let x = net.conv(x, channels, POINTWISE);
            let x = net.avg_pool(x, HALVE);
            let x = net.norm_relu(x);
            net.conv(x, 5, POINTWISE);
        }));
        cases.push(odd("1x1 conv of the input, mean pool", batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 5, POINTWISE);
            net.avg_pool(x, HALVE);
        }));
        cases.push(odd("1x1 conv, ReLU, mean pool: they do not commute", batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 5, POINTWISE);
            let x = net.relu(x);
            net.avg_pool(x, HALVE);
        }));
        cases.push(odd("1x1 conv, norm, mean pool", batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 5, POINTWISE);
            let x = net.norm(x);
            net.avg_pool(x, HALVE);
        }));
        cases.push(odd("1x1 conv that a mean pool and something else read", batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 5, POINTWISE);
            let pooled = net.avg_pool(x, HALVE);
            let other = net.max_pool(x, HALVE);
            net.concat(&[other, pooled]);
        }));
        cases.push(odd("1x1 conv that is pooled twice", batch, shape, |net, x| {
            let x = net.conv(x, 5, POINTWISE);
            let once = net.avg_pool(x, HALVE);
            let twice = net.avg_pool(x, HALVE);
            net.concat(&[once, twice]);
        }));
        cases.push(odd("1x1 conv that is pooled and is the output", batch, shape, |net, x| {
            let conv = net.conv(x, 5, POINTWISE);
            net.avg_pool(conv, HALVE);
            net.output(conv);
        }));
        cases.push(odd("1x1 conv pooled in a block", batch, shape, |net, x| {
            let first = net.max_pool(x, HALVE);
            let y = net.norm_relu(x);
            let y = net.conv_with_bias(y, 4, POINTWISE);
            let second = net.avg_pool(y, HALVE);
            let both = net.concat(&[first, second]);
            let grown = net.conv(both, 3, GROWTH);
            net.concat(&[both, grown]);
        }));
        cases.push(odd("two mean pools after one 1x1 conv", batch, [channels, 4 * height, 4 * width], |net, x| {
            let x = net.conv(x, 5, POINTWISE);
            let x = net.avg_pool(x, HALVE);
            net.avg_pool(x, HALVE);
        }));
    }
    for [height, width] in [[2, 2], [2, 7], [7, 2], [3, 3], [4, 6], [5, 8], [9, 13], [61, 66]] {
        for (channels, batch) in [(1, 1), (5, 3)] {
            let shape = [channels, height, width];
            cases.push(odd("blur pool of the input", batch, shape, |net, x| {
                net.blur_pool(x);
            }));
            cases.push(odd("3x3 conv, norm, blur pool, norm, ReLU, 1x1 conv", batch, shape, |net, x| {
                let x = net.conv(x, channels, GROWTH);
                let x = net.norm(x);
                let x = net.blur_pool(x);
                let x = net.norm_relu(x);
                net.conv(x, 3, POINTWISE);
            }));
            cases.push(odd("max pool, norm, ReLU, blur pool", batch, shape, |net, x| {
                let x = net.max_pool(x, GROWTH);
                let x = net.norm_relu(x);
                net.blur_pool(x);
            }));
            cases.push(odd("blur pools of a concat and of its last part, in a concat", batch, shape, |net, x| {
                let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
                let both = net.concat(&[a, b]);
                let [whole, part] = [both, b].map(|x| net.blur_pool(x));
                net.concat(&[whole, part]);
            }));
        }
    }
    cases
}

/// Batch norms and ReLUs in every order, read once or more often.
pub(crate) fn norms() -> Vec<Odd> {
    let orders = ["n", "r", "nr", "rn", "nn", "rr", "nrn", "rnr", "nnrr", "rrnn", "nrnr"];
    let mut cases = Vec::new();
    let apply = |net: &mut Net, order: &str, x: Value| order.chars().fold(x, |x, step| if step == 'n' { net.norm(x) } else { net.relu(x) });
    for (index, order) in orders.into_iter().enumerate() {
        let (channels, [height, width], batch) = [(3, [5, 6], 1), (5, [1, 1], 3), (1, [7, 7], 3)][index % 3];
        let shape = [channels, height, width];
        let words: Vec<&str> = order.chars().map(|step| if step == 'n' { "norm" } else { "ReLU" }).collect();
        let words = words.join(", ");
        cases.push(odd(format!("{words} of the input"), batch, shape, |net, x| {
            apply(net, order, x);
        }));
        cases.push(odd(format!("3x3 conv, {words}"), batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 9, GROWTH);
            apply(net, order, x);
        }));
        cases.push(odd(format!("1x1 conv, {words}, 1x1 conv"), batch, shape, |net, x| {
            let x = net.conv_with_bias(x, 9, POINTWISE);
            let x = apply(net, order, x);
            net.conv(x, 3, POINTWISE);
        }));
        cases.push(odd(format!("{words} of a concat, its 1x1 conv grows it"), batch, shape, |net, x| {
            let first = net.conv(x, 4, GROWTH);
            let second = net.relu(first);
            let both = net.concat(&[first, second]);
            let y = apply(net, order, both);
            let y = net.conv(y, 3, POINTWISE);
            let y = apply(net, order, y);
            net.concat(&[both, y]);
        }));
        cases.push(odd(
            format!("max pool, {words}, read by a 1x1 conv, a 3x3 conv, a mean pool and the output"),
            batch,
            shape,
            |net, x| {
                let x = net.max_pool(x, POINTWISE);
                let x = apply(net, order, x);
                let a = net.conv(x, 2, POINTWISE);
                let b = net.conv(x, 3, GROWTH);
                let c = net.avg_pool(x, Window::square(3, 1, 1));
                let d = net.avg_pool(x, POINTWISE);
                net.concat(&[a, b, c, d, x]);
            },
        ));
        cases.push(odd(format!("conv read before and after {words}"), batch, shape, |net, x| {
            let before = net.conv(x, 5, GROWTH);
            let after = apply(net, order, before);
            let again = net.conv(after, 5, POINTWISE);
            net.concat(&[again, before, after]);
        }));
        cases.push(odd(format!("global mean, linear, {words}"), batch, shape, |net, x| {
            let x = apply(net, order, x);
            let x = net.global_pool(x);
            let x = net.linear(x, 6);
            apply(net, order, x);
        }));
        cases.push(odd(format!("max pool, {words}, global mean"), batch, shape, |net, x| {
            let x = net.max_pool(x, POINTWISE);
            let x = apply(net, order, x);
            net.global_pool(x);
        }));
        cases.push(odd(format!("global mean, {words}, 1x1 conv"), batch, shape, |net, x| {
            let x = net.global_pool(x);
            let x = apply(net, order, x);
            net.conv(x, 3, POINTWISE);
        }));
    }
    cases.push(odd("two ReLUs of one norm", 3, [3, 5, 5], |net, x| {
        let x = net.conv(x, 4, GROWTH);
        let x = net.norm(x);
        let [a, b] = [net.relu(x), net.relu(x)];
        let a = net.conv(a, 3, POINTWISE);
        let b = net.conv(b, 3, GROWTH);
        net.concat(&[a, b, x]);
    }));
    cases
}

/// Concats: grown in place where they can be, copied where they cannot.
pub(crate) fn concats() -> Vec<Odd> {
    let mut cases = Vec::new();
    for (channels, [height, width], batch) in [(3, [4, 4], 1), (1, [3, 5], 3), (5, [1, 1], 2), (2, [7, 7], 3)] {
        let shape = [channels, height, width];
        let mut case = |name: &str, verbs: fn(&mut Net, Value)| cases.push(odd(name, batch, shape, verbs));
        case("concat of the input alone", |net, x| {
            net.concat(&[x]);
        });
        case("concat of the input with itself", |net, x| {
            net.concat(&[x, x]);
        });
        case("concat of the input and a conv", |net, x| {
            let y = net.conv(x, 3, GROWTH);
            net.concat(&[x, y]);
        });
        case("concat of a conv alone, normed", |net, x| {
            let y = net.conv(x, 3, GROWTH);
            let y = net.concat(&[y]);
            net.norm_relu(y);
        });
        case("concat with a repeated part", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let b = net.conv(x, 2, POINTWISE);
            net.concat(&[a, b, a]);
        });
        case("concat of concats", |net, x| {
            let [a, b, c] = [3, 2, 5].map(|channels| net.conv(x, channels, GROWTH));
            let left = net.concat(&[a, b]);
            let right = net.concat(&[c, x]);
            let all = net.concat(&[left, right]);
            let all = net.norm_relu(all);
            net.conv(all, 4, POINTWISE);
        });
        case("one value in two concats", |net, x| {
            let [a, b, c] = [3, 2, 5].map(|channels| net.conv(x, channels, GROWTH));
            let left = net.concat(&[a, b]);
            let right = net.concat(&[c, a]);
            let left = net.conv(left, 3, POINTWISE);
            net.concat(&[left, right]);
        });
        case("one value in two concats of one concat", |net, x| {
            let [a, b, c] = [3, 2, 5].map(|channels| net.conv(x, channels, GROWTH));
            let left = net.concat(&[a, b]);
            let right = net.concat(&[c, a]);
            net.concat(&[left, right]);
        });
        case("a value and a concat that repeats it", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let twice = net.concat(&[a, a]);
            net.concat(&[a, twice]);
        });
        case("a concat, and a part of it twice", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            net.concat(&[both, a, a]);
        });
        case("a concat and its last part", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let more = net.concat(&[both, b]);
            net.concat(&[more, both]);
        });
        case("a concat twice", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            net.concat(&[both, both]);
        });
        case("the same concat made twice", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let once = net.concat(&[a, b]);
            let again = net.concat(&[a, b]);
            let once = net.conv(once, 3, GROWTH);
            net.concat(&[once, again]);
        });
        case("a dense block", |net, x| {
            let mut x = net.conv(x, 4, GROWTH);
            for _ in 0..3 {
                let y = net.norm_relu(x);
                let y = net.conv(y, 6, POINTWISE);
                let y = net.norm_relu(y);
                let y = net.conv(y, 3, GROWTH);
                x = net.concat(&[x, y]);
            }
            net.norm_relu(x);
        });
        case("a dense block without bottlenecks", |net, x| {
            let mut x = net.conv(x, 4, GROWTH);
            for _ in 0..3 {
                let y = net.norm_relu(x);
                let y = net.conv(y, 3, GROWTH);
                x = net.concat(&[x, y]);
            }
            net.norm_relu(x);
        });
        case("a dense block of flat lists", |net, x| {
            let mut parts = vec![net.conv(x, 4, GROWTH)];
            for _ in 0..4 {
                let y = net.concat(&parts);
                let y = net.norm_relu(y);
                let y = net.conv(y, 6, POINTWISE);
                let y = net.norm_relu(y);
                parts.push(net.conv(y, 3, GROWTH));
            }
            let all = net.concat(&parts);
            net.norm_relu(all);
        });
        case("a dense block on the input", |net, x| {
            let mut x = x;
            for _ in 0..3 {
                let y = net.norm_relu(x);
                let y = net.conv(y, 3, GROWTH);
                x = net.concat(&[x, y]);
            }
        });
        case("new parts in front", |net, x| {
            let mut x = net.conv(x, 4, GROWTH);
            for _ in 0..3 {
                let y = net.norm_relu(x);
                let y = net.conv(y, 3, POINTWISE);
                x = net.concat(&[y, x]);
            }
        });
        case("a 1x1 conv of a part, beside it in the concat", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let b = net.conv(a, 5, POINTWISE);
            let c = net.relu(b);
            net.concat(&[a, b, c]);
        });
        case("a 3x3 conv of a part, beside it in the concat", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let b = net.conv(a, 5, GROWTH);
            net.concat(&[b, a]);
        });
        case("a pool of a part, beside it in the concat", |net, x| {
            let a = net.conv(x, 3, GROWTH);
            let b = net.max_pool(a, Window::square(3, 1, 1));
            let c = net.avg_pool(a, Window::square(3, 1, 1));
            net.concat(&[c, a, b]);
        });
        case("parts that a third concat reads in other order", |net, x| {
            let [a, b, c] = [3, 2, 5].map(|channels| net.conv(x, channels, GROWTH));
            let first = net.concat(&[a, b, c]);
            let second = net.concat(&[c, b, a]);
            let first = net.conv(first, 4, POINTWISE);
            let second = net.conv(second, 4, POINTWISE);
            net.concat(&[first, second, b]);
        });
        case("a concat that is pooled and read whole", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let pooled = net.avg_pool(both, POINTWISE);
            net.concat(&[pooled, both]);
        });
        case("a concat read by every kernel", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let parts = [
                net.conv(both, 2, POINTWISE),
                net.conv(both, 2, GROWTH),
                net.conv(both, 2, window([3, 1], [1, 1], [1, 0])),
                net.relu(both),
                net.norm(both),
                net.max_pool(both, POINTWISE),
                net.avg_pool(both, POINTWISE),
                b,
            ];
            net.concat(&parts);
        });
        case("means of a part and of the whole", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let [part, whole] = [net.global_pool(b), net.global_pool(both)];
            let all = net.concat(&[part, whole]);
            net.linear(all, 3);
        });
    }
    cases
}

/// What a classifier ends with.
pub(crate) fn heads() -> Vec<Odd> {
    let mut cases = Vec::new();
    for features in 1..=17 {
        let channels = [1, 3, 5, 17, 64][features % 5];
        cases.push(odd(format!("linear to {features}"), 1 + features % 3, [channels, 1, 1], |net, x| {
            net.linear(x, features);
        }));
    }
    for (channels, [height, width], features, batch) in
        [(5, [7, 7], 10, 3), (65, [3, 4], 257, 2), (130, [1, 1], 1000, 1), (2, [1, 33], 3, 3), (3, [97, 131], 4, 2)]
    {
        let shape = [channels, height, width];
        cases.push(odd("global mean of the input", batch, shape, |net, x| {
            net.global_pool(x);
        }));
        cases.push(odd(format!("global mean, linear to {features}, ReLU, linear"), batch, shape, |net, x| {
            let x = net.global_pool(x);
            let x = net.linear(x, features);
            let x = net.relu(x);
            net.linear(x, 5);
        }));
        cases.push(odd("global maximum of the input", batch, shape, |net, x| {
            net.global_max_pool(x);
        }));
        cases.push(odd(format!("global maximum and mean, norm, linear to {features}, ReLU, norm, linear"), batch, shape, |net, x| {
            let x = net.conv(x, 9, POINTWISE);
            let x = net.norm_relu(x);
            let parts = [net.global_max_pool(x), net.global_pool(x)];
            let x = net.concat(&parts);
            let x = net.norm(x);
            let x = net.linear(x, features);
            let x = net.relu(x);
            let x = net.norm(x);
            net.linear(x, 5);
        }));
        cases.push(odd(format!("1x1 conv, norm, ReLU, global mean, linear to {features}"), batch, shape, |net, x| {
            let x = net.conv(x, 9, POINTWISE);
            let y = net.norm_relu(x);
            let y = net.global_pool(y);
            net.linear(y, features);
        }));
    }
    cases.push(odd("global mean of a large picture", 1, [2, 512, 509], |net, x| {
        let x = net.max_pool(x, POINTWISE);
        let x = net.norm_relu(x);
        net.global_pool(x);
    }));
    cases
}

/// Every nonlinearity but ReLU, alone and between everything that fuses.
const NONLINEARITIES: [Nonlinearity; 6] = [
    Nonlinearity::LeakyRelu { slope: 0.2 },
    Nonlinearity::Sigmoid,
    Nonlinearity::Silu,
    Nonlinearity::Tanh,
    Nonlinearity::Gelu,
    Nonlinearity::GeluTanh,
];

/// Nonlinearities other than ReLU: of the input, of planes, between layers of a head.
pub(crate) fn nonlinearities() -> Vec<Odd> {
    let mut cases = Vec::new();
    for (index, nonlinearity) in NONLINEARITIES.into_iter().enumerate() {
        let (channels, [height, width], batch) = [(3, [5, 7], 1), (5, [1, 1], 3), (1, [9, 15], 3), (67, [3, 1], 2)][index % 4];
        let shape = [channels, height, width];
        cases.push(odd(format!("{nonlinearity} of the input"), batch, shape, |net, x| {
            net.nonlinearity(x, nonlinearity);
        }));
        cases.push(odd(format!("conv, norm, {nonlinearity}, norm, ReLU, concat of all"), batch, shape, |net, x| {
            let conv = net.conv(x, 9, GROWTH);
            let norm = net.norm(conv);
            let y = net.nonlinearity(norm, nonlinearity);
            let z = net.norm_relu(y);
            let both = net.concat(&[conv, y, z]);
            net.conv(both, 2, POINTWISE);
        }));
        cases.push(odd(format!("mean, linear, {nonlinearity}, norm, linear, ReLU, {nonlinearity}, linear"), batch, shape, |net, x| {
            let x = net.global_pool(x);
            let x = net.linear(x, 67);
            let x = net.nonlinearity(x, nonlinearity);
            let x = net.norm(x);
            let x = net.linear(x, 13);
            let x = net.relu(x);
            let x = net.nonlinearity(x, nonlinearity);
            net.linear(x, 5);
        }));
    }
    cases
}

/// Networks that end in a picture, in the middle, or where they began.
pub(crate) fn outputs() -> Vec<Odd> {
    let mut cases = Vec::new();
    for (channels, [height, width], batch) in [(3, [4, 4], 1), (3, [5, 7], 3), (1, [1, 1], 1), (9, [1, 1], 3)] {
        let shape = [channels, height, width];
        let mut case = |name: &str, verbs: fn(&mut Net, Value)| cases.push(odd(name, batch, shape, verbs));
        case("nothing but the input", |_, _| {});
        case("the input, after layers that nobody needs", |net, x| {
            net.conv(x, 3, GROWTH);
            net.output(x);
        });
        case("a conv as output", |net, x| {
            net.conv(x, 3, GROWTH);
        });
        case("a ReLU as output", |net, x| {
            net.relu(x);
        });
        case("a norm that others read as output", |net, x| {
            let conv = net.conv(x, 3, GROWTH);
            let norm = net.norm(conv);
            let relu = net.relu(norm);
            net.conv(relu, 2, POINTWISE);
            net.output(norm);
        });
        case("a conv before its norm as output", |net, x| {
            let conv = net.conv(x, 3, GROWTH);
            net.norm_relu(conv);
            net.output(conv);
        });
        case("a concat's part as output", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            net.concat(&[a, b]);
            net.output(b);
        });
        case("a part as output, of a concat that is needed", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let c = net.conv(both, 4, GROWTH);
            net.concat(&[c, both]);
            net.output(c);
        });
        case("a concat as output", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            net.concat(&[a, b]);
        });
        case("a pool as output", |net, x| {
            net.max_pool(x, Window::square(3, 1, 1));
        });
        case("a picture and what the network makes of it", |net, x| {
            let conv = net.conv(x, 3, POINTWISE);
            let relu = net.relu(conv);
            net.outputs(&[relu, x, conv]);
        });
        case("one value as two outputs", |net, x| {
            let pool = net.max_pool(x, Window::square(3, 1, 1));
            let conv = net.conv(x, 5, GROWTH);
            net.outputs(&[pool, conv, pool, conv]);
        });
        case("a head and a map of the same features", |net, x| {
            let both = net.concat(&[x, x]);
            let features = net.norm_relu(both);
            let pooled = net.global_pool(features);
            let logits = net.linear(pooled, 6);
            let map = net.conv(features, 6, POINTWISE);
            net.outputs(&[logits, map, pooled]);
        });
        case("outputs that others read, and parts of a concat", |net, x| {
            let [a, b] = [3, 2].map(|channels| net.conv(x, channels, GROWTH));
            let both = net.concat(&[a, b]);
            let norm = net.norm(both);
            let relu = net.relu(norm);
            let last = net.conv(relu, 4, POINTWISE);
            net.outputs(&[b, norm, last, both, relu]);
        });
        case("dead branches", |net, x| {
            let dead = net.conv(x, 3, GROWTH);
            let live = net.conv(x, 3, POINTWISE);
            let dead = net.concat(&[dead, live]);
            net.norm_relu(dead);
            net.relu(live);
        });
    }
    cases
}

/// Every table.
pub(crate) fn tables() -> Vec<Odd> {
    [pointwise(), growth(), windows(), pools(), norms(), concats(), heads(), nonlinearities(), outputs()].into_iter().flatten().collect()
}

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
pub(crate) fn description(graph: &Graph) -> String {
    let mut text = format!(" {}", graph.input_shape());
    for node in &graph.nodes()[1..] {
        let inputs: Vec<&str> = node.inputs.iter().map(|&x| graph.node(x).name.as_str()).collect();
        let _ = write!(text, "\n    {} = {:?} of {}: {}", node.name, node.op, inputs.join(", "), node.shape);
    }
    let outputs: Vec<&str> = graph.outputs().iter().map(|&output| graph.node(output).name.as_str()).collect();
    let _ = write!(text, "\n    output {}", outputs.join(", "));
    text
}

impl std::fmt::Debug for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}
