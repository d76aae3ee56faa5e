//! `densenet convert`: from any checkpoint to one file that describes itself.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::arguments::MODELS;
use crate::exit::{SUCCESS, Stop};
use crate::message;
use crate::model::{DescriptionOptions, VariantOptions};
use crate::replace::ReplaceOptions;

/// Convert any checkpoint to one safetensors file with its preprocessing and labels
///
/// The file describes itself: it needs none of the flags that are given here. An existing file is replaced only if this program wrote it,
/// or with --force.
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet convert m-25012018-123527.pth.tar chexnet.safetensors

  # a file of weights alone, and what it does not say
  densenet convert model.h5 flowers.safetensors --preprocess keras --labels flowers.txt")]
pub(crate) struct Options {
    /// A checkpoint file, a model's name, or an `hf://` address
    #[arg(value_name = "M", value_parser = MODELS, hide_possible_values = true)]
    model: String,
    /// The file to write, .safetensors
    #[arg(value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    #[command(flatten)]
    replace: ReplaceOptions,
    #[command(flatten)]
    variant: VariantOptions,
    #[command(flatten)]
    description: DescriptionOptions,
}

/// Extensions of other formats: such a name may be the input, given twice.
const FOREIGN: [&str; 9] = ["bin", "ckpt", "h5", "hdf5", "keras", "onnx", "pt", "pth", "tar"];

/// Writes the file.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let extension = options.output.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    if extension.is_some_and(|extension| FOREIGN.contains(&extension.as_str())) {
        let found = options.output.display();
        return Err(Stop::refused(format!("{found}: expected a name that ends in .safetensors, which is what convert writes")));
    }
    let same = |path: &str| Ok::<_, std::io::Error>(std::fs::canonicalize(path)? == std::fs::canonicalize(&options.output)?);
    if same(&options.model).unwrap_or(false) {
        return Err(Stop::refused(format!("{}: expected a file other than the one to read", options.output.display())));
    }
    options.replace.check(&options.output)?;
    let mut model = options.variant.open(&options.model)?;
    options.description.describe(&mut model)?;
    model.save(&options.output)?;
    let (tensors, parameters) = (model.weights.len(), model.weights.parameters());
    message::note(&format!("{}: {}, {tensors} tensors, {parameters} parameters", options.output.display(), model.config));
    Ok(SUCCESS)
}
