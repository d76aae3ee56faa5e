//! What is true of the pictures: the flags, and what they find.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use densenet_wgpu::evaluate::{Known, Matching, Outputs, TableOptions, Truth};

use crate::exit::Stop;
use crate::inputs::{self, Content, Input, Subject};
use crate::message;

/// How it is said what is true.
#[derive(Args)]
#[command(next_help_heading = "Truth")]
pub(super) struct TruthOptions {
    /// What TRUTH is: folders, csv, jsonl or pattern
    ///
    /// Default: pattern with --pattern, else what the name of TRUTH says.
    #[arg(long, value_name = "KIND", value_enum, hide_possible_values = true)]
    truth: Option<Kind>,
    /// Where the class is in file names, as in '{label}-*.png'
    ///
    /// {label} is as short as can be, * stands for any characters. A pattern with slashes is that of the end of the path.
    #[arg(long, value_name = "P")]
    pattern: Option<String>,
    /// The folder to which paths in TRUTH are relative; default: its own
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pictures: Option<PathBuf>,
    /// The CSV column with the paths
    ///
    /// Default: path, file, image and their like, else the first column.
    #[arg(long, value_name = "NAME")]
    path_column: Option<String>,
    /// The CSV column with the classes, or those of findings
    ///
    /// Can be given more than once. Default: the columns that are called like classes of the model, else label, class and their like, else
    /// the only other one.
    #[arg(long, value_name = "NAME")]
    label_column: Vec<String>,
    /// A JSON file with the model's number for each class of TRUTH
    ///
    /// As in {"cat":0,"dog":1}, torchvision's `ImageFolder.class_to_idx`. Without it classes are those of the model's labels.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    class_to_idx: Option<PathBuf>,
}

/// What says what is true.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A folder for each class.
    Folders,
    /// A table.
    Csv,
    /// A line of JSON for each picture.
    Jsonl,
    /// File names, by --pattern.
    Pattern,
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
        let (truth, mut contents) = self.said(path, &outputs)?;
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

    /// What is said, and for pictures that were looked for in folders where their content is.
    fn said(&self, path: &Path, outputs: &Outputs) -> Result<(Truth, HashMap<PathBuf, Content>), Stop> {
        let kind = self.kind(path)?;
        match kind {
            Kind::Csv => {
                let options = TableOptions::default().with_classes(outputs.labels().to_vec()).with_label_columns(self.label_column.clone());
                let options = self.pictures.iter().fold(options, |options, folder| options.with_pictures(folder));
                let options = self.path_column.iter().fold(options, |options, column| options.with_path_column(column));
                Ok((Truth::read_csv(path, &options)?, HashMap::new()))
            }
            Kind::Jsonl => Ok((Truth::read_json_lines(path, self.pictures.as_deref())?, HashMap::new())),
            Kind::Folders | Kind::Pattern => {
                let found = inputs::expand(&[path.to_owned()], None)?;
                let contents: HashMap<PathBuf, Content> = found.into_iter().map(|input| (input.subject.name(), input.content)).collect();
                let mut paths: Vec<PathBuf> = contents.keys().cloned().collect();
                paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
                let truth = match &self.pattern {
                    Some(pattern) if kind == Kind::Pattern => Truth::of_file_names(pattern, paths)?,
                    _ => Truth::of_folders(path, paths)?,
                };
                Ok((truth, contents))
            }
        }
    }

    /// By --truth, else by the other flags and the name.
    fn kind(&self, path: &Path) -> Result<Kind, Stop> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let own = match ending.as_deref() {
            _ if self.pattern.is_some() => Kind::Pattern,
            _ if path.is_dir() => Kind::Folders,
            Some("jsonl" | "ndjson") => Kind::Jsonl,
            _ => Kind::Csv,
        };
        let kind = self.truth.unwrap_or(own);
        let refused = |expected: &str, found: &str| Err(Stop::refused(format!("{}: expected {expected}, found {found}", path.display())));
        match kind {
            Kind::Pattern if self.pattern.is_none() => refused("--pattern P with --truth pattern, as in '{label}-*.png'", "none"),
            Kind::Folders if path.is_file() => refused("a folder of folders", "a file; --truth csv or jsonl reads it"),
            Kind::Csv | Kind::Jsonl if path.is_dir() => refused("a file", "a folder; --truth folders reads it"),
            kind => Ok(kind),
        }
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
