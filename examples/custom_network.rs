//! A network of one's own, which is no DenseNet: built with the verbs of [`Graph`], run on the GPU and on the CPU
//! reference.
//!
//!     cargo run --example custom_network

use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::network::{Conv, Shape, TensorSpec, Value, Window};
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Engine, EngineOptions, Gpu, Graph, Input, Result};

const BATCH: usize = 2;
const CLASSES: usize = 5;

fn main() -> Result<()> {
    let graph = network()?;
    let weights = weights(&graph, 1);
    println!("{} layers, {} parameters", graph.nodes().len(), graph.parameters());

    let shape = graph.input_shape();
    let input: Vec<f32> = Uniform::new("input", 1).take(BATCH * shape.elements()).collect(); // [N, C, H, W]

    let gpu = Gpu::open(None)?;
    let on_gpu = Engine::new(&gpu, &graph, &weights, EngineOptions::default())?.run(Input::values(&input, [shape.height, shape.width]))?; // [N, CLASSES]
    let on_cpu = Reference::new(graph, weights)?.run(&input, shape.height, shape.width)?;

    println!("{:9}  {}", "reference", gpu.summary().name);
    for (cpu, gpu) in on_cpu.iter().zip(&on_gpu) {
        println!("{cpu:9.6}  {gpu:9.6}");
    }
    let difference = on_cpu.iter().zip(&on_gpu).map(|(cpu, gpu)| (cpu - gpu).abs()).fold(0.0, f32::max);
    println!("largest difference {difference:.1e}");
    Ok(())
}

/// Two branches that a concat joins, windows that are not square, a convolution with a bias.
fn network() -> Result<Graph> {
    let mut graph = Graph::new(Shape::new(3, 32, 48));
    let x = graph.input();
    let x = conv_norm_relu(&mut graph, "stem", x, 16, Window::square(5, 2, 2))?; // [16, 16, 24]
    let x = graph.max_pool("stem.pool", x, Window::square(3, 2, 1))?; // [16, 8, 12]

    let wide = Window { kernel: [1, 5], stride: [1, 1], padding: [0, 2] };
    let branch = conv_norm_relu(&mut graph, "branch", x, 24, wide)?; // [24, 8, 12]
    let x = graph.concat("skip", &[branch, x])?; // [40, 8, 12]

    let x = graph.conv("mix", x, Conv::new(20, Window::square(1, 1, 0)).with_bias())?; // [20, 8, 12]
    let x = graph.avg_pool("mix.pool", x, Window::square(2, 2, 0))?; // [20, 4, 6]
    let x = graph.global_avg_pool("pool", x)?; // [20, 1, 1]
    graph.linear("classifier", x, CLASSES)?;
    Ok(graph)
}

fn conv_norm_relu(graph: &mut Graph, name: &str, x: Value, channels: usize, window: Window) -> Result<Value> {
    let x = graph.conv(&format!("{name}.conv"), x, Conv::new(channels, window))?;
    let x = graph.batch_norm(&format!("{name}.norm"), x, 1e-5)?;
    graph.relu(&format!("{name}.relu"), x)
}

/// Random weights for every tensor that the network needs; the same seed gives the same ones.
fn weights(graph: &Graph, seed: u64) -> Weights {
    let mut weights = Weights::new();
    for TensorSpec { name, shape, .. } in graph.tensors() {
        let fan_in: usize = shape[1..].iter().product();
        // Batch norm divides by the square root of the variance: it must not be negative.
        let value = |u: f32| if name.ends_with(".running_var") { 1.0 + 0.5 * u } else { u * (3.0 / fan_in as f32).sqrt() };
        let data = Uniform::new(&name, seed).take(shape.iter().product()).map(value).collect();
        weights.insert(name, Tensor { shape, data });
    }
    weights
}

/// Numbers in -1..1: splitmix64.
struct Uniform(u64);

impl Uniform {
    fn new(name: &str, seed: u64) -> Self {
        Self(name.bytes().fold(seed, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into())))
    }
}

impl Iterator for Uniform {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = (z ^ (z >> 31)) >> 40; // as many as a 32-bit float holds
        Some(bits as f32 / (1 << 23) as f32 - 1.0)
    }
}
