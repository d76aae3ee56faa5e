//! `--device D` and what runs there: a GPU's engine, or the CPU reference.

use clap::{Args, ValueEnum};
use densenet_wgpu::weights::Weights;
use densenet_wgpu::{Engine, EngineOptions, Gpu, Graph, Reference};

use super::exit::Stop;
use super::message;

/// Where and how precisely to run.
#[derive(Args)]
pub(crate) struct DeviceOptions {
    /// An index or part of a name from `densenet devices`, or `cpu`; default: the best GPU
    #[arg(long, short, value_name = "D")]
    device: Option<String>,
    /// Numbers to compute with
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    precision: Precision,
}

/// Numbers to compute with.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Precision {
    /// 32-bit floats.
    F32,
    /// 16-bit floats: not in this version.
    F16,
}

/// What runs a network.
pub(crate) enum Runner {
    /// On a GPU.
    Gpu(Box<Engine>),
    /// On the processor, slowly.
    Cpu(Box<Reference>),
}

impl DeviceOptions {
    /// Makes what was asked for ready to run `graph`.
    pub(crate) fn runner(&self, graph: &Graph, weights: &Weights, options: EngineOptions) -> Result<Runner, Stop> {
        if self.precision == Precision::F16 {
            return Err(Stop::refused("--precision f16 is not in this version; use --precision f32"));
        }
        if self.device.as_deref() == Some("cpu") {
            return Ok(Runner::Cpu(Box::new(Reference::new(graph.clone(), weights.clone())?)));
        }
        let gpu = Gpu::open(self.device.as_deref())?;
        gpu.warnings().iter().for_each(|warning| message::warning(warning));
        Ok(Runner::Gpu(Box::new(Engine::new(&gpu, graph, weights, options)?)))
    }
}

impl Runner {
    /// The network's output for images of `height` x `width` pixels, `[N, C, H, W]`; as many as `input` holds.
    pub(crate) fn run(&self, input: &[f32], height: usize, width: usize) -> densenet_wgpu::Result<Vec<f32>> {
        match self {
            Self::Gpu(engine) => engine.run_at(input, height, width),
            Self::Cpu(reference) => reference.run(input, height, width),
        }
    }
}
