//! `densenet classify`: pictures to labels.

mod heatmap;

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use densenet_wgpu::{Classifier, ClassifierOptions};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::arguments::Size;
use crate::device::DeviceOptions;
use crate::dump::Dump;
use crate::exit::{FAILED, SUCCESS, Stop};
use crate::inputs::{self, Input, Inputs, Requests, ShardOptions, Subject};
use crate::interrupt;
use crate::message;
use crate::model::{Described, DescriptionOptions, ModelOptions, assumed};
use crate::output::Output;
use crate::pictures::{PictureOptions, ViewOptions};
use crate::rows::resume::{Expected, Resumed};
use crate::rows::{Answer, HeatmapFiles, Model, Outcome, RowFormat, Rows, Settings, notes};
use crate::stream::{BatchOptions, Finished, Stream};
use crate::terminal::progress::Progress;
use heatmap::{HeatmapOptions, Heatmaps};

/// Classify pictures
///
/// Prints the top classes of each picture, in the order of the inputs. The default model is densenet121, trained on ImageNet: 32 MB,
/// downloaded once. A picture that cannot be read gets an error in its row and does not affect the others; the exit status is then 1.
#[derive(Args)]
#[command(after_help = "\
Examples:
  # any photo
  densenet classify cat.jpg

  # a folder and a pattern, with your own model
  densenet classify photos 'more/*.jpg' --model best.pth --labels classes.txt

  # JSON and CSV for other programs; paths from standard input
  find . -name '*.png' | densenet classify - --model digits --format json
  densenet classify photos --top-k 1 --format csv > photos.csv

  # many pictures: repeat the command to continue after Ctrl-C or a crash; one of eight parts, as an array job
  densenet classify photos --resume photos.csv
  densenet classify scans --shard $SLURM_ARRAY_TASK_ID/8 --resume scans-$SLURM_ARRAY_TASK_ID.jsonl

  # heatmaps: where in the picture
  densenet classify cat.jpg --heatmap maps")]
pub(crate) struct Options {
    /// Files, folders, patterns, or `-` to read paths from standard input
    ///
    /// A folder stands for every picture in it and its subfolders, a pattern such as 'a*/*.jpg' for everything it matches. A list has one
    /// path per line.
    #[arg(value_name = "PATH", required_unless_present = "stdin_jsonl", value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    shard: ShardOptions,
    /// Classify pictures sent by another program
    ///
    /// Each line of standard input is a request, {"id":...,"path":...} or {"id":...,"b64":...}. Each is answered with a line of JSON that
    /// has the same id, as soon as its batch is done. A batch never waits for a line that has not arrived.
    #[arg(long, conflicts_with_all = ["paths", "shard", "resume"], help_heading = "Input")]
    stdin_jsonl: bool,
    #[command(flatten)]
    model: ModelOptions,
    #[command(flatten)]
    description: DescriptionOptions,
    #[command(flatten)]
    pictures: PictureOptions,
    #[command(flatten)]
    views: ViewOptions,
    #[command(flatten)]
    device: DeviceOptions,
    #[command(flatten)]
    batch: BatchOptions,
    /// Number of classes to print per picture
    #[arg(long, short = 'k', value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Output")]
    top_k: u32,
    /// Output format
    ///
    /// Default: text; json with --stdin-jsonl; with --resume csv if the name of its file ends in .csv, otherwise json.
    #[arg(long, short, value_enum, help_heading = "Output")]
    format: Option<RowFormat>,
    /// Append rows to a file, continuing where it ends
    ///
    /// Inputs that already have a row are skipped, so an interrupted run continues when its command is repeated. A row that a crash left
    /// incomplete is written again. The file is created if it does not exist.
    #[arg(long, value_name = "OUT", conflicts_with = "dump_input", help_heading = "Output", value_hint = ValueHint::FilePath)]
    resume: Option<PathBuf>,
    /// Also write the network's input to a .npy file
    ///
    /// Float32 [N, C, H, W]: one entry per readable input, in order, or ten with --ten-crop, two with --flip. Inputs that fail have none.
    #[arg(long, value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    dump_input: Option<PathBuf>,
    #[command(flatten)]
    heatmap: HeatmapOptions,
}

/// Classifies every input, in order; one row each.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let format = options.format()?;
    let mut model = options.model.open_or_default()?;
    let Some(classes) = model.config.num_classes else {
        let found = "expected a model with a classifier, found one that ends in features; `densenet embed` writes those";
        return Err(Stop::refused(format!("{}: {found}", model.name)));
    };
    let inputs = if options.stdin_jsonl { None } else { Some(inputs::expand(&options.paths, options.shard.shard)?) };
    let Described { preprocessing, options: described, .. } = options.description.describe(&mut model)?;
    let preprocessing = options.pictures.sized(preprocessing);
    options.views.check(&preprocessing)?;
    let Size { height, width } = options.pictures.size.unwrap_or_else(|| Size::of(Some(&preprocessing)));
    // Fails early if the size is too small, before anything is written or opened.
    model.graph(height, width)?;
    let postprocessing = model.postprocessing();
    let heatmaps = options.heatmap.begin(&postprocessing, classes)?;

    let classifier_options = options.applied_to(described);
    let settings = Settings::of(&model, &preprocessing, &classifier_options)?;
    let rows =
        Rows { format, postprocessing, model: Model::from(&model), settings, assumed: assumed::names(&model), output: Output::new() };
    let mut classification = Classification { rows, top_k: options.top_k as usize, heatmaps, written: 0, failed: 0, unmapped: 0 };
    let total = inputs.as_ref().map(Vec::len);
    let inputs = match inputs {
        Some(inputs) => Inputs::Listed(classification.begin(inputs, options.resume.as_deref(), classes)?.into_iter()),
        None => Inputs::Sent(Requests::from_stdin(options.pictures.decoding().max_file_bytes)),
    };
    if inputs.known_count() == Some(0) {
        return classification.finish(Ok(None), total, options.resume.is_some());
    }
    let classifier = options.device.classifier(model, classifier_options)?;
    let shape = [preprocessing.channels, height, width];
    let dump = options.dump_input.as_deref().map(|path| Dump::create(path, shape)).transpose()?;

    let progress = Progress::begin(
        total.filter(|_| options.resume.is_some() || !Output::is_piped()),
        total.zip(inputs.known_count()).map_or(0, |(total, left)| total - left),
    );
    let stream = Stream { classifier: &classifier, inputs, dump, progress };
    let finished = stream.run(|inputs| classification.finish_batch(&classifier, inputs));
    classification.finish(finished, total, options.resume.is_some())
}

impl Options {
    /// A classifier's options with all flags applied.
    fn applied_to(&self, described: ClassifierOptions) -> ClassifierOptions {
        let options = self.batch.applied_to(self.pictures.applied_to(described));
        let options = self.views.applied_to(options).with_inputs(self.dump_input.is_some());
        self.heatmap.applied_to(options)
    }

    /// How rows are written: by `--format`, otherwise in the format that suits their reader.
    fn format(&self) -> Result<RowFormat, Stop> {
        let is_csv = |path: &Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        let own = match &self.resume {
            Some(path) if is_csv(path) => RowFormat::Csv,
            Some(_) => RowFormat::Json,
            None if self.stdin_jsonl => RowFormat::Json,
            None => RowFormat::Text,
        };
        match self.format.unwrap_or(own) {
            RowFormat::Text if self.resume.is_some() => {
                Err(Stop::refused("--resume: expected --format json or csv, whose rows can be read again, found text"))
            }
            format if self.stdin_jsonl && format != RowFormat::Json => {
                let found = if format == RowFormat::Csv { "csv" } else { "text" };
                Err(Stop::refused(format!("--stdin-jsonl: expected --format json, in which each line is answered, found {found}")))
            }
            format => Ok(format),
        }
    }
}

/// Classification of a run's inputs, and its rows.
struct Classification {
    rows: Rows,
    top_k: usize,
    heatmaps: Option<Heatmaps>,
    /// Inputs that have a row.
    written: usize,
    /// Inputs whose row has an error.
    failed: usize,
    /// Inputs that lack some of their heatmaps.
    unmapped: usize,
}

/// A row, the heatmaps that were written, and errors of others.
struct Row {
    subject: Subject,
    outcome: Outcome,
    heatmaps: Vec<HeatmapFiles>,
    errors: Vec<String>,
}

impl Classification {
    /// Writes what comes before the first row, and returns the inputs that have no row in the file to resume.
    fn begin(&mut self, inputs: Vec<Input>, resume: Option<&Path>, classes: usize) -> Result<Vec<Input>, Stop> {
        let Some(path) = resume else {
            self.rows.begin()?;
            return Ok(inputs);
        };
        let classes = self.rows.postprocessing.top_k(&vec![0.0; classes], self.top_k)?.len();
        let expected = Expected { format: self.rows.format, model: &self.rows.model, settings: &self.rows.settings, classes };
        let mut resumed = Resumed::open(path, &expected)?;
        let left = resumed.left_of(inputs);
        message::note(&format!("{}: {} rows exist, {} inputs are left", path.display(), resumed.rows, left.len()));
        if self.heatmaps.is_some() && resumed.rows > 0 {
            message::warning("--heatmap: inputs that have a row already get no heatmaps");
        }
        (self.written, self.failed) = (resumed.rows, resumed.failed);
        self.rows.output = Output::to_file(path.into(), resumed.file);
        if resumed.is_empty {
            self.rows.begin()?;
        }
        Ok(left)
    }

    /// Writes the rows of a batch, and its heatmaps in parallel.
    fn finish_batch(&mut self, classifier: &Classifier, inputs: Vec<Finished>) -> Result<(), Stop> {
        let rows: Vec<Row> = inputs.into_par_iter().map(|input| self.row(classifier, input)).collect();
        for Row { subject, outcome, heatmaps, errors } in rows {
            self.failed += usize::from(outcome.is_err());
            self.unmapped += usize::from(!errors.is_empty());
            errors.iter().for_each(|error| message::error(&format!("{subject}: {error}")));
            self.rows.write(&subject, &outcome, self.heatmaps.is_some().then_some(heatmaps.as_slice()))?;
            self.written += 1;
        }
        Ok(())
    }

    fn row(&self, classifier: &Classifier, Finished { number, subject, prediction }: Finished) -> Row {
        let prediction = match prediction {
            Ok(prediction) => prediction,
            Err(error) => return Row { subject, outcome: Err(error), heatmaps: Vec::new(), errors: Vec::new() },
        };
        let answer = |top| Answer { top, notes: notes(&prediction) };
        let outcome: Outcome = prediction.top_k(self.top_k).map(answer).map_err(|error| error.to_string());
        let written = self.heatmaps.as_ref().zip(outcome.as_ref().ok());
        let written = written.map(|(heatmaps, answer)| heatmaps.write(classifier, number, &subject, &prediction, &answer.top));
        let (heatmaps, errors) = written.unwrap_or_default();
        Row { subject, outcome, heatmaps, errors }
    }

    /// Reports on standard error how many inputs failed or have no row yet. Returns the exit status.
    fn finish(self, finished: Result<Option<Stop>, Stop>, total: Option<usize>, resumes: bool) -> Result<u8, Stop> {
        let failure = match finished {
            Err(Stop::ReaderGone) => return Ok(self.status()),
            Err(stop) => return Err(stop),
            Ok(failure) => failure,
        };
        if self.failed > 0 {
            message::error(&format!("{} of {} inputs failed; their rows say why", self.failed, self.written));
        }
        if self.unmapped > 0 {
            message::error(&format!("{} of {} inputs lack some of their heatmaps", self.unmapped, self.written));
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        let Some(status) = interrupt::status() else { return Ok(self.status()) };
        let of = total.map_or(String::new(), |total| format!(" of {total}"));
        let remedy = match total {
            Some(total) if self.written < total && resumes => "; the same command continues",
            Some(total) if self.written < total => "; --resume OUT keeps rows in a file and continues where they end",
            _ => "",
        };
        message::note(&format!("stopped by a signal: {}{of} inputs have a row{remedy}", self.written));
        Ok(status)
    }

    fn status(&self) -> u8 {
        if self.failed + self.unmapped > 0 { FAILED } else { SUCCESS }
    }
}
