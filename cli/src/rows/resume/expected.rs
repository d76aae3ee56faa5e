//! What the rows in a file must look like.

use crate::rows::format::RowFormat;
use crate::rows::model::Model;
use crate::rows::settings::Settings;

/// What the rows in a file must look like.
pub(crate) struct Expected<'a> {
    pub(crate) format: RowFormat,
    /// The model.
    pub(crate) model: &'a Model,
    /// What else determines answers.
    pub(crate) settings: &'a Settings,
    /// Number of classes in a row.
    pub(crate) classes: usize,
}

impl Expected<'_> {
    /// The error for a row of another model: rows of two models in one file could not be separated again.
    pub(crate) fn other_model(&self, line: u64, name: &str, identity: &str) -> String {
        let Model { name: own, identity: of_own } = self.model;
        let of_other = if identity.is_empty() { "without an identity".into() } else { format!("of identity {identity}") };
        format!("line {line}: expected rows of the model {own} of identity {of_own}, found one of {name} {of_other}; give another file")
    }

    /// Errors if the row has other settings.
    pub(crate) fn check_settings(&self, line: u64, written: &str) -> Result<(), String> {
        self.settings.differ_from(written).map_or(Ok(()), |differing| {
            let found = format!("found one of {written}; what differs is {differing}");
            let remedy = "give the flags that it was made with, or another file";
            Err(format!("line {line}: expected rows of the settings {}, {found}; {remedy}", self.settings))
        })
    }

    /// The error for a row with another number of classes.
    pub(super) fn other_classes(&self, line: u64, found: usize) -> String {
        let remedy = if found == 0 { "give another file".into() } else { format!("give --top-k {found}, or another file") };
        format!("line {line}: expected rows of {} classes, found one of {found}; {remedy}", self.classes)
    }
}
