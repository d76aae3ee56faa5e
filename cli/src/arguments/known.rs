//! Values that a flag knows by name, besides any others that it takes, for shell completion.

use clap::builder::{PossibleValue, TypedValueParser};
use densenet_wgpu::preprocessing::Preset;
use densenet_wgpu::{labels, models};

/// Any text, of which some values are known.
#[derive(Clone)]
pub(crate) struct Known {
    names: fn() -> Vec<&'static str>,
}

/// Names of models. A file is accepted too.
pub(crate) const MODELS: Known = Known { names: || models::names().chain(models::published_names()).collect() };

/// Names of presets. A file is accepted too.
pub(crate) const PRESETS: Known = Known { names: || Preset::names().collect() };

/// Names of lists of labels. A file is accepted too.
pub(crate) const LABELS: Known = Known { names: || labels::names().collect() };

impl Known {
    /// The known values.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        (self.names)()
    }
}

impl TypedValueParser for Known {
    type Value = String;

    fn parse_ref(&self, command: &clap::Command, argument: Option<&clap::Arg>, value: &std::ffi::OsStr) -> Result<String, clap::Error> {
        clap::builder::StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue>>> {
        Some(Box::new(self.names().into_iter().map(PossibleValue::new)))
    }
}
