//! `densenet embed`: pictures to features.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use densenet_wgpu::Prediction;
use densenet_wgpu::internal::{FEATURES, WholeFile};
use serde::Serialize;

use crate::arguments::Size;
use crate::device::DeviceOptions;
use crate::exit::{FAILED, SUCCESS, Stop};
use crate::inputs::{self, Inputs, ShardOptions, Subject};
use crate::interrupt;
use crate::message;
use crate::model::{Described, ModelOptions, PreprocessingOptions};
use crate::npy::Stack;
use crate::pictures::PictureOptions;
use crate::rows::{Model, notes};
use crate::stream::{BatchOptions, Finished, Stream};
use crate::terminal::progress::Progress;

/// Turn pictures into feature vectors, the input of the network's classifier
///
/// OUT has one row per picture. A second file, with the ending .jsonl, says which picture each row belongs to: {"row":0,"path":"..."} on
/// each line. Pictures that fail have no row; if all fail, nothing is written. OUT may replace a .npy file, and the second file one from an
/// earlier run. The default model is densenet121, trained on ImageNet: 32 MB, downloaded once.
#[derive(Args)]
#[command(after_help = "\
Examples:
  # 1024 numbers per picture, and features.jsonl, which says which picture they belong to
  densenet embed photos --output features.npy

  # your own model, and a list of pictures
  find . -name '*.jpg' | densenet embed - --model best.pth --output features.npy")]
pub(crate) struct Options {
    /// Files, folders, patterns, or `-` to read paths from standard input
    ///
    /// A folder stands for every picture in it and its subfolders, a pattern such as 'a*/*.jpg' for everything it matches. A list has one
    /// path per line.
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    shard: ShardOptions,
    #[command(flatten)]
    model: ModelOptions,
    /// The .npy file to write: float32 [N, features]
    #[arg(long, short, value_name = "OUT", help_heading = "Output", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    #[command(flatten)]
    device: DeviceOptions,
    #[command(flatten)]
    batch: BatchOptions,
    #[command(flatten)]
    pictures: PictureOptions,
    #[command(flatten)]
    preprocessing: PreprocessingOptions,
}

/// Writes the features of every readable input, in order.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let mut model = options.model.open_features_or_default()?;
    let inputs = inputs::expand(&options.paths, options.shard.shard)?;
    let Described { preprocessing, options: described, .. } = options.preprocessing.describe(&mut model)?;
    let preprocessing = options.pictures.sized(preprocessing);
    let Size { height, width } = options.pictures.size.unwrap_or_else(|| Size::of(Some(&preprocessing)));
    let graph = model.graph(height, width)?;
    let mut features = Features::create(options.output, Model::from(&model), graph.shape(graph.find(FEATURES)?).channels)?;
    let classifier_options = options.batch.applied_to(options.pictures.applied_to(described)).with_features(true);
    let classifier = options.device.classifier(model, classifier_options)?;

    let count = inputs.len();
    let progress = Progress::begin(Some(count), 0);
    let inputs = Inputs::Listed(inputs.into_iter());
    let (mut written, mut failed) = (0, 0);
    let failure = Stream { classifier: &classifier, inputs, dump: None, progress }.run(|inputs| {
        inputs.into_iter().try_for_each(|Finished { subject, prediction, .. }| match prediction.and_then(finite) {
            Ok(prediction) => {
                written += 1;
                features.push(&subject, &prediction)
            }
            Err(error) => {
                failed += 1;
                message::error(&format!("{subject}: {error}"));
                Ok(())
            }
        })
    })?;
    if written > 0 || count == 0 {
        features.finish()?;
    } else {
        message::note(&format!("{}: no input has a row; nothing is written", features.output.display()));
    }
    if failed > 0 {
        message::error(&format!("{failed} of {count} inputs failed; they have no row"));
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    if let Some(status) = interrupt::status() {
        message::note(&format!("stopped by a signal: {written} of {count} inputs have a row"));
        return Ok(status);
    }
    Ok(if failed > 0 { FAILED } else { SUCCESS })
}

/// The prediction, if all of its features are finite.
fn finite(prediction: Prediction) -> Result<Prediction, String> {
    let values = prediction.features().unwrap_or_default();
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(format!("expected a picture with finite features, found {} for feature {index}", values[index])),
        None => Ok(prediction),
    }
}

/// Writes features to two files: their values, and which picture each row belongs to.
struct Features {
    output: PathBuf,
    paths_output: PathBuf,
    table: Stack,
    paths: BufWriter<WholeFile>,
    model: Model,
    columns: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    row: usize,
    #[serde(flatten)]
    subject: &'a Subject,
    model: &'a str,
    identity: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [&'static str],
}

/// How the list of paths begins.
const LIST_BEGIN: &[u8] = br#"{"row":"#;

impl Features {
    /// Creates both files.
    fn create(output: PathBuf, model: Model, columns: usize) -> Result<Self, Stop> {
        let paths_output = output.with_extension("jsonl");
        if paths_output == output {
            return Err(Stop::refused(format!(
                "{}: expected an ending other than .jsonl, which the list of paths has; .npy is usual",
                output.display()
            )));
        }
        let table = Stack::create(&output).map_err(|error| Stop::in_file(&output, error))?;
        is_a_list(&paths_output)?;
        let paths = WholeFile::create(&paths_output).map_err(|error| Stop::in_file(&paths_output, error))?;
        Ok(Self { output, paths_output, table, paths: BufWriter::new(paths), model, columns })
    }

    fn push(&mut self, subject: &Subject, prediction: &Prediction) -> Result<(), Stop> {
        let Model { name: model, identity } = &self.model;
        let row = Row { row: self.table.arrays(), subject, model, identity, notes: notes(prediction) };
        // A line end in a path is escaped.
        let line = serde_json::to_string(&row).map_err(Stop::failed)?;
        writeln!(self.paths, "{line}").map_err(|error| Stop::unwritten(&self.paths_output, error))?;
        self.table.push(prediction.features().unwrap_or_default()).map_err(|error| Stop::unwritten(&self.output, error))
    }

    /// Moves both files into place.
    fn finish(self) -> Result<(), Stop> {
        let Self { output, paths_output, table, paths, columns, .. } = self;
        let rows = table.arrays();
        let paths = paths.into_inner().map_err(|error| Stop::unwritten(&paths_output, error.error()))?;
        paths.finish().map_err(|error| Stop::unwritten(&paths_output, error))?;
        table.finish(&[columns]).map_err(|error| Stop::unwritten(&output, error))?;
        message::note(&format!("{}: [{rows}, {columns}]; {}: their paths", output.display(), paths_output.display()));
        Ok(())
    }
}

/// Errors if the file at `path` is not a list from an earlier run: its name is derived, so it may be the output of another command.
fn is_a_list(path: &Path) -> Result<(), Stop> {
    let mut begin = Vec::new();
    if path.is_file() {
        let read = File::open(path).and_then(|file| file.take(LIST_BEGIN.len() as u64).read_to_end(&mut begin));
        read.map_err(|error| Stop::in_file(path, error))?;
    }
    if begin.is_empty() || begin == LIST_BEGIN {
        return Ok(());
    }
    let remedy = "give --output another name";
    Err(Stop::in_file(path, format!("expected no file of that name, or the list of an earlier embed, found another; {remedy}")))
}
