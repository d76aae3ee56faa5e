//! `densenet tune`: the fastest kernels for a network on a device.

use std::time::{Duration, Instant};

use clap::Args;
use densenet_wgpu::tuning::{check_tuning, device_tuning, forget_tuning};
use densenet_wgpu::{Engine, Error, Gpu, Precision};

use super::device::{Device, DeviceOptions, Runner, no_gpu};
use super::exit::{Stop, WELL};
use super::message;
use super::network::NetworkOptions;
use super::output::Output;
use super::size::Size;
use super::terminal::paint::{HEADING, paint};

/// Measure which kernels are the fastest on this device, and use them from now on
///
/// Kernels are chosen by a rule until a network of their kind has been tuned on the device. What is found is kept for the
/// device, its driver and this version, in the folder that DENSENET_CACHE_DIR names, which must be one that can be written to;
/// --forget returns to the rule.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet tune --arch densenet121 --batch 1,32

  # back to the rule
  densenet tune --forget")]
pub(crate) struct Options {
    #[command(flatten)]
    network: NetworkOptions,
    /// Images that run at once
    ///
    /// Several numbers are measured one after the other.
    #[arg(long, short, value_name = "N", value_delimiter = ',', default_values_t = [1], value_parser = clap::value_parser!(u32).range(1..), help_heading = "Measurement")]
    batch: Vec<u32>,
    #[command(flatten)]
    device: DeviceOptions,
    /// Forget what was found on this device
    #[arg(long, conflicts_with_all = ["model", "arch", "batch", "size"], help_heading = "Measurement")]
    forget: bool,
}

/// Measures, prints and keeps.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    if options.forget {
        let Device::Gpu(gpu) = options.device.open()? else { return Err(no_gpu("with kernels to choose from")) };
        return forget(&gpu);
    }
    let model = options.network.open()?;
    let Size { height, width } = options.network.size(model.preprocessing.as_ref());
    let graph = model.graph(height, width)?;
    let device = options.device.open()?;
    let Device::Gpu(gpu) = &device else { return Err(no_gpu("with kernels to choose from")) };
    // Before minutes are spent on what would be lost.
    check_tuning(gpu).map_err(|error| Stop::refused(unkept(&error)))?;
    let Runner::Gpu(engine) = options.device.runner_on(&device, &graph, &model.weights, true)? else {
        return Err(no_gpu("with kernels to choose from"));
    };
    let mut output = Output::new();
    for &batch in &options.batch {
        output.text(&table(&engine, batch as usize, height, width)?)?;
    }
    let tuned = engine.tuning();
    if device_tuning(gpu, tuned.precision()).fastest() != tuned.fastest() {
        check_tuning(gpu).map_err(|error| Stop::failed(unkept(&error)))?;
        return Err(Stop::failed("what was found could not be kept: another process may have tuned the same device; tune again"));
    }
    Ok(WELL)
}

fn forget(gpu: &Gpu) -> Result<u8, Stop> {
    forget_tuning(gpu);
    let is_kept = |precision| !device_tuning(gpu, precision).fastest().is_empty();
    if is_kept(Precision::F32) || is_kept(Precision::F16) {
        check_tuning(gpu).map_err(|error| Stop::refused(unkept(&error)))?;
        return Err(Stop::failed("what was found is still there: another process may have tuned the same device; try again"));
    }
    message::note(&format!("{}: kernels are chosen by the rule", gpu.summary().name));
    Ok(WELL)
}

/// What to do where nothing can be kept.
fn unkept(error: &Error) -> String {
    format!("{error}; set DENSENET_CACHE_DIR to a folder that can be written to")
}

/// So long nothing is said of how far it is.
const SILENCE: Duration = Duration::from_secs(10);

/// One line for each class of convolutions: the fastest tile, how long it takes, and how much longer the others do.
fn table(engine: &Engine, batch: usize, height: usize, width: usize) -> densenet_wgpu::Result<String> {
    let mut text = String::new();
    let mut said: Option<Instant> = None;
    let watch = |measured, count| {
        if said.is_none_or(|said| said.elapsed() > SILENCE) {
            message::note(&format!("batch {batch}: {measured} of {count} kernels are measured"));
            said = Some(Instant::now());
        }
    };
    for (class, timings) in engine.tune_watched(batch, height, width, watch)? {
        let best = timings[0].seconds;
        let others = timings[1..].iter().map(|timing| format!("{} x{:.2}", timing.tile, timing.seconds / best));
        let others = others.collect::<Vec<_>>().join(", ");
        text += &format!("{}\n  {:.3} ms  {}\n", paint(HEADING, &class.to_string()), best * 1e3, timings[0].tile);
        if !others.is_empty() {
            text += &format!("  others: {others}\n");
        }
    }
    Ok(text)
}
