//! `densenet bench`: how fast a network runs, compared with the device's peak.

use std::time::Instant;

use clap::{Args, ValueEnum};
use densenet_wgpu::internal::images_at_once;
use densenet_wgpu::planning::PlanOptions;
use densenet_wgpu::profile::Peak;
use densenet_wgpu::{Checkpoint, Graph, Plan};
use serde::Serialize;

use crate::arguments::Size;
use crate::device::{Device, DeviceOptions, Runner};
use crate::exit::{FAILED, SUCCESS, Stop};
use crate::latencies::Latencies;
use crate::message::{self, printable};
use crate::model::NetworkOptions;
use crate::output::Output;
use crate::remedy::explained;
use crate::terminal::paint::{HEADING, paint};

/// Measure how fast a network runs, and compare it with the device's peak
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet bench --arch densenet121 --batch 1,8,32

  # a model's own weights; machine-readable: one line of JSON per batch size
  densenet bench --model best.pth --format json

Columns:
  cold ms     first batch: from opening the device to the first logits
              later batches: the first run of a new engine on the open device
  p50, p95    warm runs, from input to logits in host memory
  images/s    warm runs, one after the other
  GFLOP/s     the network's operations per second, at p50
  peak        what multiply-adds alone reach on this device, measured once,
              after the first batch's first run
  GPU memory  all buffers of an engine that runs this batch size")]
pub(crate) struct Options {
    #[command(flatten)]
    network: NetworkOptions,
    /// Images per batch
    ///
    /// Several sizes are measured one after the other.
    #[arg(long, short, value_name = "N[,N]", value_delimiter = ',', default_value = "1", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Measurement")]
    batch: Vec<u32>,
    /// Warm runs to measure; default: as many as two seconds take, at least 10
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Measurement")]
    runs: Option<u32>,
    #[command(flatten)]
    device: DeviceOptions,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = Format::Table, help_heading = "Output")]
    format: Format,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Human-readable.
    Table,
    /// One line of JSON per batch size.
    Json,
}

/// Measures every batch size and prints a line for each.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let model = options.network.open()?;
    let Size { height, width } = options.network.size(model.preprocessing.as_ref());
    let graph = model.graph(height, width)?;
    let flops = Plan::new(&graph, PlanOptions::default())?.flops();
    let mut bench = Bench { options: &options, model, graph, flops, device: None, peak: None };
    let mut output = Output::new();
    let (mut status, mut is_first) = (SUCCESS, true);
    for &batch in &options.batch {
        let row = match bench.row(batch) {
            Ok(row) => row,
            Err(Stop::With { status: FAILED, message }) => {
                message::error(&format!("--batch {batch}: {message}"));
                status = FAILED;
                continue;
            }
            Err(stop) => return Err(stop),
        };
        match options.format {
            Format::Json => output.json(&row)?,
            Format::Table => {
                let header = if is_first { row.header() } else { String::new() };
                output.text(&(header + &row.line()))?;
            }
        }
        is_first = false;
    }
    Ok(status)
}

/// A network to measure.
struct Bench<'a> {
    options: &'a Options,
    model: Checkpoint,
    graph: Graph,
    /// Operations for one image.
    flops: u64,
    /// `None` until the first run opens it.
    device: Option<Device>,
    /// `None` until measured, and on the CPU.
    peak: Option<Peak>,
}

impl Bench<'_> {
    /// Measures one batch size. Status 1 means that this size failed, status 2 that all will.
    fn row(&mut self, batch: u32) -> Result<Row<'_>, Stop> {
        let shape = self.graph.input_shape();
        let most = images_at_once(usize::MAX, shape);
        if batch as usize > most {
            return Err(Stop::failed(format!("expected at most {most} images of {shape}, which fill 1 GiB; use a smaller --batch")));
        }
        let input: Vec<f32> = (0..batch as usize * shape.elements()).map(|i| (i as f32 * 0.37).sin()).collect();
        let run =
            |runner: &Runner| runner.run(&input, shape.height, shape.width).map(drop).map_err(|error| Stop::failed(explained(&error)));

        let opening = Instant::now();
        let was_open = self.device.is_some();
        let device = match self.device.take() {
            Some(device) => device,
            None => self.options.device.open()?,
        };
        let device = &*self.device.insert(device);
        // A new engine, so that neither time nor memory depends on the sizes before.
        let runner = self.options.device.runner_on(device, &self.graph, &self.model.weights, true)?;
        let start = if was_open { Instant::now() } else { opening };
        run(&runner)?;
        let cold = start.elapsed();

        if let (Device::Gpu(gpu), None) = (device, &self.peak) {
            self.peak = Some(Peak::measure(gpu)?);
        }
        let latencies = Latencies::measure(self.options.runs, || run(&runner))?;
        let latency_ms = LatencyMs { p50: latencies.percentile_ms(50), p95: latencies.percentile_ms(95) };
        let gflops = (self.flops * u64::from(batch)) as f64 / latency_ms.p50 / 1e6;
        let peak_gflops = self.peak.as_ref().map(|peak| peak.gflops);
        let (device, driver, backend, precision, gpu_memory_bytes) = match (device, &runner) {
            (Device::Gpu(gpu), Runner::Gpu(engine)) => {
                let summary = gpu.summary();
                (
                    summary.name.as_str(),
                    Some(summary.driver.as_str()),
                    summary.backend.as_str(),
                    engine.tuning().precision().name(),
                    Some(engine.byte_allocated()),
                )
            }
            _ => ("cpu", None, "reference", "f32", None),
        };
        Ok(Row {
            device,
            driver,
            backend,
            model: &self.model.name,
            precision,
            size: [shape.height, shape.width],
            batch,
            cold_ms: cold.as_secs_f64() * 1e3,
            latency_ms,
            images_per_second: f64::from(batch) * latencies.per_second(),
            gflops,
            peak_gflops,
            peak_gigabytes_per_second: self.peak.as_ref().map(|peak| peak.gigabytes_per_second),
            peak_kernel: self.peak.as_ref().map(|peak| peak.kernel.as_str()),
            share_of_peak: peak_gflops.map(|peak| gflops / peak),
            gpu_memory_bytes,
        })
    }
}

/// The measurements of one batch size, with the keys of the JSON output. What only a GPU has is null on the CPU.
#[derive(Serialize)]
struct Row<'a> {
    device: &'a str,
    driver: Option<&'a str>,
    backend: &'a str,
    model: &'a str,
    precision: &'static str,
    size: [usize; 2],
    batch: u32,
    cold_ms: f64,
    latency_ms: LatencyMs,
    images_per_second: f64,
    gflops: f64,
    peak_gflops: Option<f64>,
    peak_gigabytes_per_second: Option<f64>,
    peak_kernel: Option<&'a str>,
    share_of_peak: Option<f64>,
    gpu_memory_bytes: Option<u64>,
}

#[derive(Serialize)]
struct LatencyMs {
    p50: f64,
    p95: f64,
}

/// The columns of the table, padded to their widths.
const COLUMNS: [&str; 9] =
    ["  batch", "   cold ms", "    p50 ms", "    p95 ms", "  images/s", "   GFLOP/s", "  peak GFLOP/s", "  of peak", "  GPU memory"];

impl Row<'_> {
    /// The device, the network, and the names of the columns.
    fn header(&self) -> String {
        let device: Vec<&str> = [Some(self.device), self.driver, Some(self.backend)].into_iter().flatten().collect();
        let [height, width] = self.size;
        let peak = self.peak_gigabytes_per_second.zip(self.peak_kernel);
        let peak = peak.map_or(String::new(), |(bandwidth, kernel)| format!("; peak with {kernel}, {bandwidth:.1} GB/s"));
        let [device, columns] = [printable(&device.join(", ")), COLUMNS.concat()].map(|line| paint(HEADING, &line));
        format!("{}{peak}\n{} at {height}x{width}, {}\n{columns}\n", device, printable(self.model), self.precision)
    }

    /// A line of the table.
    fn line(&self) -> String {
        let or_none = |cell: Option<String>| cell.unwrap_or_else(|| "-".into());
        let cells = [
            self.batch.to_string(),
            format!("{:.2}", self.cold_ms),
            format!("{:.2}", self.latency_ms.p50),
            format!("{:.2}", self.latency_ms.p95),
            format!("{:.1}", self.images_per_second),
            format!("{:.1}", self.gflops),
            or_none(self.peak_gflops.map(|peak| format!("{peak:.1}"))),
            or_none(self.share_of_peak.map(|share| format!("{:.1} %", 100.0 * share))),
            or_none(self.gpu_memory_bytes.map(|bytes| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)))),
        ];
        let cells = cells.iter().zip(COLUMNS).map(|(cell, column)| format!("{cell:>width$}", width = column.len()));
        cells.collect::<String>() + "\n"
    }
}
