//! `densenet plan`: what would run, in which order, in how much memory.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use densenet_wgpu::engine::device_tuning;
use densenet_wgpu::{Config, Gpu, Plan, PlanOptions, Precision, Tuning};

use super::exit::{Stop, WELL};
use super::model::{ModelOptions, nearest, size};
use super::output;
use super::size::Size;

/// Print the plan of a network and its memory; no GPU is opened without --device
#[derive(Args)]
#[command(after_help = "\
Example: densenet plan --arch densenet121 --batch 8
         densenet plan --arch densenet121 --format svg --output plan.svg")]
pub(crate) struct Options {
    #[command(flatten)]
    model: ModelOptions,
    /// Architecture instead of a model: densenet121, densenet161, densenet169, densenet201, densenet264, densenet264d or densenetblur121d
    #[arg(long, value_name = "A", value_parser = architecture, conflicts_with = "model")]
    arch: Option<Config>,
    /// Images that run at once
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Height and width of the input; default: the model's own, else 224x224
    #[arg(long, value_name = "HxW")]
    size: Option<Size>,
    /// Plan one kernel for each operation of the network
    #[arg(long)]
    no_fusion: bool,
    /// Plan for this device, an index or part of a name; default: with kernels that run on any
    #[arg(long, short, value_name = "D")]
    device: Option<String>,
    /// How to print
    #[arg(long, short, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The file to write; default: standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For reading.
    Text,
    /// One JSON object.
    Json,
    /// A picture of the memory: each buffer, and who reads and writes what of it when.
    Svg,
}

/// Prints the plan.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let (config, preprocessing) = match options.arch {
        Some(config) => (config, None),
        None => {
            let model = options.model.open()?;
            (model.config, model.preprocessing)
        }
    };
    let Size { height, width } = size(options.size, preprocessing.as_ref());
    let graph = config.graph(height, width)?;
    let tuning = match &options.device {
        Some(device) if device == "cpu" => {
            return Err(Stop::refused("--device cpu: expected a device that runs a plan, found the reference, which has none"));
        }
        Some(device) => device_tuning(&Gpu::open(Some(device))?, Precision::F32),
        None => Tuning::default(),
    };
    let plan =
        Plan::new(&graph, PlanOptions { batch: options.batch as usize, fusion: !options.no_fusion, tuning, ..PlanOptions::default() })?;
    let content = match options.format {
        Format::Text => format!("{}\n", plan.to_string().trim_end()),
        Format::Json => plan.json() + "\n",
        Format::Svg => plan.svg(),
    };
    output::deliver(options.output.as_deref(), content.as_bytes())?;
    Ok(WELL)
}

/// The architecture of that name.
pub(crate) fn architecture(name: &str) -> Result<Config, String> {
    Config::named(name).ok_or_else(|| {
        let known: Vec<&str> = Config::names().collect();
        let suggestion = nearest(name, known.iter().copied()).map(|near| format!("did you mean {near}? ")).unwrap_or_default();
        format!("{suggestion}known architectures: {}", known.join(", "))
    })
}
