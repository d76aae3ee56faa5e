//! `densenet classify`: pictures to labels.
//!
//! Three stages work at the same time: the [`Reader`]'s threads read pictures, one thread starts batches on the device,
//! and this one waits for results and writes rows, so that the device has a batch to go on with, and a finished row
//! waits for no later picture. In memory are at the most four batches of pictures in 8 bits, and with each of the
//! reader's threads one more and a picture as large as its file made it.

use std::iter::Peekable;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use clap::Args;
use densenet_wgpu::Samples;
use densenet_wgpu::image::Prepared;

use super::device::{DeviceOptions, Run, Runner, images_at_once};
use super::exit::{FAILED, Stop, WELL};
use super::inputs;
use super::message;
use super::model::{self, DescriptionOptions, ModelOptions};
use super::output::Output;
use super::reader::{Read, Reader};
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
    let runner = options.device.runner(&graph, &model.weights, true)?;

    let rows = Rows { format: options.format, legend: model.legend(), model: model.name, output: Output::new() };
    let batch = images_at_once(options.batch, graph.input_shape());
    let count = inputs.len();
    let reader = Reader::new(inputs, preprocessing, batch)?;
    let mut classification = Classification { rows, top_k: options.top_k as usize, failed: 0 };
    let finished = thread::scope(|scope| {
        // A batch is handed over when the one before it is done: the device has two, and no more.
        let (sender, receiver) = sync_channel(0);
        scope.spawn(|| start(reader, batch, &runner, sender));
        classification.rows.begin()?;
        receiver.iter().try_for_each(|batch| classification.finish_batch(batch))
    });
    classification.finish(finished, count)
}

/// Starts batches as their pictures come, until there are no more or nobody waits for them.
fn start(reader: Reader, most: usize, runner: &Runner, sender: SyncSender<Batch>) {
    let mut reader = reader.peekable();
    while let Some(reads) = next_batch(&mut reader, most) {
        if sender.send(Batch::start(runner, reads)).is_err() {
            return;
        }
    }
}

/// The next inputs that can run together, at most `most`.
fn next_batch(reader: &mut Peekable<Reader>, most: usize) -> Option<Vec<Read>> {
    let mut batch = vec![reader.next()?];
    while batch.len() < most
        && let Some(read) = reader.next_if(|read| read.runs_with(&batch[0]))
    {
        batch.push(read);
    }
    Some(batch)
}

/// Inputs on their way to rows.
struct Batch {
    paths: Vec<PathBuf>,
    /// The run of all of them, or what went wrong with each.
    run: Result<Run, Vec<String>>,
}

impl Batch {
    fn start(runner: &Runner, reads: Vec<Read>) -> Self {
        let pictures: Vec<&Prepared> = reads.iter().filter_map(|read| read.picture.as_ref().ok()).collect();
        let run = match pictures.first() {
            None => Err(reads.iter().filter_map(|read| read.picture.as_ref().err().cloned()).collect()),
            Some(Prepared { picture, .. }) => {
                let samples: Vec<Samples> = pictures.iter().map(|picture| picture.samples()).collect();
                let run = runner.start(&samples, picture.height(), picture.width());
                run.map_err(|error| vec![error.to_string(); samples.len()])
            }
        };
        Self { paths: reads.into_iter().map(|read| read.path).collect(), run }
    }
}

/// Rows under way.
struct Classification {
    rows: Rows,
    top_k: usize,
    failed: usize,
}

impl Classification {
    /// Waits for a batch and writes its rows.
    fn finish_batch(&mut self, Batch { paths, run }: Batch) -> Result<(), Stop> {
        let logits = run.and_then(|run| run.wait().map_err(|error| vec![error.to_string(); paths.len()]));
        let logits = logits.map(|mut outputs| outputs.swap_remove(0));
        let outcomes: Vec<Outcome> = match logits {
            Err(errors) => errors.into_iter().map(Err).collect(),
            Ok(logits) => {
                let top = |logits| self.rows.legend.top_k(logits, self.top_k).map_err(|error| error.to_string());
                logits.chunks_exact((logits.len() / paths.len()).max(1)).map(top).collect()
            }
        };
        for (path, outcome) in paths.iter().zip(outcomes) {
            self.failed += usize::from(outcome.is_err());
            self.rows.write(path, &outcome)?;
        }
        Ok(())
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
