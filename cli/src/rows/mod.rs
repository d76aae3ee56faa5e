//! The rows of `classify`, as text, JSON or CSV.

mod answer;
mod csv;
mod format;
mod model;
pub(crate) mod resume;
mod settings;
mod text;

use densenet_wgpu::labels::{Postprocessing, RankedClass};
use serde::Serialize;

use crate::exit::Stop;
use crate::inputs::Subject;
use crate::output::Output;
use crate::terminal::Terminal;
pub(crate) use answer::{Answer, HeatmapFiles, Outcome, notes};
pub(crate) use format::RowFormat;
pub(crate) use model::Model;
pub(crate) use settings::Settings;

/// Writes rows, each in one piece.
pub(crate) struct Rows {
    /// How rows are written.
    pub(crate) format: RowFormat,
    /// The model.
    pub(crate) model: Model,
    /// What else determines the answers.
    pub(crate) settings: Settings,
    /// The names of the fields that were assumed about the model.
    pub(crate) assumed: Vec<&'static str>,
    /// What the classes are called.
    pub(crate) postprocessing: Postprocessing,
    /// Where rows go.
    pub(crate) output: Output,
}

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
            RowFormat::Csv => self.output.write(&csv::header()?),
            RowFormat::Text | RowFormat::Json => Ok(()),
        }
    }

    /// Writes the row of one input. In JSON it also names the heatmaps, if any were requested.
    pub(crate) fn write(&mut self, subject: &Subject, outcome: &Outcome, heatmaps: Option<&[HeatmapFiles]>) -> Result<(), Stop> {
        let path = subject.to_string();
        match (self.format, outcome) {
            (RowFormat::Text, _) => self.output.text(&text::row(&path, outcome, Terminal::stdout())),
            (RowFormat::Csv, _) => self.output.write(&csv::row(&path, outcome, &self.model, &self.settings, &self.assumed)?),
            (RowFormat::Json, Err(error)) => self.output.json(&JsonError { subject, error }),
            (RowFormat::Json, Ok(Answer { top, notes })) => {
                let Self { model: Model { name: model, identity }, settings, assumed, output, .. } = self;
                output.json(&JsonRow { subject, model, identity, settings, top, heatmaps, assumed, notes })
            }
        }
    }
}
