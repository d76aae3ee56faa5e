//! `densenet profile`: where the time goes.

mod stages;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use densenet_wgpu::internal::images_at_once;
use densenet_wgpu::profile::{Ceilings, Clock, Comparison, Profile, Total};
use densenet_wgpu::{Engine, Input};
use serde::Serialize;

use crate::arguments::Size;
use crate::device::{Device, DeviceOptions, Runner};
use crate::exit::{SUCCESS, Stop};
use crate::message::{self, printable};
use crate::model::NetworkOptions;
use crate::output::Destination;
use crate::terminal::paint::headed;
use stages::{ColdStart, Stages};

/// Show where the time goes: by step, by kind of operation, by dense block
///
/// Each step runs in a compute pass of its own, and the device's clock is read before and after it. The same run is also measured in a
/// single pass, and without any clock, which shows what profiling costs.
///
/// Each step is compared with three lower bounds: the time that its operations, its memory traffic and its launch need at least on this
/// device, measured at the same time. The longest of them bounds the step.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet profile --arch densenet121

  # what has changed since
  densenet profile --model best.pth --batch 8 --format json --output before.json
  densenet profile --model best.pth --batch 8 --compare before.json

  # bars, and the device's roofline
  densenet profile --model best.pth --format svg --output profile.svg")]
pub(crate) struct Options {
    #[command(flatten)]
    network: NetworkOptions,
    /// Images per batch
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Measurement")]
    batch: u32,
    #[command(flatten)]
    device: DeviceOptions,
    /// Runs to measure, of each kind
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Measurement")]
    runs: u32,
    /// Run one kernel per operation, and show what fusion saves
    #[arg(long, conflicts_with = "compare", help_heading = "Measurement")]
    no_fusion: bool,
    /// Show what has changed since a profile written with --format json
    #[arg(long, value_name = "OLD.json", help_heading = "Measurement", value_hint = ValueHint::FilePath)]
    compare: Option<PathBuf>,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = Format::Table, help_heading = "Output")]
    format: Format,
    /// The file to write; default: standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

/// How a profile is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Human-readable.
    Table,
    /// One JSON object.
    Json,
    /// One run for ui.perfetto.dev or chrome://tracing.
    Trace,
    /// A picture: the steps as bars, and under the device's roofline.
    Svg,
}

/// The JSON output: the profile, and what else was requested.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    profile: &'a Profile,
    by_operation: Vec<Total>,
    by_module: Vec<Total>,
    cold_start: &'a ColdStart,
    /// With `--no-fusion`, the same network with fusion.
    fused: Option<&'a Profile>,
    /// With `--compare`, what changed.
    comparison: Option<&'a Comparison>,
}

/// Measures, and writes the requested output.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let stages = Stages::listen();
    let destination = Destination::open(options.output.as_deref())?;
    let before = options.compare.as_deref().map(read).transpose()?;
    let model = options.network.open()?;
    let Size { height, width } = options.network.size(model.preprocessing.as_ref());
    let graph = model.graph(height, width)?;
    let shape = graph.input_shape();
    let (batch, most) = (options.batch as usize, images_at_once(options.batch as usize, shape));
    if batch > most {
        return Err(Stop::refused(format!(
            "--batch {batch}: expected at most {most} images of {shape}, which fill 1 GiB; use a smaller one, or a smaller --size"
        )));
    }
    let device = options.device.open()?;
    let Device::Gpu(gpu) = &device else { return Err(options.device.asked().no_gpu("with kernels to time")) };
    let input: Vec<f32> = (0..batch * shape.elements()).map(|i| (i as f32 * 0.37).sin()).collect();
    let engine = |fusion| match options.device.runner_on(&device, &graph, &model.weights, fusion)? {
        Runner::Gpu(engine) => Ok(engine),
        Runner::Cpu(_) => Err(options.device.asked().no_gpu("with kernels to time")),
    };
    let own = engine(!options.no_fusion)?;
    let input = Input::values(&input, [height, width]);
    own.run(input)?;
    let cold_start = stages.finish();
    let ceilings = Ceilings::measure(gpu)?;
    let measure = |engine: &Engine| {
        let mut profile = Profile::measure(engine, input, options.runs as usize, ceilings)?;
        profile.model = model.name.clone();
        if profile.clock == Clock::Host && gpu.summary().features.iter().any(|feature| feature == "timestamps") {
            let found = "its timestamps stand still, run backwards or were never written";
            message::warning(&format!("{}: {found}; times are measured by the host, and include the cost of submission", profile.device));
        }
        Ok::<_, Stop>(profile)
    };
    let profile = measure(&own)?;
    let fused = if options.no_fusion { Some(measure(&*engine(true)?)?) } else { None };
    let comparison = match (&before, &fused) {
        (Some(before), _) => Some(Comparison::new(before, &profile)),
        (None, Some(fused)) => {
            let mut comparison = Comparison::new(&profile, fused);
            comparison.steps.clear();
            Some(comparison)
        }
        (None, None) => None,
    };
    match options.format {
        Format::Table => destination.text(&table(&profile, &cold_start, comparison.as_ref(), options.no_fusion))?,
        Format::Trace => destination.write((profile.trace() + "\n").as_bytes())?,
        Format::Svg => destination.write(profile.svg().as_bytes())?,
        Format::Json => {
            let (by_operation, by_module) = (profile.by_operation(), profile.by_module());
            let report = Report {
                profile: &profile,
                by_operation,
                by_module,
                cold_start: &cold_start,
                fused: fused.as_ref(),
                comparison: comparison.as_ref(),
            };
            destination.write((serde_json::to_string(&report).map_err(Stop::refused)? + "\n").as_bytes())?;
        }
    }
    Ok(SUCCESS)
}

fn table(profile: &Profile, cold_start: &ColdStart, comparison: Option<&Comparison>, no_fusion: bool) -> String {
    let title = if no_fusion { "what fusion saves (now: fused)" } else { "what changed" };
    let comparison = comparison.map_or(String::new(), |comparison| format!("\n{title}\n{}\n", comparison.to_string().trim_end()));
    let [profile, cold_start] = [profile.to_string(), cold_start.to_string()].map(|text| printable_lines(&text));
    let headings = ["layer ", "by operation", "by module", "cold start", title, "before ms"];
    headed(&format!("{profile}\n\n{cold_start}\n{comparison}"), &headings)
}

/// A profile that an earlier run wrote.
fn read(path: &Path) -> Result<Profile, Stop> {
    let wrong = |found: String| {
        Stop::refused(format!("--compare {}: expected what `densenet profile --format json` writes, found {found}", path.display()))
    };
    let text = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => wrong("nothing of that name".into()),
        ErrorKind::IsADirectory => wrong("a folder".into()),
        _ => wrong(format!("what cannot be read ({error})")),
    })?;
    serde_json::from_slice(&text).map_err(|error| wrong(format!("something else ({error})")))
}

fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}
