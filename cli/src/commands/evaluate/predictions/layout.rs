//! Columns and cells.

use densenet_wgpu::evaluate::{Answers, Known};
use densenet_wgpu::preprocessing::Activation;

use crate::commands::evaluate::row::Row;
use crate::exit::Stop;
use crate::rows::Model;

/// The columns before those of the classes.
pub(super) const COLUMNS: [&str; 8] = ["path", "truth", "predicted", "error", "model", "identity", "settings", "activation"];

/// The beginning of the names of columns with the truth of a class.
pub(super) const TRUTH: &str = "truth:";

/// What separates names in a cell.
const SEPARATOR: &str = "|";

/// What all rows of a file share.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::commands::evaluate) struct Layout {
    /// The classes.
    pub(in crate::commands::evaluate) labels: Vec<String>,
    /// Whether any number of them may be true.
    pub(in crate::commands::evaluate) is_of_each: bool,
    /// What made scores of logits.
    pub(in crate::commands::evaluate) activation: Activation,
    /// The model.
    pub(in crate::commands::evaluate) model: Model,
    /// What else determines scores.
    pub(in crate::commands::evaluate) settings: String,
}

impl Layout {
    /// That of rows with these answers' classes.
    pub(in crate::commands::evaluate) fn new(answers: &Answers, is_of_each: bool, model: Model, settings: String) -> Self {
        Self { labels: answers.labels().to_vec(), is_of_each, activation: answers.activation(), model, settings }
    }

    /// The first line.
    pub(in crate::commands::evaluate) fn header(&self) -> Result<Vec<u8>, Stop> {
        line(self.columns())
    }

    /// The names of all columns.
    pub(super) fn columns(&self) -> Vec<String> {
        let truths = self.labels.iter().filter(|_| self.is_of_each).map(|label| format!("{TRUTH}{label}"));
        COLUMNS.iter().map(|&column| column.to_owned()).chain(self.labels.iter().cloned()).chain(truths).collect()
    }

    /// The line of one picture.
    pub(in crate::commands::evaluate) fn line(&self, Row { path, known, scores }: &Row) -> Result<Vec<u8>, Stop> {
        let named = |is_named: &dyn Fn(usize) -> bool| {
            let named = self.labels.iter().enumerate().filter(|(class, _)| is_named(*class)).map(|(_, label)| label.as_str());
            named.collect::<Vec<_>>().join(SEPARATOR)
        };
        let truth = named(&|class| known.has(class) == Some(true));
        let predicted = match (scores, known) {
            (Err(_), _) => String::new(),
            (Ok(scores), Known::One(_)) => named(&|class| is_largest(scores, class)),
            (Ok(_), Known::Each(_)) if self.activation == Activation::None => String::new(),
            (Ok(scores), Known::Each(_)) => named(&|class| scores[class] >= 0.5),
        };
        let Model { name, identity } = &self.model;
        let error = scores.as_ref().err().cloned().unwrap_or_default();
        let own = [path.clone(), truth, predicted, error, name.clone(), identity.clone(), self.settings.clone()];
        let cells = match scores {
            Ok(scores) => scores.iter().map(f64::to_string).collect(),
            Err(_) => vec![String::new(); self.labels.len()],
        };
        let truths = (0..self.labels.len()).filter(|_| self.is_of_each).map(|class| match known.has(class) {
            Some(is_true) => u8::from(is_true).to_string(),
            None => String::new(),
        });
        line(own.into_iter().chain([self.activation.name().to_owned()]).chain(cells).chain(truths))
    }
}

/// Whether a class is the first of those with the largest score.
fn is_largest(scores: &[f64], class: usize) -> bool {
    scores.iter().enumerate().all(|(other, &score)| score < scores[class] || score == scores[class] && other >= class)
}

fn line(cells: impl IntoIterator<Item = String>) -> Result<Vec<u8>, Stop> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).map_err(|error| Stop::output(error.into()))?;
    writer.into_inner().map_err(|error| Stop::output(error.into_error()))
}
