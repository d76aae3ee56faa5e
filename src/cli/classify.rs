//! `densenet classify`: pictures to labels.

use std::path::PathBuf;

use clap::Args;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::device::DeviceOptions;
use super::exit::{FAILED, Stop, WELL};
use super::heatmap::{HeatmapOptions, Heatmaps};
use super::inputs;
use super::message;
use super::model::{self, DescriptionOptions, ModelOptions};
use super::output::Output;
use super::reader::Reader;
use super::rows::{HeatmapFiles, Outcome, RowFormat, Rows};
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
    #[command(flatten)]
    heatmap: HeatmapOptions,
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
    let (graph, weights) = if options.heatmap.is_asked() {
        model.with_class_maps(height, width)?
    } else {
        (model.graph(height, width)?, std::mem::take(&mut model.weights))
    };
    let legend = model.legend();
    let heatmaps = options.heatmap.begin(&legend, &preprocessing, &graph)?;
    let runner = options.device.runner(&graph, &weights, true)?;

    let rows = Rows { format: options.format, legend, model: model.name, output: Output::new() };
    let batch = options.stream.batch(&graph);
    let count = inputs.len();
    let reader = Reader::new(inputs, preprocessing, batch)?.keeping(heatmaps.is_some());
    let mut classification = Classification { rows, top_k: options.top_k as usize, heatmaps, failed: 0, unwritten: 0 };
    let finished = classification.rows.begin().and_then(|()| stream(reader, batch, &runner, |inputs| classification.finish_batch(inputs)));
    classification.finish(finished, count)
}

/// Rows under way.
struct Classification {
    rows: Rows,
    top_k: usize,
    heatmaps: Option<Heatmaps>,
    failed: usize,
    /// Inputs that have a row, but not all of their heatmaps.
    unwritten: usize,
}

/// What a row says, the heatmaps that were written, and what went wrong with others.
struct Row {
    path: PathBuf,
    outcome: Outcome,
    heatmaps: Vec<HeatmapFiles>,
    errors: Vec<String>,
}

impl Classification {
    /// Writes the rows of inputs that ran together, and their heatmaps, on every core.
    fn finish_batch(&mut self, inputs: Vec<Finished>) -> Result<(), Stop> {
        let rows: Vec<Row> = inputs.into_par_iter().map(|input| self.row(input)).collect();
        for Row { path, outcome, heatmaps, errors } in rows {
            self.failed += usize::from(outcome.is_err());
            self.unwritten += usize::from(!errors.is_empty());
            errors.iter().for_each(|error| message::error(&format!("{}: {error}", path.display())));
            self.rows.write(&path, &outcome, self.heatmaps.is_some().then_some(heatmaps.as_slice()))?;
        }
        Ok(())
    }

    fn row(&self, input: Finished) -> Row {
        let logits = input.outputs.as_ref().map_err(String::clone);
        let top = |outputs: &Vec<Vec<f32>>| self.rows.legend.top_k(&outputs[0], self.top_k).map_err(|error| error.to_string());
        let outcome: Outcome = logits.and_then(top);
        let written = self.heatmaps.as_ref().zip(outcome.as_ref().ok()).map(|(heatmaps, top)| heatmaps.write(&input, top));
        let (heatmaps, errors) = written.unwrap_or_default();
        Row { path: input.path, outcome, heatmaps, errors }
    }

    /// The exit status; on standard error, how many inputs failed.
    fn finish(self, finished: Result<(), Stop>, inputs: usize) -> Result<u8, Stop> {
        match finished {
            Err(Stop::ReaderGone) => {}
            Err(stop) => return Err(stop),
            Ok(()) => {
                if self.failed > 0 {
                    message::error(&format!("{} of {inputs} inputs failed; their rows say why", self.failed));
                }
                if self.unwritten > 0 {
                    message::error(&format!("{} of {inputs} inputs have not all of their heatmaps", self.unwritten));
                }
            }
        }
        Ok(if self.failed + self.unwritten > 0 { FAILED } else { WELL })
    }
}
