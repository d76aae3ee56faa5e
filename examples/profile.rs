//! Where the time of a network of one's own goes: `cargo run --release --example profile`.

use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::network::{Conv, Shape, Window};
use densenet_wgpu::profile::{Ceilings, Profile};
use densenet_wgpu::{Engine, EngineOptions, Gpu, Graph, Input};

fn main() -> densenet_wgpu::Result<()> {
    let graph = network()?;
    let gpu = Gpu::open(None)?;
    let engine = Engine::new(&gpu, &graph, &weights(&graph), EngineOptions::default())?;
    let Shape { height, width, .. } = graph.input_shape();
    let input = vec![0.5; graph.input_shape().elements()];

    let mut profile = Profile::measure(&engine, Input::values(&input, [height, width]), 10, Ceilings::measure(&gpu)?)?;
    profile.model = "mine".into();
    println!("{profile}");
    let slowest = profile.steps.iter().max_by(|a, b| a.gpu_ms.total_cmp(&b.gpu_ms));
    if let Some(step) = slowest {
        println!("{} takes longest: {:.0} % of the time, bound by {}", step.name, 100.0 * step.share, step.bound);
    }
    Ok(())
}

/// Two convolutions, a pool and a classifier.
fn network() -> densenet_wgpu::Result<Graph> {
    let mut graph = Graph::new(Shape::new(3, 128, 128));
    let x = graph.conv("first.conv", graph.input(), Conv::new(32, Window::square(5, 2, 2)).with_bias())?;
    let x = graph.relu("first.relu", x)?;
    let x = graph.conv("second.conv", x, Conv::new(64, Window::square(3, 1, 1)).with_bias())?;
    let x = graph.relu("second.relu", x)?;
    let x = graph.max_pool("second.pool", x, Window::square(2, 2, 0))?;
    let x = graph.global_avg_pool("pool", x)?;
    graph.linear("classifier", x, 10)?;
    Ok(graph)
}

fn weights(graph: &Graph) -> Weights {
    let mut weights = Weights::new();
    for spec in graph.tensors() {
        let elements: usize = spec.shape.iter().product();
        let data = (0..elements).map(|index| (index as f32 * 0.7).sin() * 0.05).collect();
        weights.insert(spec.name, Tensor { shape: spec.shape, data });
    }
    weights
}
