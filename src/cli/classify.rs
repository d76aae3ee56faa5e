//! `densenet classify`: pictures to labels.

use std::path::PathBuf;

use clap::Args;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::device::DeviceOptions;
use super::dump::Dump;
use super::exit::{FAILED, Stop, WELL};
use super::heatmap::{HeatmapOptions, Heatmaps};
use super::inputs;
use super::message;
use super::model::{self, DescriptionOptions, ModelOptions};
use super::output::Output;
use super::pictures::PictureOptions;
use super::reader::{Preparation, Reader};
use super::rows::{HeatmapFiles, Outcome, RowFormat, Rows};
use super::size::Size;
use super::stream::{Finished, Stream, StreamOptions};

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
    pictures: PictureOptions,
    /// Average the probabilities of ten crops: the corners and the centre, and those of the mirror image. A batch counts
    /// crops, and has ten at the least
    #[arg(long, conflicts_with = "heatmap")]
    ten_crop: bool,
    /// Also write what goes into the network to a .npy file: float32 [N, C, H, W], a row for each input that could be read,
    /// in order, or with --ten-crop ten; inputs that fail have none
    #[arg(long, value_name = "FILE")]
    dump_input: Option<PathBuf>,
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
    let preprocessing = options.pictures.sized(options.description.describe(&mut model)?.preprocessing);
    if options.ten_crop && preprocessing.crop.is_none() {
        let remedy = "--preprocess takes one with a crop";
        return Err(Stop::refused(format!("--ten-crop: expected a preprocessing with a crop, found: {preprocessing}; {remedy}")));
    }
    let Size { height, width } = model::size(options.pictures.size, Some(&preprocessing));
    let (graph, weights) = if options.heatmap.is_asked() {
        model.with_class_maps(height, width)?
    } else {
        (model.graph(height, width)?, std::mem::take(&mut model.weights))
    };
    let legend = model.legend();
    let shape = [preprocessing.channels, height, width];
    let preparation = Preparation { preprocessing, upright: options.pictures.exif, ten_crop: options.ten_crop };
    let heatmaps = options.heatmap.begin(&legend, &preparation, &graph)?;
    let runner = options.device.runner(&graph, &weights, true)?;
    let dump = options.dump_input.as_deref().map(|path| Dump::create(path, shape)).transpose()?;

    let rows = Rows { format: options.format, legend, model: model.name, output: Output::new() };
    let crops = if options.ten_crop { 10 } else { 1 };
    let batch = (options.stream.batch(&graph) / crops).max(1);
    let count = inputs.len();
    let reader = Reader::new(inputs, preparation, batch)?.keeping(heatmaps.is_some());
    let stream = Stream { reader, batch, dump };
    let mut classification = Classification { rows, top_k: options.top_k as usize, crops, heatmaps, failed: 0, unwritten: 0 };
    let finished = classification.rows.begin().and_then(|()| stream.run(&runner, |inputs| classification.finish_batch(inputs)));
    classification.finish(finished, count)
}

/// Rows under way.
struct Classification {
    rows: Rows,
    top_k: usize,
    /// Results that a picture has.
    crops: usize,
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
        let top = |outputs: &Vec<Vec<f32>>| self.rows.legend.top_k_of_crops(&outputs[0], self.crops, self.top_k);
        let outcome: Outcome = logits.and_then(|outputs| top(outputs).map_err(|error| error.to_string()));
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
