//! `densenet classify`: pictures to labels.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use clap::Args;
use densenet_wgpu::EngineOptions;
use densenet_wgpu::image::{Input as Tensor, Picture};
use densenet_wgpu::weights::Preprocessing;
use rayon::prelude::*;

use super::device::{DeviceOptions, Runner, images_at_once};
use super::exit::{FAILED, Stop, WELL};
use super::inputs::{self, Input};
use super::message;
use super::model::{self, DescriptionOptions, ModelOptions};
use super::output::Output;
use super::rows::{Outcome, RowFormat, Rows};
use super::size::Size;

/// Classify pictures
#[derive(Args)]
#[command(after_help = "\
Without --model it is densenet121, trained on ImageNet; it is fetched once, 32 MB.

Example: densenet classify photos 'more/*.jpg' --model digits --top-k 1 --format csv
         find . -name '*.png' | densenet classify - --model digits --format json")]
pub(crate) struct Options {
    /// Files, folders (with all folders in them), patterns, or `-` for a list of paths on standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    device: DeviceOptions,
    /// Classes to print for each picture
    #[arg(long, short = 'k', value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,
    /// How to print
    #[arg(long, short, value_enum, default_value_t = RowFormat::Text)]
    format: RowFormat,
    /// Pictures that run at once
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Height and width that the network sees; default: the model's own
    #[arg(long, value_name = "HxW")]
    size: Option<Size>,
    #[command(flatten)]
    description: DescriptionOptions,
}

/// The published model for pictures of anything.
const DEFAULT_MODEL: &str = "densenet121";

/// Classifies every input, in order; one row each.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let mut model = options.model.open_or(DEFAULT_MODEL)?;
    if model.config.num_classes.is_none() {
        return Err(Stop::refused(format!("{}: expected a model with a classifier, found one that ends in features", model.name)));
    }
    let inputs = inputs::expand(&options.paths)?;
    let own = options.description.describe(&mut model)?.preprocessing;
    let preprocessing = options.size.map_or_else(|| own.clone(), |size| own.sized(size.height, size.width));
    let Size { height, width } = model::size(options.size, Some(&preprocessing));
    let graph = model.graph(height, width)?;
    let runner = options.device.runner(&graph, &model.weights, EngineOptions::default())?;

    let rows = Rows { format: options.format, legend: model.legend(), model: model.name, output: Output::new() };
    // Threads of their own: a slow disk must not keep those of the reference waiting.
    let readers = rayon::ThreadPoolBuilder::new().build().map_err(Stop::refused)?;
    let batch = images_at_once(options.batch, graph.input_shape());
    let (sender, receiver) = sync_channel(1);
    let mut classification = Classification { rows, runner, top_k: options.top_k as usize, failed: 0 };
    let finished = thread::scope(|scope| {
        // The receiver moves into the scope's closure: when rows end early, the reader's next send fails and it ends too.
        let receiver = receiver;
        scope.spawn(|| readers.install(|| read_ahead(&inputs, batch, &preprocessing, sender)));
        classification.rows.begin()?;
        receiver.iter().try_for_each(|pictures: Vec<Read>| {
            let batches = pictures.chunk_by(Read::runs_with).flat_map(|alike| alike.chunks(batch));
            batches.into_iter().try_for_each(|batch| classification.classify(batch))
        })
    });
    classification.finish(finished, inputs.len())
}

/// An input after it was read: the network's input, or why there is none.
struct Read {
    path: PathBuf,
    tensor: Result<Tensor, String>,
}

impl Read {
    fn of(input: &Input, preprocessing: &Preprocessing) -> Self {
        let tensor = input.error.clone().map_or_else(|| read(&input.path, preprocessing), Err);
        Self { path: input.path.clone(), tensor }
    }

    /// Whether both can be in one batch.
    fn runs_with(&self, other: &Self) -> bool {
        match (&self.tensor, &other.tensor) {
            (Ok(a), Ok(b)) => (a.height, a.width) == (b.height, b.width),
            (Err(_), Err(_)) => true,
            _ => false,
        }
    }
}

/// Reads a picture. The messages leave the path to the row.
fn read(path: &Path, preprocessing: &Preprocessing) -> Result<Tensor, String> {
    if path.is_dir() {
        return Err("expected a picture, found a folder".into());
    }
    let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let tensor = Picture::from_file(file).and_then(|picture| preprocessing.apply(&picture));
    tensor.map_err(|error| error.to_string())
}

/// Reads pictures on all threads while the device computes, a few batches at a time, and sends them in order.
fn read_ahead(inputs: &[Input], batch: usize, preprocessing: &Preprocessing, sender: SyncSender<Vec<Read>>) {
    let at_once = batch * rayon::current_num_threads().div_ceil(batch);
    for some in inputs.chunks(at_once) {
        let read = some.par_iter().map(|input| Read::of(input, preprocessing)).collect();
        if sender.send(read).is_err() {
            return;
        }
    }
}

/// Rows under way.
struct Classification {
    rows: Rows,
    runner: Runner,
    top_k: usize,
    failed: usize,
}

impl Classification {
    /// Runs pictures of one size together and writes their rows.
    fn classify(&mut self, batch: &[Read]) -> Result<(), Stop> {
        let outcomes = self.outcomes(batch);
        for (read, outcome) in batch.iter().zip(outcomes) {
            self.failed += usize::from(outcome.is_err());
            self.rows.write(&read.path, &outcome)?;
        }
        Ok(())
    }

    fn outcomes(&self, batch: &[Read]) -> Vec<Outcome> {
        let Some(Ok(Tensor { height, width, .. })) = batch.first().map(|read| &read.tensor) else {
            let error = |read: &Read| Err(read.tensor.as_ref().err().cloned().unwrap_or_default());
            return batch.iter().map(error).collect();
        };
        let values: Vec<f32> = batch.iter().filter_map(|read| read.tensor.as_ref().ok()).flat_map(|t| &t.values).copied().collect();
        match self.runner.run(&values, *height, *width) {
            Err(error) => vec![Err(error.to_string()); batch.len()],
            Ok(logits) => {
                let top = |logits| self.rows.legend.top_k(logits, self.top_k).map_err(|error| error.to_string());
                logits.chunks_exact((logits.len() / batch.len()).max(1)).map(top).collect()
            }
        }
    }

    /// The exit status; on standard error, how many inputs failed.
    fn finish(self, finished: Result<(), Stop>, inputs: usize) -> Result<u8, Stop> {
        match finished {
            Err(Stop::ReaderGone) => {}
            Err(stop) => return Err(stop),
            Ok(()) if self.failed > 0 => message::error(&format!("{} of {inputs} inputs failed; their rows say why", self.failed)),
            Ok(()) => {}
        }
        Ok(if self.failed > 0 { FAILED } else { WELL })
    }
}
