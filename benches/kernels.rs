//! Every kind of layer of DenseNet-121 at 224x224, alone on the device: with the device's own kernels, and its convolutions
//! with every tile that the device can run.
//!
//!     cargo bench                          # all, for some minutes
//!     cargo bench -- 'growth 3x3 at 28'    # what has this in its name
//!     cargo bench -- --quick               # coarser, and sooner

use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use densenet_wgpu::checkpoint::{Tensor, Weights};
use densenet_wgpu::network::{Conv, Shape, Value, Window};
use densenet_wgpu::planning::PlanOptions;
use densenet_wgpu::tuning::{Tile, Tuning};
use densenet_wgpu::wgpu::{Buffer, BufferDescriptor, BufferUsages, CommandEncoderDescriptor, PollType};
use densenet_wgpu::{Engine, EngineOptions, Gpu, Graph, Input, Plan, Precision, Result};

/// How often a network has the layer: so many share what comes before them and after them.
const COPIES: usize = 16;

/// Networks in one submission, at the most: they make its own cost small, and stay far from any driver's watchdog.
const NETWORKS: u64 = 16;

const EPSILON: f32 = 1e-5;

/// What a network has beside its layers: a step before them, and one after them.
const BEFORE: &str = "before";
const AFTER: &str = "after";

/// A kind of layer: what it reads and what it does.
struct Layer {
    name: &'static str,
    input: Shape,
    verbs: Verbs,
}

enum Verbs {
    /// 7x7 convolution, batch norm, ReLU.
    Stem,
    /// Its max pool.
    Pool,
    /// Batch norm, ReLU, 1x1 convolution, batch norm, ReLU: a dense layer's first half.
    Bottleneck,
    /// 3x3 convolution: its second half.
    Growth,
    /// Batch norm, ReLU, 1x1 convolution to half the channels, mean pool.
    Transition,
    /// Batch norm, ReLU, global mean pool, linear layer.
    Head,
}

const fn layer(name: &'static str, [channels, side]: [usize; 2], verbs: Verbs) -> Layer {
    Layer { name, input: Shape::new(channels, side, side), verbs }
}

/// Bottlenecks are those in the middle of their blocks.
const LAYERS: [Layer; 14] = [
    layer("stem", [3, 224], Verbs::Stem),
    layer("pool", [64, 112], Verbs::Pool),
    layer("bottleneck 1x1 at 56", [160, 56], Verbs::Bottleneck),
    layer("bottleneck 1x1 at 28", [320, 28], Verbs::Bottleneck),
    layer("bottleneck 1x1 at 14", [640, 14], Verbs::Bottleneck),
    layer("bottleneck 1x1 at 7", [768, 7], Verbs::Bottleneck),
    layer("growth 3x3 at 56", [128, 56], Verbs::Growth),
    layer("growth 3x3 at 28", [128, 28], Verbs::Growth),
    layer("growth 3x3 at 14", [128, 14], Verbs::Growth),
    layer("growth 3x3 at 7", [128, 7], Verbs::Growth),
    layer("transition at 56", [256, 56], Verbs::Transition),
    layer("transition at 28", [512, 28], Verbs::Transition),
    layer("transition at 14", [1024, 14], Verbs::Transition),
    layer("global pool and linear", [1024, 7], Verbs::Head),
];

impl Layer {
    /// The layer [`COPIES`] times on the same tensor, one after the other, each with weights of its own. Like a dense
    /// block's, the results lie side by side; one pixel of each channel is the network's output, so that there is hardly
    /// any to copy.
    fn graph(&self) -> Result<Graph> {
        let mut graph = Graph::new(self.input);
        let mut x = graph.input();
        if !matches!(self.verbs, Verbs::Stem) {
            // Within a network, layers read what another has written.
            x = graph.max_pool(BEFORE, x, Window::square(1, 1, 0))?;
        }
        let results = (0..COPIES).map(|copy| self.add(&mut graph, &format!("layer{copy}"), x)).collect::<Result<Vec<_>>>()?;
        let all = graph.concat("all", &results)?;
        let side = graph.shape(all).height;
        graph.max_pool(AFTER, all, Window::square(1, side, 0))?;
        Ok(graph)
    }

    fn add(&self, graph: &mut Graph, name: &str, x: Value) -> Result<Value> {
        match self.verbs {
            Verbs::Stem => {
                let x = graph.conv(&format!("{name}.conv"), x, Conv::new(64, Window::square(7, 2, 3)))?;
                norm_relu(graph, &format!("{name}.norm"), x)
            }
            Verbs::Pool => graph.max_pool(name, x, Window::square(3, 2, 1)),
            Verbs::Bottleneck => {
                let x = norm_relu(graph, &format!("{name}.norm1"), x)?;
                let x = graph.conv(&format!("{name}.conv"), x, Conv::new(128, Window::square(1, 1, 0)))?;
                norm_relu(graph, &format!("{name}.norm2"), x)
            }
            Verbs::Growth => graph.conv(name, x, Conv::new(32, Window::square(3, 1, 1))),
            Verbs::Transition => {
                let x = norm_relu(graph, &format!("{name}.norm"), x)?;
                let x = graph.conv(&format!("{name}.conv"), x, Conv::new(self.input.channels / 2, Window::square(1, 1, 0)))?;
                graph.avg_pool(&format!("{name}.pool"), x, Window::square(2, 2, 0))
            }
            Verbs::Head => {
                let x = norm_relu(graph, &format!("{name}.norm"), x)?;
                let x = graph.global_avg_pool(&format!("{name}.pool"), x)?;
                graph.linear(&format!("{name}.linear"), x, 1000)
            }
        }
    }
}

fn norm_relu(graph: &mut Graph, name: &str, x: Value) -> Result<Value> {
    let x = graph.batch_norm(name, x, EPSILON)?;
    graph.relu(&format!("{name}.relu"), x)
}

/// Numbers of no meaning: positive, as variances must be.
fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| 0.5 + 0.4 * (i as f32 * 0.37).sin()).collect()
}

/// A network on the device between two buffers that stay there.
struct Resident {
    engine: Engine,
    input: Buffer,
    output: Buffer,
}

impl Resident {
    fn new(gpu: &Gpu, graph: &Graph, tuning: Tuning) -> Result<Self> {
        let tensors = graph.tensors().map(|spec| (spec.name, Tensor { data: numbers(spec.shape.iter().product()), shape: spec.shape }));
        let mut weights = Weights::new();
        tensors.for_each(|(name, tensor)| {
            weights.insert(name, tensor);
        });
        let engine = Engine::new(gpu, graph, &weights, EngineOptions::default().with_tuning(tuning))?;
        let buffer = |shape: Shape, usage| {
            let size = (shape.elements() * size_of::<f32>()) as u64;
            gpu.device().create_buffer(&BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        let input = buffer(graph.input_shape(), BufferUsages::COPY_SRC | BufferUsages::COPY_DST);
        let output = buffer(graph.shape(graph.output()), BufferUsages::COPY_DST);
        gpu.queue().write_buffer(&input, 0, bytemuck::cast_slice(&numbers(graph.input_shape().elements())));
        Ok(Self { engine, input, output })
    }

    /// How long so many layers take, from encoding them to the end of the last; whole networks run.
    fn time(&self, layers: u64) -> Result<Duration> {
        let networks = layers.div_ceil(COPIES as u64);
        let start = Instant::now();
        for first in (0..networks).step_by(NETWORKS as usize) {
            self.submit(NETWORKS.min(networks - first))?;
        }
        Ok(start.elapsed().mul_f64(layers as f64 / (networks * COPIES as u64) as f64))
    }

    /// Runs the network so many times in one submission, and waits.
    fn submit(&self, networks: u64) -> Result<()> {
        let (gpu, Shape { height, width, .. }) = (self.engine.gpu(), self.engine.graph().input_shape());
        let mut encoder = gpu.device().create_command_encoder(&CommandEncoderDescriptor::default());
        for _ in 0..networks {
            self.engine.encode(&mut encoder, Input::buffer(&self.input, 1, [height, width]), &self.output)?;
        }
        gpu.queue().submit([encoder.finish()]);
        gpu.device().poll(PollType::wait_indefinitely()).expect("the device goes on");
        Ok(())
    }
}

/// What suits the device.
fn own(gpu: &Gpu) -> Tuning {
    Tuning::new(gpu.capabilities())
}

/// The same without all other tiles.
fn only(gpu: &Gpu, tile: Tile) -> Tuning {
    own(gpu).only(tile)
}

/// What one layer of the plan does: operations, or where it has none, bytes that it reads and writes.
fn throughput(plan: &Plan) -> Throughput {
    let layers = plan.steps().iter().filter(|step| ![BEFORE, AFTER].contains(&step.name.as_str()));
    let (flops, bytes) = layers.fold((0, 0), |(flops, bytes), step| (flops + step.flops, bytes + step.bytes));
    if flops > 0 { Throughput::Elements(flops / COPIES as u64) } else { Throughput::Bytes(bytes / COPIES as u64) }
}

/// Measures the network with this tuning; it is not built where its name was not asked for.
fn bench(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, gpu: &Gpu, graph: &Graph, tuning: &Tuning) {
    let mut resident = None;
    group.bench_function(name, |bencher| {
        let built = resident.get_or_insert_with(|| Resident::new(gpu, graph, tuning.clone()).expect("every layer is a network"));
        bencher.iter_custom(|layers| built.time(layers).expect("the device runs it"));
    });
}

fn kernels(criterion: &mut Criterion) {
    let gpu = Gpu::open(None).unwrap_or_else(|error| panic!("benchmarks need a GPU: {error}"));
    println!("{}, {}", gpu.summary().name, gpu.summary().driver);
    for layer in &LAYERS {
        let graph = layer.graph().expect("every layer is a network");
        let plan = |tuning| Plan::new(&graph, PlanOptions::default().with_tuning(tuning));
        let own = own(&gpu);
        let mut group = criterion.benchmark_group(layer.name);
        group.throughput(throughput(&plan(own.clone()).expect("the device has tiles for everything")));
        bench(&mut group, "own", &gpu, &graph, &own);
        let is_convolution = !matches!(layer.verbs, Verbs::Pool | Verbs::Head);
        for tile in Tile::all().filter(|tile| is_convolution && tile.runs_on(&own.capabilities(), Precision::F32)) {
            let only = only(&gpu, tile);
            // Fails where the tile does not compute this convolution.
            if plan(only.clone()).is_ok() {
                bench(&mut group, &tile.to_string(), &gpu, &graph, &only);
            }
        }
        group.finish();
    }
}

/// Few samples: there are many benchmarks, and a sample is the mean of many layers.
fn brief() -> Criterion {
    Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = brief(); targets = kernels }
criterion_main!(benches);
