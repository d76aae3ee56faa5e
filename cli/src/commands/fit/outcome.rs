//! What a fit came to.

use std::path::Path;

use densenet_wgpu::fit::{CrossValidated, Examples, Fitted};
use serde::Serialize;

use crate::message::printable;
use crate::terminal::paint::{HEADING, paint};

/// What a fit came to, with the keys of its JSON; null what there is not.
#[derive(Serialize)]
pub(super) struct Outcome {
    output: String,
    classes: usize,
    labels: Vec<String>,
    train: usize,
    holdout: usize,
    failed: usize,
    duplicates: usize,
    holdout_top1: Option<f64>,
    holdout_balanced_accuracy: Option<f64>,
    holdout_log_loss: Option<f64>,
    holdout_auroc: Vec<Option<f64>>,
    cross_validated_top1: Option<f64>,
    regularisation: f64,
    tried: Vec<CrossValidated>,
}

impl Outcome {
    pub(super) fn of(fitted: &Fitted, examples: &Examples, failed: usize, output: &Path) -> Self {
        let evaluation = fitted.evaluation.as_ref();
        Self {
            output: output.display().to_string(),
            classes: fitted.head.labels.len(),
            labels: fitted.head.labels.clone(),
            train: fitted.train,
            holdout: fitted.holdout,
            failed,
            duplicates: examples.duplicates().iter().map(|duplicates| duplicates.paths.len() - 1).sum(),
            holdout_top1: fitted.holdout_top1(),
            holdout_balanced_accuracy: evaluation.and_then(|evaluation| evaluation.balanced_accuracy),
            holdout_log_loss: evaluation.and_then(|evaluation| evaluation.log_loss),
            holdout_auroc: evaluation.iter().flat_map(|evaluation| &evaluation.per_class).map(|class| class.auroc).collect(),
            cross_validated_top1: fitted.cross_validated_top1,
            regularisation: fitted.regularisation,
            tried: fitted.cross_validated.clone(),
        }
    }

    pub(super) fn text(&self) -> String {
        let percent = |share: Option<f64>| share.map(|share| format!("{:.2} %", 100.0 * share));
        let number = |value: Option<f64>| value.map(|value| format!("{value:.4}"));
        let known: Vec<f64> = self.holdout_auroc.iter().copied().flatten().collect();
        let auroc = (self.holdout_top1.is_none() && !known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        let copies = (self.duplicates > 0).then(|| format!("{} of another picture; they are on its side of the split", self.duplicates));
        let some: Vec<&str> = self.labels.iter().take(4).map(String::as_str).collect();
        let more = if self.labels.len() > some.len() { ", …" } else { "" };
        let lines = [
            ("classes", Some(format!("{}: {}{more}", self.classes, some.join(", ")))),
            ("pictures", Some(format!("{} learned from, {} held out", self.train, self.holdout))),
            ("copies", copies),
            (
                "regularisation",
                Some(format!("C = {}{}", self.regularisation, if self.tried.len() > 1 { ", by cross-validation" } else { "" })),
            ),
            ("cross-validated", percent(self.cross_validated_top1).map(|share| format!("{share} right"))),
            ("held out", percent(self.holdout_top1).map(|share| format!("{share} right"))),
            ("AUROC", number(auroc).map(|mean| format!("{mean} of those held out, the mean of {} classes", known.len()))),
            ("log loss", number(self.holdout_log_loss).map(|loss| format!("{loss} of those held out"))),
        ];
        let line = |(key, value): (&str, Option<String>)| value.map(|value| format!("  {key:<17}{}\n", printable(&value)));
        let lines: String = lines.into_iter().filter_map(line).collect();
        format!("{}\n{lines}", paint(HEADING, &printable(&self.output)))
    }
}
