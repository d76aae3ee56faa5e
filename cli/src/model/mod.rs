//! `--model M`: a bundled model, one from the hub, or a file.

pub(crate) mod assumed;
mod description;
mod hub;
mod labels;
mod network;
mod preprocessing_file;
mod selection;
mod variant;

pub(crate) use description::{Described, DescriptionOptions, PreprocessingOptions};
pub(crate) use network::NetworkOptions;
pub(crate) use selection::ModelOptions;
pub(crate) use variant::VariantOptions;
