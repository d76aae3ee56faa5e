//! Which model a command runs.

use clap::Args;
use densenet_wgpu::Checkpoint;

use super::VariantOptions;
use crate::arguments::MODELS;
use crate::exit::Stop;

/// The model of `classify` and `embed` without `--model`: a published one, for pictures of anything.
const DEFAULT_MODEL: &str = "densenet121";

/// Which model to run.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelOptions {
    /// A checkpoint file, or the name of a model
    ///
    /// Reads PyTorch, Keras and safetensors files, recognised by their content; a file with the same name as a model needs ./ in front. The
    /// model digits is bundled; published models, such as densenet121, and `hf://OWNER/REPOSITORY[@REVISION][/FILE]` are downloaded once.
    #[arg(long, short, value_name = "M", value_parser = MODELS, hide_possible_values = true)]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) variant: VariantOptions,
}

impl ModelOptions {
    /// Opens the model. The error without `--model` names one that always works.
    pub(crate) fn open(&self) -> Result<Checkpoint, Stop> {
        match &self.model {
            Some(name) => self.variant.open(name),
            None => Err(Stop::refused("--model M is missing; M is a checkpoint file or the name of a model: --model digits")),
        }
    }

    /// Opens the model; without `--model` the default one.
    pub(crate) fn open_or_default(&self) -> Result<Checkpoint, Stop> {
        self.variant.open(self.name_or_default())
    }

    /// Opens the model, or the default one, for its features alone: the classifier may be one that is not supported.
    pub(crate) fn open_features_or_default(&self) -> Result<Checkpoint, Stop> {
        self.variant.open_features(self.name_or_default())
    }

    fn name_or_default(&self) -> &str {
        self.model.as_deref().unwrap_or(DEFAULT_MODEL)
    }
}
