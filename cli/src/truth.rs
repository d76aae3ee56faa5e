//! What is true of pictures: the flags, and what they find.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use densenet_wgpu::evaluate::{TableOptions, Truth};

use crate::exit::Stop;
use crate::inputs::{self, Content};

/// How it is said what is true.
#[derive(Args)]
#[command(next_help_heading = "Truth")]
pub(crate) struct TruthSource {
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

/// What was said.
pub(crate) struct SaidTruth {
    /// What is true of which pictures.
    pub(crate) truth: Truth,
    /// Of pictures that were looked for in folders, where their content is.
    pub(crate) contents: HashMap<PathBuf, Content>,
}

impl TruthSource {
    /// What the folder or file at `path` says; of a table, columns of findings are those called like one of `classes`.
    pub(crate) fn said(&self, path: &Path, classes: &[String], group_column: Option<&str>) -> Result<SaidTruth, Stop> {
        let kind = self.kind(path)?;
        if group_column.is_some() && kind != Kind::Csv {
            let found = "expected a CSV file with --group-column, found another";
            return Err(Stop::refused(format!("{}: {found}; folders, names and lines have no columns", path.display())));
        }
        let (truth, contents) = match kind {
            Kind::Csv => {
                let options = TableOptions::default().with_classes(classes.to_vec()).with_label_columns(self.label_column.clone());
                let options = self.pictures.iter().fold(options, |options, folder| options.with_pictures(folder));
                let options = self.path_column.iter().fold(options, |options, column| options.with_path_column(column));
                let options = group_column.iter().fold(options, |options, column| options.with_group_column(*column));
                (Truth::read_csv(path, &options)?, HashMap::new())
            }
            Kind::Jsonl => (Truth::read_json_lines(path, self.pictures.as_deref())?, HashMap::new()),
            Kind::Folders | Kind::Pattern => {
                let found = inputs::expand(&[path.to_owned()], None)?;
                let contents: HashMap<PathBuf, Content> = found.into_iter().map(|input| (input.subject.name(), input.content)).collect();
                let mut paths: Vec<PathBuf> = contents.keys().cloned().collect();
                paths.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
                let truth = match &self.pattern {
                    Some(pattern) if kind == Kind::Pattern => Truth::of_file_names(pattern, paths)?,
                    _ => Truth::of_folders(path, paths)?,
                };
                (truth, contents)
            }
        };
        Ok(SaidTruth { truth, contents })
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
