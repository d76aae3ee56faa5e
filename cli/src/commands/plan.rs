//! `densenet plan`: what would run, in which order, and in how much memory.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use densenet_wgpu::planning::PlanOptions;
use densenet_wgpu::tuning::{Tuning, device_tuning};
use densenet_wgpu::{Gpu, Plan, Precision};

use crate::arguments::Size;
use crate::device::Asked;
use crate::exit::{SUCCESS, Stop};
use crate::model::NetworkOptions;
use crate::output::Destination;
use crate::terminal::paint::headed;

/// Print a network's execution plan and its memory
///
/// Every step with its kernel, what it reads and writes, and the sizes of the buffers. Opens no GPU unless --device is given.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet plan --arch densenet121 --batch 8

  # with the kernels chosen for a device
  densenet plan --arch densenet121 --device 0

  # the memory as a picture
  densenet plan --arch densenet121 --format svg --output memory.svg")]
pub(crate) struct Options {
    #[command(flatten)]
    network: NetworkOptions,
    /// Images per batch
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Device")]
    batch: u32,
    /// Plan one kernel per operation of the network
    #[arg(long, help_heading = "Device")]
    no_fusion: bool,
    /// Plan for this device: an index, part of a name or PCI address
    ///
    /// Default: kernels that run on any device.
    #[arg(long, short, value_name = "D", help_heading = "Device")]
    device: Option<String>,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    format: Format,
    /// The file to write; default: standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

/// How a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Human-readable.
    Text,
    /// One JSON object.
    Json,
    /// A picture of the memory: when which step reads and writes which part of each buffer.
    Svg,
}

/// Prints the plan.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let destination = Destination::open(options.output.as_deref())?;
    let (config, preprocessing) = options.network.describe()?;
    let Size { height, width } = options.network.size(preprocessing.as_ref());
    let graph = config.graph(height, width)?;
    let tuning = match &options.device {
        Some(_) => {
            let asked = Asked::of(options.device.as_deref());
            device_tuning(&Gpu::open(asked.gpu("that runs a plan")?)?, Precision::F32)
        }
        None => Tuning::default(),
    };
    let plan =
        Plan::new(&graph, PlanOptions::default().with_batch(options.batch as usize).with_fusion(!options.no_fusion).with_tuning(tuning))?;
    match options.format {
        Format::Text => destination.text(&headed(plan.to_string().trim_end(), &["layer "]))?,
        Format::Json => destination.write((plan.json() + "\n").as_bytes())?,
        Format::Svg => destination.write(plan.svg().as_bytes())?,
    }
    Ok(SUCCESS)
}
