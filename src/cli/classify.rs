//! `densenet classify`: pictures to labels.

use std::path::PathBuf;

use clap::Args;

use super::device::DeviceOptions;
use super::exit::{FAILED, Stop, WELL};
use super::inputs;
use super::message;
use super::model::{self, DescriptionOptions, ModelOptions};
use super::output::Output;
use super::reader::Reader;
use super::rows::{Outcome, RowFormat, Rows};
use super::size::Size;
use super::stream::{Finished, StreamOptions, stream};

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
    #[command(flatten)]
    stream: StreamOptions,
    #[command(flatten)]
    description: DescriptionOptions,
}

/// The published model for pictures of anything.
pub(crate) const DEFAULT_MODEL: &str = "densenet121";

/// Classifies every input, in order; one row each.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let mut model = options.model.open_or(DEFAULT_MODEL)?;
    if model.config.num_classes.is_none() {
        return Err(Stop::refused(format!("{}: expected a model with a classifier, found one that ends in features", model.name)));
    }
    let inputs = inputs::expand(&options.paths)?;
    let own = options.description.describe(&mut model)?.preprocessing;
    let preprocessing = options.stream.size.map_or_else(|| own.clone(), |size| own.sized(size.height, size.width));
    let Size { height, width } = model::size(options.stream.size, Some(&preprocessing));
    let graph = model.graph(height, width)?;
    let runner = options.device.runner(&graph, &model.weights, true)?;

    let rows = Rows { format: options.format, legend: model.legend(), model: model.name, output: Output::new() };
    let batch = options.stream.batch(&graph);
    let count = inputs.len();
    let reader = Reader::new(inputs, preprocessing, batch)?;
    let mut classification = Classification { rows, top_k: options.top_k as usize, failed: 0 };
    let finished = classification.rows.begin().and_then(|()| stream(reader, batch, &runner, |input| classification.row(input)));
    classification.finish(finished, count)
}

/// Rows under way.
struct Classification {
    rows: Rows,
    top_k: usize,
    failed: usize,
}

impl Classification {
    /// Writes an input's row.
    fn row(&mut self, Finished { path, outputs }: Finished) -> Result<(), Stop> {
        let top = |outputs: Vec<Vec<f32>>| self.rows.legend.top_k(&outputs[0], self.top_k).map_err(|error| error.to_string());
        let outcome: Outcome = outputs.and_then(top);
        self.failed += usize::from(outcome.is_err());
        self.rows.write(&path, &outcome)
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
