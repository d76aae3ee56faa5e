//! `densenet verify`: a network on a device beside the reference, layer by layer.

mod specimen;

use std::fmt::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use densenet_wgpu::devices::AdapterSummary;
use densenet_wgpu::verify::{LayerCheck, tolerance};
use densenet_wgpu::{Checkpoint, Engine, Error};
use serde::Serialize;

use crate::device::{Device, DeviceOptions};
use crate::exit::{FAILED, SUCCESS, Stop};
use crate::message::{self, printable};
use crate::model::NetworkOptions;
use crate::output::{Output, ReportFormat};
use crate::remedy::explained;
use crate::terminal::paint::{BAD, DOUBTFUL, GOOD, HEADING, paint};
use specimen::Specimen;

/// Compare a device with the reference, layer by layer
///
/// The network runs twice: as usual, with operations that share kernels, and with one kernel per operation, so that every layer is
/// compared. The exit status is 1 if a layer differs from the reference by more than 1e-4 of its largest magnitude (2e-2 with
/// --precision f16). The output can be pasted into a bug report.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet verify --model digits

  # on what a picture becomes, on the second device
  densenet classify cat.jpg --dump-input cat.npy
  densenet verify --input cat.npy --model densenet121 --device 1")]
pub(crate) struct Options {
    #[command(flatten)]
    network: NetworkOptions,
    /// A .npy file of float32 [N, C, H, W] to run; default: noise
    #[arg(long, value_name = "INPUT", conflicts_with_all = ["batch", "size"], help_heading = "Input", value_hint = ValueHint::FilePath)]
    input: Option<PathBuf>,
    /// Pictures per batch
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Input")]
    batch: u32,
    #[command(flatten)]
    device: DeviceOptions,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = ReportFormat::Text, help_heading = "Output")]
    format: ReportFormat,
}

/// Compares the device with the reference and prints the report.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let mut model = options.network.open()?;
    let specimen = match &options.input {
        Some(path) => Specimen::read(path, &model)?,
        None => Specimen::noise(&mut model, options.batch, options.network.size)?,
    };
    let Device::Gpu(gpu) = options.device.open()? else {
        return Err(options.device.asked().no_gpu("to hold to the reference"));
    };
    let graph = model.graph(specimen.height, specimen.width)?;
    let engine = |fusion| {
        options.device.engine_on(&gpu, &graph, &model.weights, fusion).map_err(|error| match error {
            // That none is right was found by computing.
            Error::NoKernel { .. } => Stop::failed(explained(&error)),
            other => other.into(),
        })
    };
    let (fused, unfused) = (engine(true)?, engine(false)?);
    let passes = [Pass::run(&fused, &model, &specimen, true)?, Pass::run(&unfused, &model, &specimen, false)?];
    let first_divergence = passes.iter().flat_map(|pass| &pass.layers).find(|layer| !layer.agrees);
    let precision = fused.tuning().precision();
    let report = Report {
        program: concat!("densenet ", env!("CARGO_PKG_VERSION")),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        device: gpu.summary(),
        model: &model.name,
        architecture: model.config.to_string(),
        input: &specimen.words,
        precision: precision.name(),
        tolerance: tolerance(precision),
        agrees: first_divergence.is_none(),
        first_divergence,
        passes: &passes,
    };
    match options.format {
        ReportFormat::Text => Output::new().text(&report.text().map_err(Stop::refused)?)?,
        ReportFormat::Json => Output::new().json(&report)?,
    }
    let Some(divergence) = first_divergence else { return Ok(SUCCESS) };
    let remedy = "another driver version may compute it correctly; --device cpu does";
    message::error(&format!("{} differs from the reference: {divergence}; {remedy}", gpu.summary().name));
    Ok(FAILED)
}

/// The results, with the keys of the JSON output.
#[derive(Serialize)]
struct Report<'a> {
    program: &'static str,
    system: String,
    device: &'a AdapterSummary,
    model: &'a str,
    architecture: String,
    input: &'a str,
    precision: &'static str,
    tolerance: f64,
    agrees: bool,
    first_divergence: Option<&'a LayerCheck>,
    passes: &'a [Pass],
}

/// One run of the network.
#[derive(Serialize)]
struct Pass {
    /// Whether operations shared kernels.
    fusion: bool,
    /// Tiles that were replaced, and what is wrong with each.
    tiles_left_out: Vec<String>,
    layers: Vec<LayerCheck>,
}

impl Pass {
    fn run(engine: &Engine, model: &Checkpoint, specimen: &Specimen, fusion: bool) -> densenet_wgpu::Result<Self> {
        let verification = specimen.verify(engine, &model.weights)?;
        let tiles_left_out = engine.faults().iter().map(|(tile, fault)| format!("{tile} {fault}")).collect();
        Ok(Self { fusion, tiles_left_out, layers: verification.layers })
    }

    fn text(&self, text: &mut String) -> fmt::Result {
        let title = if self.fusion { "as it runs, fused" } else { "a kernel for each operation" };
        writeln!(text, "\n{}", paint(HEADING, &format!("{title}: {} values", self.layers.len())))?;
        for tile in &self.tiles_left_out {
            writeln!(text, "{} {tile}", paint(DOUBTFUL, "not used here:"))?;
        }
        let header = ["layer", "kernel", "error", "worst at", "found", "expected"].map(str::to_owned);
        let rows: Vec<[String; 6]> = [header].into_iter().chain(self.layers.iter().map(row)).collect();
        let widths: [usize; 6] = std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
        let lines: Vec<String> = rows.iter().map(|row| line(row, widths)).collect();
        writeln!(text, "{}", paint(HEADING, &lines[0]))?;
        for (line, layer) in lines[1..].iter().zip(&self.layers) {
            match layer.agrees {
                true => writeln!(text, "{line}")?,
                false => writeln!(text, "{}", paint(BAD, &format!("{line}  DIFFERS")))?,
            }
        }
        Ok(())
    }
}

/// The cells of a row: words aligned left, numbers right.
fn line(row: &[String; 6], [layer, kernel, error, worst, found, expected]: [usize; 6]) -> String {
    let [a, b, c, d, e, f] = row;
    format!("{a:<layer$}  {b:<kernel$}  {c:>error$}  {d:<worst$}  {e:>found$}  {f:>expected$}")
}

fn row(layer: &LayerCheck) -> [String; 6] {
    let LayerCheck { layer, kernel, error, worst, found, expected, .. } = layer;
    let worst = worst.map(|at| at.to_string()).join(",");
    [layer.clone(), kernel.clone(), format!("{error:.1e}"), worst, format!("{found:.6e}"), format!("{expected:.6e}")]
}

impl Report<'_> {
    fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let AdapterSummary { name, kind, driver, backend, .. } = self.device;
        for (what, value) in [
            ("program", format!("{}, {}", self.program, self.system)),
            ("device", format!("{name}, {kind}")),
            ("driver", format!("{driver}, {backend}")),
            ("model", format!("{}, {}", self.model, self.architecture)),
            ("input", self.input.to_owned()),
            ("precision", self.precision.to_owned()),
            ("tolerance", format!("{:.0e} of a layer's largest magnitude", self.tolerance)),
        ] {
            writeln!(text, "{what:<9}  {}", printable(&value))?;
        }
        for pass in self.passes {
            pass.text(&mut text)?;
        }
        let layers = || self.passes.iter().flat_map(|pass| &pass.layers);
        let (all, differing) = (layers().count(), layers().filter(|layer| !layer.agrees).count());
        match self.first_divergence {
            Some(first) => writeln!(text, "\n{}, first {first}", paint(BAD, &format!("{differing} of {all} values differ")))?,
            None => {
                let largest = layers().fold(0.0, |most: f64, layer| most.max(layer.error));
                writeln!(text, "\n{}; largest error {largest:.1e}", paint(GOOD, &format!("all {all} values agree")))?;
            }
        }
        Ok(text)
    }
}
