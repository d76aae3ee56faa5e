//! `--arch A`.

use clap::builder::{PossibleValue, TypedValueParser};
use densenet_wgpu::Config;
use densenet_wgpu::internal::nearest;

/// An architecture, by its name.
#[derive(Clone)]
pub(crate) struct Architecture;

impl TypedValueParser for Architecture {
    type Value = Config;

    fn parse_ref(&self, command: &clap::Command, argument: Option<&clap::Arg>, value: &std::ffi::OsStr) -> Result<Config, clap::Error> {
        TypedValueParser::parse_ref(&named, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue>>> {
        Some(Box::new(Config::names().map(PossibleValue::new)))
    }
}

/// The architecture of that name.
fn named(name: &str) -> Result<Config, String> {
    Config::named(name).ok_or_else(|| {
        let known: Vec<&str> = Config::names().collect();
        let suggestion = nearest(name, known.iter().copied()).map(|near| format!("did you mean {near}? ")).unwrap_or_default();
        format!("{suggestion}known architectures: {}", known.join(", "))
    })
}
