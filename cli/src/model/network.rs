//! Which network, at which size: a model's, or an architecture's with random weights.

use clap::Args;
use densenet_wgpu::preprocessing::Preprocessing;
use densenet_wgpu::{Checkpoint, Config};

use super::ModelOptions;
use crate::arguments::{Architecture, Size};
use crate::exit::Stop;

/// Which network, at which size.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct NetworkOptions {
    #[command(flatten)]
    model: ModelOptions,
    /// An architecture with random weights, such as densenet121
    ///
    /// One of densenet121, densenet161, densenet169, densenet201, densenet264, densenet264d, densenetblur121d.
    #[arg(long, value_name = "A", value_parser = Architecture, hide_possible_values = true, conflicts_with = "model")]
    arch: Option<Config>,
    /// Height and width of the input; default: the model's own, otherwise 224x224
    #[arg(long, value_name = "HxW")]
    pub(crate) size: Option<Size>,
}

/// Seed of the random weights.
const SEED: u64 = 0;

impl NetworkOptions {
    /// Opens the model, or makes one with the architecture.
    pub(crate) fn open(&self) -> Result<Checkpoint, Stop> {
        match &self.arch {
            Some(config) => Ok(Checkpoint::init(config.clone(), SEED)?),
            None => self.open_model(),
        }
    }

    fn open_model(&self) -> Result<Checkpoint, Stop> {
        match self.model.model {
            Some(_) => self.model.open(),
            None => Err(Stop::refused("expected --model M or --arch A, found neither; --model digits and --arch densenet121 always work")),
        }
    }

    /// The network without its weights, and its preprocessing if it has one.
    pub(crate) fn describe(&self) -> Result<(Config, Option<Preprocessing>), Stop> {
        match &self.arch {
            Some(config) => Ok((config.clone(), None)),
            None => self.open_model().map(|model| (model.config, model.preprocessing)),
        }
    }

    /// The size of `--size`, otherwise that of `preprocessing`, otherwise 224x224.
    pub(crate) fn size(&self, preprocessing: Option<&Preprocessing>) -> Size {
        self.size.unwrap_or_else(|| Size::of(preprocessing))
    }
}
