//! What is true of the pictures: the flags, and what they find.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use densenet_wgpu::evaluate::{Known, Matching, Outputs, Truth};

use crate::exit::Stop;
use crate::inputs::{Content, Input, Subject};
use crate::message;
use crate::truth::{SaidTruth, TruthSource};

/// How it is said what is true.
#[derive(Args)]
#[command(next_help_heading = "Truth")]
pub(super) struct TruthOptions {
    #[command(flatten)]
    source: TruthSource,
    /// A JSON file with the model's number for each class of TRUTH
    ///
    /// As in {"cat":0,"dog":1}, torchvision's `ImageFolder.class_to_idx`. Without it classes are those of the model's labels.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    class_to_idx: Option<PathBuf>,
}

/// Pictures of classes that the model has.
pub(super) struct Judgeable {
    /// The pictures.
    pub(super) inputs: Vec<Input>,
    /// What is true of each, by its number.
    pub(super) known: Vec<Known>,
    /// Which of the model's classes is which.
    pub(super) matching: Matching,
    /// Rows that cannot be read: where, and why.
    pub(super) unreadable: Vec<(String, String)>,
}

impl TruthOptions {
    /// Reads TRUTH at `path`, and finds the model's classes in it. Reports what was assumed, and what is missing on either side.
    pub(super) fn read(&self, path: &Path, outputs: Outputs) -> Result<Judgeable, Stop> {
        let SaidTruth { truth, mut contents } = self.source.said(path, outputs.labels(), None)?;
        truth.notes.iter().for_each(|note| message::note(note));
        let class_to_idx = self.class_to_idx.as_deref().map(numbers).transpose()?;
        let matching = match &class_to_idx {
            Some(numbers) => Matching::by_number(&truth, outputs, numbers)?,
            None => Matching::by_name(&truth, outputs)?,
        };
        report(&truth, &matching);
        let unreadable: Vec<(String, String)> =
            truth.unreadable.iter().map(|row| (format!("{}: line {}", path.display(), row.line), row.reason.clone())).collect();
        unreadable.iter().for_each(|(place, reason)| message::error(&format!("{place}: {reason}")));
        let (mut inputs, mut known) = (Vec::new(), Vec::new());
        for picture in &truth.pictures {
            if let Some(of_model) = matching.known(&picture.known) {
                let content = contents.remove(&picture.path).unwrap_or_else(|| Content::File(picture.path.clone()));
                inputs.push(Input { number: known.len(), subject: Subject::file(&picture.path), content });
                known.push(of_model);
            }
        }
        if !inputs.iter().any(|input| matches!(&input.content, Content::File(path) if path.exists())) {
            let first = inputs.first().map_or(String::new(), |input| format!(", such as {}", input.subject));
            let remedy = "paths are relative to the folder of TRUTH, or to --pictures DIR";
            return Err(Stop::refused(format!(
                "{}: expected pictures that exist, found none of {}{first}; {remedy}",
                path.display(),
                inputs.len()
            )));
        }
        Ok(Judgeable { inputs, known, matching, unreadable })
    }
}

/// The numbers in the file of --class-to-idx.
fn numbers(path: &Path) -> Result<BTreeMap<String, usize>, Stop> {
    let refused = |error: &dyn std::fmt::Display| Stop::refused(format!("--class-to-idx {}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| refused(&error))?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        refused(&format!("expected JSON with a number for each class, as in {{\"cat\":0,\"dog\":1}}, found another ({error})"))
    })
}

/// Says which classes one side has and the other has not, and what nobody knows.
fn report(truth: &Truth, matching: &Matching) {
    const SHOWN: usize = 10;
    let some = |names: Vec<String>| {
        let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
        names.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ") + &more
    };
    if let Some(note) = matching.note() {
        message::warning(&format!("{note}; --labels or --class-to-idx say it otherwise"));
    }
    let unmatched = matching.unmatched();
    if !unmatched.is_empty() {
        let named = some(unmatched.iter().map(|(name, count)| format!("{name} ({count})")).collect());
        let then = if truth.is_of_each() { "are not evaluated" } else { "are left out with their pictures" };
        message::warning(&format!("{} classes of the truth are none of the model's, and {then}: {named}", unmatched.len()));
    }
    let without = matching.without_pictures();
    if !without.is_empty() {
        message::note(&format!("{} classes of the model have no pictures: {}", without.len(), some(without.to_vec())));
    }
    let unknown: usize = truth
        .pictures
        .iter()
        .map(|picture| match &picture.known {
            Known::One(_) => 0,
            Known::Each(each) => each.iter().filter(|known| known.is_none()).count(),
        })
        .sum();
    if unknown > 0 {
        message::note(&format!("{unknown} cells are empty or uncertain, and count neither for nor against a class"));
    }
}
