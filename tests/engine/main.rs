//! The engine as programs use it: threads, futures, their own device, limits, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../common/mod.rs"]
mod common;
mod encoding;
mod futures;
mod inputs;
mod limits;
mod memory;
mod outputs;
#[path = "../common/pictures.rs"]
mod pictures;
mod refusals;
mod threads;
mod tuning;

use std::sync::OnceLock;

use densenet_wgpu::checkpoint::Weights;
use densenet_wgpu::network::Shape;
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Config, Engine, EngineOptions, Gpu, Graph};

use common::device::open_gpu;
use common::{seeded_input, seeded_weights};
use pictures::Pictures;

const TOLERANCE: f32 = 2e-5;

fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(open_gpu)
}

fn network(height: usize, width: usize) -> (Graph, Weights) {
    let config = Config::imagenet(6, &[2, 2], 9).with_classes(Some(7));
    let graph = config.graph(height, width).unwrap();
    let weights = seeded_weights(&graph, 3);
    (graph, weights)
}

fn reference(height: usize, width: usize, input: &[f32]) -> Vec<f32> {
    let (graph, weights) = network(height, width);
    Reference::new(graph, weights).unwrap().run(input, height, width).unwrap()
}

fn input(seed: u64, batch: usize, height: usize, width: usize) -> Vec<f32> {
    seeded_input(seed, batch * 3 * height * width)
}

fn noisy(seed: u64, batch: usize, height: usize, width: usize) -> Pictures {
    Pictures::new(seed, batch, Shape::new(3, height, width))
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let (graph, weights) = network(40, 33);
        Engine::new(gpu(), &graph, &weights, EngineOptions::default()).unwrap()
    })
}
