//! `densenet tune`: the fastest kernels for a network on a device.

use std::time::{Duration, Instant};

use clap::Args;
use densenet_wgpu::tuning::{Timing, Tuned, TuningProgress, check_tuning, device_tuning, forget_timings, forget_tuning};
use densenet_wgpu::{Engine, Error, Gpu, Precision};

use crate::arguments::Size;
use crate::device::{Device, DeviceOptions, Runner};
use crate::exit::{SUCCESS, Stop};
use crate::message;
use crate::model::NetworkOptions;
use crate::output::Output;
use crate::terminal::paint::{HEADING, paint};
use crate::terminal::progress::Progress;

/// Measure which kernels are the fastest on this device, and use them from now on
///
/// Kernels are chosen by a rule until a network of their kind has been tuned on the device and was faster with the tuned kernels, which
/// is measured at the end. The result is kept for the device, its driver and this version, in the folder that DENSENET_CACHE_DIR
/// names, which must be writable; --forget returns to the rule. Measurements are kept as they are made: an interrupted tuning continues
/// where it stopped.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet tune --arch densenet121 --batch 1,32

  # back to the rule
  densenet tune --forget")]
pub(crate) struct Options {
    #[command(flatten)]
    network: NetworkOptions,
    /// Images per batch
    ///
    /// Several sizes are tuned one after the other.
    #[arg(long, short, value_name = "N", value_delimiter = ',', default_values_t = [1], value_parser = clap::value_parser!(u32).range(1..), help_heading = "Measurement")]
    batch: Vec<u32>,
    #[command(flatten)]
    device: DeviceOptions,
    /// Repeat what was already measured on this device
    #[arg(long, help_heading = "Measurement")]
    again: bool,
    /// Delete results and measurements for this device
    #[arg(long, conflicts_with_all = ["model", "arch", "batch", "size", "again"], help_heading = "Measurement")]
    forget: bool,
}

/// Measures, prints and saves the result.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    if options.forget {
        let Device::Gpu(gpu) = options.device.open()? else { return Err(options.device.asked().no_gpu("with kernels to choose from")) };
        return forget(&gpu);
    }
    let model = options.network.open()?;
    let Size { height, width } = options.network.size(model.preprocessing.as_ref());
    let graph = model.graph(height, width)?;
    let device = options.device.open()?;
    let Device::Gpu(gpu) = &device else { return Err(options.device.asked().no_gpu("with kernels to choose from")) };
    // Fail before spending minutes on a result that could not be saved.
    check_tuning(gpu).map_err(|error| Stop::refused(unkept(&error)))?;
    let Runner::Gpu(engine) = options.device.runner_on(&device, &graph, &model.weights, true)? else {
        return Err(options.device.asked().no_gpu("with kernels to choose from"));
    };
    if options.again {
        forget_timings(gpu);
    }
    let mut output = Output::new();
    for &batch in &options.batch {
        output.text(&table(&engine, batch as usize, height, width)?)?;
    }
    let tuned = engine.tuning();
    if device_tuning(gpu, tuned.precision()).fastest() != tuned.fastest() {
        check_tuning(gpu).map_err(|error| Stop::failed(unkept(&error)))?;
        return Err(Stop::failed("the result could not be kept: another process may have tuned the same device; tune again"));
    }
    Ok(SUCCESS)
}

fn forget(gpu: &Gpu) -> Result<u8, Stop> {
    forget_tuning(gpu);
    let is_kept = |precision| !device_tuning(gpu, precision).fastest().is_empty();
    if is_kept(Precision::F32) || is_kept(Precision::F16) {
        check_tuning(gpu).map_err(|error| Stop::refused(unkept(&error)))?;
        return Err(Stop::failed("the results are still there: another process may have tuned the same device; try again"));
    }
    message::note(&format!("{}: kernels are chosen by the rule", gpu.summary().name));
    Ok(SUCCESS)
}

/// What to do where nothing can be kept.
fn unkept(error: &Error) -> String {
    format!("{error}; set DENSENET_CACHE_DIR to a writable folder")
}

/// The time between two notes on progress, where there is no bar.
const SILENCE: Duration = Duration::from_secs(10);

/// Tunes for one batch size. Returns, for each class of convolutions, a line with the fastest tile and its time and one with the relative
/// times of the others, and finally the gain for the network.
fn table(engine: &Engine, batch: usize, height: usize, width: usize) -> densenet_wgpu::Result<String> {
    let mut bar: Option<Progress> = None;
    let mut said: Option<Instant> = None;
    let tuned = engine.tune_watched(batch, height, width, |at| {
        let bar = bar.get_or_insert_with(|| {
            if at.resumed > 0 {
                let (resumed, count) = (at.resumed, at.count);
                message::note(&format!("batch {batch}: {resumed} of {count} kernels were already measured (--again repeats them)"));
            }
            Progress::begin_parts(at.count, at.measured)
        });
        let next = next(&at);
        bar.at(at.measured, &next);
        if !bar.is_shown() && said.is_none_or(|said| said.elapsed() > SILENCE) {
            message::note(&format!("batch {batch}: {} of {} kernels are measured; next: {next}", at.measured, at.count));
            said = Some(Instant::now());
        }
    })?;
    drop(bar);
    let mut text = String::new();
    for (class, timings) in &tuned.timings {
        let best = timings[0].seconds;
        let other = |timing: &Timing| {
            let about = if timing.given_up { "about " } else { "" };
            format!("{} {about}x{:.2}", timing.tile, timing.seconds / best)
        };
        let others = timings[1..].iter().map(other).collect::<Vec<_>>().join(", ");
        text += &format!("{}\n  {:.3} ms  {}\n", paint(HEADING, class), best * 1e3, timings[0].tile);
        if !others.is_empty() {
            text += &format!("  others: {others}\n");
        }
    }
    Ok(text + &gain(&tuned, batch))
}

/// What is measured next, and the best time so far.
fn next(at: &TuningProgress<'_>) -> String {
    let Some((tile, class)) = at.next else { return "the network, by the rule and tuned".into() };
    let best = at.best.map_or(String::new(), |best| format!("; best so far: {}, {:.3} ms", best.tile, best.seconds * 1e3));
    format!("{tile} for {class}{best}")
}

/// The time of the network's convolutions by the rule and tuned, and which of the two is used from now on.
fn gain(tuned: &Tuned, batch: usize) -> String {
    let (by_rule, fastest) = (tuned.seconds_by_rule * 1e3, tuned.seconds_tuned * 1e3);
    let (speedup, noise) = (tuned.speedup(), tuned.noise);
    let outcome = if tuned.is_faster() {
        "kept".to_owned()
    } else if speedup > 1.0 && noise >= 1.01 {
        format!("not faster beyond noise, which is {:.0} %: the rule stays", (noise - 1.0) * 100.0)
    } else {
        "not faster: the rule stays".to_owned()
    };
    format!("batch {batch}: convolutions take {by_rule:.1} ms by the rule, {fastest:.1} ms tuned: {speedup:.2} times as fast; {outcome}\n")
}
