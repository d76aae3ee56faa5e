//! `densenet report`: everything there is to know about a device, in one file that its owner can send.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use densenet_wgpu::devices::AdapterSummary;
use densenet_wgpu::profile::{Ceilings, Profile};
use densenet_wgpu::verify::{LayerCheck, Verification, self_test};
use densenet_wgpu::{Checkpoint, Config, Engine, EngineOptions, Gpu, Graph, Input, Precision, Result, models};
use serde::Serialize;

use crate::arguments::Size;
use crate::device::{Asked, Software, open_gpu};
use crate::exit::{FAILED, SUCCESS, Stop};
use crate::latencies::Latencies;
use crate::message;
use crate::output::Destination;

/// Write everything there is to know about a device into one file
///
/// The adapter and its limits, the self-test, digits and a DenseNet-121 compared with the reference layer by layer, which kernels are
/// wrong and how, speed, and a profile; with 16-bit floats too if the device has them. Failures are part of the report. Nothing in it
/// identifies you, or shows paths on your machine. It takes a minute or two.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet report --output my-gpu.json
  densenet report --device 1 --output my-other-gpu.json")]
pub(crate) struct Options {
    /// Index, name or PCI address; default: DENSENET_DEVICE, else the best GPU
    #[arg(long, short, value_name = "D", help_heading = "Device")]
    device: Option<String>,
    /// Height and width of the DenseNet-121's input
    #[arg(long, value_name = "HxW", default_value = "224x224", help_heading = "Measurement")]
    size: Size,
    /// The file to write; default: standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

/// Size of the input of digits.
const DIGIT: [usize; 2] = [64, 64];

/// Runs of each kind.
const RUNS: u32 = 5;

const BATCHES: [usize; 2] = [1, 8];

/// Seed of the DenseNet-121's weights.
const SEED: u64 = 0;

/// A network to run on the device.
struct Network {
    name: &'static str,
    checkpoint: Checkpoint,
    /// Height and width of its input.
    size: [usize; 2],
}

/// The results, with the keys of the JSON output.
#[derive(Serialize)]
struct Report<'a> {
    program: &'static str,
    system: String,
    device: &'a AdapterSummary,
    warnings: &'a [String],
    ceilings: Part<Measured>,
    precisions: Vec<InPrecision>,
}

/// A part that may fail without ending the report.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Part<T> {
    Found(T),
    Failed(String),
}

impl<T> From<Result<T>> for Part<T> {
    fn from(found: Result<T>) -> Self {
        found.map_or_else(|error| Self::Failed(error.to_string()), Self::Found)
    }
}

/// The device's peak.
#[derive(Serialize)]
struct Measured {
    gflops: f64,
    gigabytes_per_second: f64,
    launch_ms: f64,
}

/// The results in one precision.
#[derive(Serialize)]
struct InPrecision {
    precision: &'static str,
    self_test: Part<&'static str>,
    verified: Vec<Verified>,
    bench: Vec<Timed>,
    profile: Part<Profile>,
}

/// A network compared with the reference.
#[derive(Serialize)]
struct Verified {
    model: &'static str,
    layers: Part<Agreement>,
}

#[derive(Serialize)]
struct Agreement {
    count: usize,
    agrees: bool,
    worst: Option<LayerCheck>,
    first_divergence: Option<LayerCheck>,
    /// What is wrong with tiles that were replaced.
    faults: Vec<String>,
}

/// Repeated runs of a DenseNet-121.
#[derive(Serialize)]
struct Timed {
    batch: usize,
    latency_ms: Part<LatencyMs>,
}

#[derive(Serialize)]
struct LatencyMs {
    p50: f64,
    p95: f64,
}

/// Examines the device and writes the report.
pub(crate) fn run(options: Options) -> std::result::Result<u8, Stop> {
    let Size { height, width } = options.size;
    let large = [height, width];
    let networks = [
        Network { name: "digits", checkpoint: digits()?, size: DIGIT },
        Network { name: "densenet121, random weights", checkpoint: Checkpoint::init(Config::densenet121(), SEED)?, size: large },
    ];
    for network in &networks {
        network.graph()?; // fails early if the size is too small
    }
    let asked = Asked::of(options.device.as_deref());
    let gpu = open_gpu(&asked, asked.gpu("to report on")?, Software::Warn)?;
    let destination = Destination::open(options.output.as_deref())?;
    let has_half = gpu.capabilities().f16;
    let precisions = [Precision::F32, Precision::F16].into_iter().filter(|precision| *precision == Precision::F32 || has_half);
    let ceilings = Ceilings::measure(&gpu);
    // One after the other: nothing else must run while something is timed.
    let precisions: Vec<InPrecision> = precisions.map(|precision| in_precision(&gpu, precision, &networks, &ceilings)).collect();
    let is_well = ceilings.is_ok() && precisions.iter().all(InPrecision::is_well);
    let report = Report {
        program: concat!("densenet ", env!("CARGO_PKG_VERSION")),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        device: gpu.summary(),
        warnings: gpu.warnings(),
        ceilings: ceilings
            .map(|Ceilings { gflops, gigabytes_per_second, launch_ms }| Measured { gflops, gigabytes_per_second, launch_ms })
            .into(),
        precisions,
    };
    let mut text = serde_json::to_vec_pretty(&report).map_err(Stop::refused)?;
    text.push(b'\n');
    destination.write(&text)?;
    if is_well {
        return Ok(SUCCESS);
    }
    message::error(&format!("{}: something failed or differs from the reference; the report says what", gpu.summary().name));
    Ok(FAILED)
}

/// The bundled model.
fn digits() -> Result<Checkpoint> {
    models::bundled("digits").unwrap_or_else(|| Checkpoint::init(Config::imagenet(4, &[2, 2], 8), SEED))
}

fn in_precision(gpu: &Gpu, precision: Precision, networks: &[Network; 2], ceilings: &Result<Ceilings>) -> InPrecision {
    let [_, large] = networks;
    let engine = large.engine(gpu, precision);
    let latency = |batch: usize| match &engine {
        Ok(engine) => latency(engine, batch, large.size).into(),
        Err(error) => Part::Failed(error.to_string()),
    };
    InPrecision {
        precision: precision.name(),
        self_test: self_test(gpu, precision).map(|()| "passed").into(),
        verified: networks
            .iter()
            .map(|network| Verified { model: network.name, layers: network.agreement(gpu, precision).into() })
            .collect(),
        bench: BATCHES.map(|batch| Timed { batch, latency_ms: latency(batch) }).into(),
        profile: match (&engine, ceilings) {
            (Ok(engine), Ok(ceilings)) => {
                Profile::measure(engine, Input::values(&noise(1, large.size), large.size), RUNS as usize, *ceilings).into()
            }
            (Err(error), _) | (_, Err(error)) => Part::Failed(error.to_string()),
        },
    }
}

impl InPrecision {
    /// Whether nothing failed, and the device agrees with the reference.
    fn is_well(&self) -> bool {
        let agrees = |verified: &Verified| matches!(&verified.layers, Part::Found(layers) if layers.agrees && layers.faults.is_empty());
        let is_timed = |timed: &Timed| matches!(timed.latency_ms, Part::Found(_));
        let has_profile = matches!(self.profile, Part::Found(_));
        matches!(self.self_test, Part::Found(_)) && self.verified.iter().all(agrees) && self.bench.iter().all(is_timed) && has_profile
    }
}

impl Network {
    fn graph(&self) -> Result<Graph> {
        self.checkpoint.graph(self.size[0], self.size[1])
    }

    fn engine(&self, gpu: &Gpu, precision: Precision) -> Result<Engine> {
        Engine::new(gpu, &self.graph()?, &self.checkpoint.weights, EngineOptions::default().with_precision(precision))
    }

    /// Compares the device with the reference.
    fn agreement(&self, gpu: &Gpu, precision: Precision) -> Result<Agreement> {
        let engine = self.engine(gpu, precision)?;
        let verification = Verification::run(&engine, &self.checkpoint.weights, Input::values(&noise(1, self.size), self.size))?;
        Ok(Agreement {
            count: verification.layers.len(),
            agrees: verification.first_divergence().is_none(),
            worst: verification.worst().cloned(),
            first_divergence: verification.first_divergence().cloned(),
            faults: engine.faults().iter().map(|(tile, fault)| format!("{tile} {fault}")).collect(),
        })
    }
}

fn latency(engine: &Engine, batch: usize, size: [usize; 2]) -> Result<LatencyMs> {
    let input = noise(batch, size);
    let latencies = Latencies::measure(Some(RUNS), || engine.run(Input::values(&input, size)).map(drop))?;
    Ok(LatencyMs { p50: latencies.percentile_ms(50), p95: latencies.percentile_ms(95) })
}

/// Images of three channels.
fn noise(batch: usize, [height, width]: [usize; 2]) -> Vec<f32> {
    (0..batch * 3 * height * width).map(|index| (index as f32 * 0.37).sin()).collect()
}
