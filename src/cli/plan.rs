//! `densenet plan`: what would run, in which order, in how much memory.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use densenet_wgpu::engine::device_tuning;
use densenet_wgpu::{Gpu, Plan, PlanOptions, Precision, Tuning};

use super::device::no_gpu;
use super::exit::{Stop, WELL};
use super::network::NetworkOptions;
use super::output::Destination;
use super::paint::headed;
use super::size::Size;

/// Print the plan of a network and its memory; no GPU is opened without --device
#[derive(Args)]
#[command(after_help = "\
Example: densenet plan --arch densenet121 --batch 8
         densenet plan --arch densenet121 --format svg --output plan.svg")]
pub(crate) struct Options {
    #[command(flatten)]
    network: NetworkOptions,
    /// Images that run at once
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
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
    let destination = Destination::open(options.output.as_deref())?;
    let (config, preprocessing) = options.network.describe()?;
    let Size { height, width } = options.network.size(preprocessing.as_ref());
    let graph = config.graph(height, width)?;
    let tuning = match &options.device {
        Some(device) if device == "cpu" => {
            return Err(no_gpu("that runs a plan"));
        }
        Some(device) => device_tuning(&Gpu::open(Some(device))?, Precision::F32),
        None => Tuning::default(),
    };
    let plan =
        Plan::new(&graph, PlanOptions { batch: options.batch as usize, fusion: !options.no_fusion, tuning, ..PlanOptions::default() })?;
    match options.format {
        Format::Text => destination.text(&headed(plan.to_string().trim_end(), &["layer "]))?,
        Format::Json => destination.write((plan.json() + "\n").as_bytes())?,
        Format::Svg => destination.write(plan.svg().as_bytes())?,
    }
    Ok(WELL)
}
