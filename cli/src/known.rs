//! Values that a flag knows by name, among others that it takes too: what shells complete.

use clap::builder::{PossibleValue, TypedValueParser};
use densenet_wgpu::preprocessing::{Activation, Preset};
use densenet_wgpu::{Config, labels, models};

/// A value of any text, of which some are known.
#[derive(Clone)]
pub(crate) struct Known {
    names: fn() -> Vec<&'static str>,
}

/// Names of models; a file is taken too.
pub(crate) const MODELS: Known = Known { names: || models::names().chain(models::published_names()).collect() };

/// Names of presets; a file is taken too.
pub(crate) const PRESETS: Known = Known { names: || Preset::names().collect() };

/// Names of lists of labels; a file is taken too.
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

/// What turns logits into probabilities, by its name.
#[derive(Clone)]
pub(crate) struct ActivationName;

impl TypedValueParser for ActivationName {
    type Value = Activation;

    fn parse_ref(&self, command: &clap::Command, argument: Option<&clap::Arg>, value: &std::ffi::OsStr) -> Result<Activation, clap::Error> {
        let names = clap::builder::PossibleValuesParser::new(ACTIVATIONS.map(Activation::name));
        let name = names.parse_ref(command, argument, value)?;
        Ok(ACTIVATIONS.into_iter().find(|activation| activation.name() == name).unwrap_or(Activation::None))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue>>> {
        Some(Box::new(ACTIVATIONS.into_iter().map(|activation| PossibleValue::new(activation.name()))))
    }
}

const ACTIVATIONS: [Activation; 3] = [Activation::Softmax, Activation::Sigmoid, Activation::None];

/// An architecture, by its name.
#[derive(Clone)]
pub(crate) struct Architecture;

impl TypedValueParser for Architecture {
    type Value = Config;

    fn parse_ref(&self, command: &clap::Command, argument: Option<&clap::Arg>, value: &std::ffi::OsStr) -> Result<Config, clap::Error> {
        let parse = |name: &str| super::network::architecture(name);
        TypedValueParser::parse_ref(&parse, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue>>> {
        Some(Box::new(Config::names().map(PossibleValue::new)))
    }
}
