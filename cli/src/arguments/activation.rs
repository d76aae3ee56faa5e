//! `--activation A`.

use clap::builder::{PossibleValue, TypedValueParser};
use densenet_wgpu::preprocessing::Activation;

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
