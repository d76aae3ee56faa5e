//! Rows as comma-separated values, one line per class.

use super::answer::{Answer, Outcome};
use super::model::Model;
use super::settings::Settings;
use crate::exit::Stop;

/// The columns' names.
pub(super) const HEADER: [&str; COLUMNS] =
    ["path", "rank", "index", "label", "probability", "logit", "error", "identity", "assumed", "settings", "notes"];
const COLUMNS: usize = 11;
const ERROR: usize = 6;

/// What comes before the first row.
pub(super) fn header() -> Result<Vec<u8>, Stop> {
    lines([HEADER.map(str::to_owned)])
}

/// The lines of one input.
pub(super) fn row(path: &str, outcome: &Outcome, model: &Model, settings: &Settings, assumed: &[&str]) -> Result<Vec<u8>, Stop> {
    match outcome {
        Err(error) => {
            let mut record: [String; COLUMNS] = Default::default();
            (record[0], record[ERROR]) = (path.into(), error.clone());
            lines([record])
        }
        Ok(Answer { top, notes }) => lines(top.iter().enumerate().map(|(rank, class)| {
            let probability = class.probability.map_or(String::new(), |probability| probability.to_string());
            let of_class = [(rank + 1).to_string(), class.index.to_string(), class.label.clone(), probability, class.logit.to_string()];
            let [rank, index, label, probability, logit] = of_class;
            let [identity, settings] = [model.identity.clone(), settings.to_string()];
            let [assumed, notes] = [assumed.join(" "), notes.join(" ")];
            [path.into(), rank, index, label, probability, logit, String::new(), identity, assumed, settings, notes]
        })),
    }
}

fn lines(records: impl IntoIterator<Item = [String; COLUMNS]>) -> Result<Vec<u8>, Stop> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.write_record(record).map_err(|error| Stop::output(error.into()))?;
    }
    writer.into_inner().map_err(|error| Stop::output(error.into_error()))
}
