//! What is told, with the keys of the JSON output.

use densenet_wgpu::evaluate::{Answers, Evaluation, EvaluationOptions, ModelComparison};
use serde::Serialize;

use super::judgement::{Judge, Judgement};
use crate::exit::Stop;
use crate::message;

/// What is told.
#[derive(Serialize)]
pub(super) struct Outcome {
    /// The model.
    pub(super) model: String,
    identity: String,
    settings: String,
    /// Where the truth is.
    pub(super) source: String,
    failed: usize,
    #[serde(flatten)]
    pub(super) evaluation: Evaluation,
    /// Pictures, and rows of the truth, that could not be read.
    pub(super) failures: Vec<Failure>,
    /// Classes of the truth that the model has not.
    unmatched: Vec<Unmatched>,
    bootstrap: Bootstrap,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assumed: Vec<&'static str>,
    /// The model of --compare, and whether it is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comparison: Option<Box<Compared>>,
    #[serde(skip)]
    pub(super) answers: Answers,
    #[serde(skip)]
    pub(super) judge: Option<Judge>,
}

/// Another model on the same pictures.
#[derive(Serialize)]
pub(super) struct Compared {
    #[serde(flatten)]
    pub(super) comparison: ModelComparison,
    /// How good it is by itself.
    pub(super) second: Outcome,
}

/// A picture, or a row of the truth, that could not be read.
#[derive(Serialize)]
pub(super) struct Failure {
    path: String,
    error: String,
}

/// A class that the model has not.
#[derive(Serialize)]
struct Unmatched {
    label: String,
    count: usize,
}

/// How intervals were made.
#[derive(Serialize)]
struct Bootstrap {
    resamples: usize,
    seed: u64,
}

/// Pictures below which the numbers say little.
const FEW: usize = 30;

impl Outcome {
    /// Evaluates a judgement, and says what does not exist.
    pub(super) fn of(judgement: Judgement, source: String, options: &EvaluationOptions) -> Result<Self, Stop> {
        let Judgement { layout, rows, unreadable, unmatched, assumed, judge } = judgement;
        let mut answers = Answers::new(layout.labels, layout.activation);
        let mut failures: Vec<Failure> = unreadable.into_iter().map(|(path, error)| Failure { path, error }).collect();
        for row in rows {
            match row.judged() {
                Ok(picture) => answers.push(picture)?,
                Err((path, error)) => {
                    message::error(&format!("{path}: {error}"));
                    failures.push(Failure { path, error });
                }
            }
        }
        let evaluation = answers.evaluate(options);
        warn(&evaluation);
        Ok(Self {
            model: layout.model.name,
            identity: layout.model.identity,
            settings: layout.settings,
            source,
            failed: failures.len(),
            evaluation,
            failures,
            unmatched: unmatched.into_iter().map(|(label, count)| Unmatched { label, count }).collect(),
            bootstrap: Bootstrap { resamples: options.resamples, seed: options.seed },
            assumed,
            comparison: None,
            answers,
            judge,
        })
    }

    /// Adds the model of --compare.
    pub(super) fn compared_with(self, second: Self, options: &EvaluationOptions) -> Result<Self, Stop> {
        let comparison = ModelComparison::new(&self.answers, &second.answers, options)?;
        if comparison.only_one > 0 {
            message::warning(&format!("--compare: {} pictures that one model alone judged are left out", comparison.only_one));
        }
        Ok(Self { comparison: Some(Box::new(Compared { comparison, second })), ..self })
    }
}

/// Says where the numbers say little or nothing.
fn warn(evaluation: &Evaluation) {
    let supported: Vec<&str> = evaluation.per_class.iter().filter(|class| class.support > 0).map(|class| class.label.as_str()).collect();
    match (evaluation.count, &supported[..]) {
        (0, _) => message::warning("no picture was judged: there are no numbers"),
        (_, [only]) if evaluation.confusion.is_some() => {
            message::warning(&format!("all pictures are of one class, {only}: there is no AUROC, and accuracy is its recall"));
        }
        (count, _) if count < FEW => message::warning(&format!("{count} pictures are few: see the 95 % intervals")),
        _ => {}
    }
}
