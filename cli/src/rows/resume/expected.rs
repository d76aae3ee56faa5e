//! What rows in a file have to look like.

use crate::rows::format::RowFormat;
use crate::rows::model::Model;
use crate::rows::settings::Settings;

/// What rows in the file have to look like.
pub(crate) struct Expected<'a> {
    pub(crate) format: RowFormat,
    /// The model.
    pub(crate) model: &'a Model,
    /// What else decides answers.
    pub(crate) settings: &'a Settings,
    /// Classes that a row has.
    pub(crate) classes: usize,
}

impl Expected<'_> {
    /// What to say of a row of another model: nobody could take a file apart that has the rows of two.
    pub(super) fn other_model(&self, line: u64, name: &str, identity: &str) -> String {
        let Model { name: own, identity: of_own } = self.model;
        let of_other = if identity.is_empty() { "without an identity".into() } else { format!("of identity {identity}") };
        format!("line {line}: expected rows of the model {own} of identity {of_own}, found one of {name} {of_other}; give another file")
    }

    /// Errors where the row has other settings.
    pub(super) fn check_settings(&self, line: u64, written: &str) -> Result<(), String> {
        self.settings.differ_from(written).map_or(Ok(()), |differing| {
            let found = format!("found one of {written}; what differs is {differing}");
            let remedy = "give the flags that it was made with, or another file";
            Err(format!("line {line}: expected rows of the settings {}, {found}; {remedy}", self.settings))
        })
    }

    /// What to say of a row of another number of classes.
    pub(super) fn other_classes(&self, line: u64, found: usize) -> String {
        let remedy = if found == 0 { "give another file".into() } else { format!("give --top-k {found}, or another file") };
        format!("line {line}: expected rows of {} classes, found one of {found}; {remedy}", self.classes)
    }
}
