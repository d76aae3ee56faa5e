//! `densenet init`: an untrained checkpoint.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use densenet_wgpu::{Checkpoint, Config};

use crate::arguments::Architecture;
use crate::exit::{SUCCESS, Stop};
use crate::message;
use crate::replace::ReplaceOptions;

/// Write an untrained checkpoint with torchvision's initial weights
///
/// An existing file is replaced only if it is an untrained network that init wrote, or with --force.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet init --arch densenet121 --classes 10 --seed 1 untrained.safetensors")]
pub(crate) struct Options {
    /// The architecture, such as densenet121
    ///
    /// One of densenet121, densenet161, densenet169, densenet201, densenet264, densenet264d, densenetblur121d.
    #[arg(long, value_name = "A", value_parser = Architecture, hide_possible_values = true)]
    arch: Config,
    /// Seed of the random weights; the same seed gives the same file
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of classes; default: the architecture's own, 1000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    classes: Option<u32>,
    /// The file to write, .safetensors
    #[arg(value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    #[command(flatten)]
    replace: ReplaceOptions,
}

/// Writes the checkpoint.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    options.replace.check_untrained(&options.output)?;
    let mut config = options.arch;
    if let Some(classes) = options.classes {
        config.num_classes = Some(classes as usize);
    }
    let checkpoint = Checkpoint::init(config, options.seed)?;
    checkpoint.save(&options.output)?;
    let parameters = checkpoint.weights.parameters();
    message::note(&format!("{}: {}, {parameters} parameters, seed {}", options.output.display(), checkpoint.name, options.seed));
    Ok(SUCCESS)
}
