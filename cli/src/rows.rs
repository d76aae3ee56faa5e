//! The rows of `classify`: text, JSON lines or CSV.

pub(crate) mod resume;
pub(crate) mod settings;
mod text;

use clap::ValueEnum;
use densenet_wgpu::Checkpoint;
use densenet_wgpu::labels::{Legend, RankedClass};
use serde::Serialize;

use super::exit::Stop;
use super::inputs::Subject;
use super::output::Output;
use super::terminal::Terminal;
use settings::Settings;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// For reading.
    Text,
    /// One JSON object a line.
    Json,
    /// Comma-separated values, one line a class.
    Csv,
}

/// What became of one input: an answer, or why there is none.
pub(crate) type Outcome = Result<Answer, String>;

/// What is said of one picture.
pub(crate) struct Answer {
    /// Its best classes.
    pub(crate) top: Vec<RankedClass>,
    /// What whoever reads the answer should know of the picture, a word each.
    pub(crate) notes: &'static [&'static str],
}

/// The files that a class's heatmap is in.
#[derive(Debug, Serialize)]
pub(crate) struct HeatmapFiles {
    /// The class.
    pub(crate) index: usize,
    /// The map's numbers.
    pub(crate) npy: String,
    /// The map over the picture.
    pub(crate) png: String,
}

/// Whose answers rows have: what tells `runs/1/best.pth` from `runs/2/best.pth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    /// Its name.
    pub(crate) name: String,
    /// A hash of its tensors.
    pub(crate) identity: String,
}

impl From<&Checkpoint> for Model {
    fn from(model: &Checkpoint) -> Self {
        Self { name: model.name.clone(), identity: model.weights.identity() }
    }
}

/// Writes rows, each in one piece.
pub(crate) struct Rows {
    /// How rows are written.
    pub(crate) format: RowFormat,
    /// The model.
    pub(crate) model: Model,
    /// What else decides their answers.
    pub(crate) settings: Settings,
    /// What of the rows was assumed of the model, by name.
    pub(crate) assumed: Vec<&'static str>,
    /// What the classes are called.
    pub(crate) legend: Legend,
    /// Where rows go.
    pub(crate) output: Output,
}

/// What comes before the first row of CSV.
pub(crate) const CSV_HEADER: [&str; COLUMNS] =
    ["path", "rank", "index", "label", "probability", "logit", "error", "identity", "assumed", "settings", "notes"];
const COLUMNS: usize = 11;
const ERROR: usize = 6;

#[derive(Serialize)]
struct JsonRow<'a> {
    #[serde(flatten)]
    subject: &'a Subject,
    model: &'a str,
    identity: &'a str,
    settings: &'a Settings,
    top: &'a [RankedClass],
    #[serde(skip_serializing_if = "Option::is_none")]
    heatmaps: Option<&'a [HeatmapFiles]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    assumed: &'a [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [&'static str],
}

#[derive(Serialize)]
struct JsonError<'a> {
    #[serde(flatten)]
    subject: &'a Subject,
    error: &'a str,
}

impl Rows {
    /// Writes what comes before the first row.
    pub(crate) fn begin(&mut self) -> Result<(), Stop> {
        match self.format {
            RowFormat::Csv => self.output.write(&csv([CSV_HEADER.map(str::to_owned)])?),
            RowFormat::Text | RowFormat::Json => Ok(()),
        }
    }

    /// Writes the row of one input; JSON's also names its heatmaps, where they were asked for.
    pub(crate) fn write(&mut self, subject: &Subject, outcome: &Outcome, heatmaps: Option<&[HeatmapFiles]>) -> Result<(), Stop> {
        let path = subject.to_string();
        match (self.format, outcome) {
            (RowFormat::Text, _) => self.output.text(&text::row(&path, outcome, Terminal::stdout())),
            (RowFormat::Csv, _) => self.output.write(&self.csv(&path, outcome)?),
            (RowFormat::Json, Err(error)) => self.output.json(&JsonError { subject, error }),
            (RowFormat::Json, Ok(Answer { top, notes })) => {
                let Self { model: Model { name: model, identity }, settings, assumed, output, .. } = self;
                output.json(&JsonRow { subject, model, identity, settings, top, heatmaps, assumed, notes })
            }
        }
    }

    fn csv(&self, path: &str, outcome: &Outcome) -> Result<Vec<u8>, Stop> {
        match outcome {
            Err(error) => {
                let mut record: [String; COLUMNS] = Default::default();
                (record[0], record[ERROR]) = (path.into(), error.clone());
                csv([record])
            }
            Ok(Answer { top, notes }) => csv(top.iter().enumerate().map(|(rank, class)| {
                let probability = class.probability.map_or(String::new(), |probability| probability.to_string());
                let of_class = [(rank + 1).to_string(), class.index.to_string(), class.label.clone(), probability, class.logit.to_string()];
                let [rank, index, label, probability, logit] = of_class;
                let [identity, settings] = [self.model.identity.clone(), self.settings.to_string()];
                let [assumed, notes] = [self.assumed.join(" "), notes.join(" ")];
                [path.into(), rank, index, label, probability, logit, String::new(), identity, assumed, settings, notes]
            })),
        }
    }
}

fn csv(records: impl IntoIterator<Item = [String; COLUMNS]>) -> Result<Vec<u8>, Stop> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.write_record(record).map_err(|error| Stop::output(error.into()))?;
    }
    writer.into_inner().map_err(|error| Stop::output(error.into_error()))
}
