//! How a model's pictures are prepared and what its classes are called: from flags, otherwise from the model.

use clap::{Args, ValueHint};
use densenet_wgpu::checkpoint::{AssumedField, Description};
use densenet_wgpu::preprocessing::{Activation, Preprocessing, Preset};
use densenet_wgpu::{Checkpoint, ClassifierOptions, Error, models};

use super::{assumed, labels, preprocessing_file};
use crate::arguments::{ActivationName, LABELS, PRESETS, Resizing};
use crate::exit::Stop;

/// How pictures are prepared.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct PreprocessingOptions {
    /// How to prepare pictures: a preset or a JSON file
    ///
    /// Presets are torchvision, timm, keras, xrv, chexnet, monai, cifar, opencv, tensorflow and monai-tensor. A JSON file has the keys with
    /// which a converted checkpoint describes its preprocessing. Default: what the model specifies, otherwise the preset that fits its
    /// origin.
    #[arg(long, value_name = "P", value_parser = PRESETS, hide_possible_values = true)]
    preprocess: Option<String>,
    /// How to resize pictures, instead of the model's own way
    ///
    /// Modes are squash (ignores the aspect ratio), short_side, cover, square (the largest centred square) and long_side (padded). Filters
    /// are Pillow's nearest, bilinear, bicubic and lanczos, which antialias; linear and cubic without antialiasing, as in OpenCV,
    /// TensorFlow and PyTorch; OpenCV's area and PyTorch's adaptive_area. Default filter: the model's.
    #[arg(long, value_name = "MODE[:FILTER]")]
    resize: Option<Resizing>,
}

/// How pictures are prepared and what the classes are called.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct DescriptionOptions {
    #[command(flatten)]
    preprocessing: PreprocessingOptions,
    /// Class labels: the name of a list, or a text file
    ///
    /// Takes precedence over the model's own labels. Lists are chexnet, chexpert, cifar10, svhn, imagenet and xrv. A file has one label per
    /// line, in the order of the classes; an empty line hides an output. A folder stands for the names of its subfolders, sorted as text,
    /// as in torchvision's ImageFolder.
    #[arg(long, value_name = "L", value_parser = LABELS, hide_possible_values = true, value_hint = ValueHint::FilePath, help_heading = "Model")]
    labels: Option<String>,
    /// What turns logits into probabilities: softmax, sigmoid or none
    ///
    /// softmax: each picture has exactly one class; sigmoid: any number of classes; none: logits only. Default: what the model or the
    /// preset of --preprocess specifies; otherwise softmax, which rows mark as assumed, or logits only if the model has a single output.
    #[arg(long, value_name = "A", value_parser = ActivationName, hide_possible_values = true, help_heading = "Model")]
    activation: Option<Activation>,
}

/// How a model is used.
pub(crate) struct Described {
    /// How its pictures are prepared.
    pub(crate) preprocessing: Preprocessing,
    /// Where that comes from.
    pub(crate) source: String,
    /// Where the labels of its classes come from.
    pub(crate) labels_source: Option<String>,
    /// How to make a classifier of it.
    pub(crate) options: ClassifierOptions,
}

/// What may be assumed about a model's pictures, and about its classes.
const PICTURES: [AssumedField; 1] = [AssumedField::Preprocessing];
const CLASSES: [AssumedField; 2] = [AssumedField::Activation, AssumedField::Labels];

impl DescriptionOptions {
    /// Completes the model's description, as [`DescriptionOptions::complete`] does; reports on standard error what was assumed.
    pub(crate) fn describe(&self, model: &mut Checkpoint) -> Result<Described, Stop> {
        let described = self.complete(model)?;
        assumed::report(model, &PICTURES);
        assumed::report(model, &CLASSES);
        Ok(described)
    }

    /// Completes the model's description: from flags, otherwise from the model, otherwise with the likeliest values.
    pub(crate) fn complete(&self, model: &mut Checkpoint) -> Result<Described, Stop> {
        let classes = model.config.num_classes.unwrap_or(0);
        let mut options = ClassifierOptions::default();
        if let Some(name) = &self.labels {
            options = options.with_labels(labels::read(name, classes)?);
        }
        if let Some(activation) = self.activation {
            if model.config.num_classes == Some(1) && activation == Activation::Softmax {
                let expected = "expected sigmoid or none for a model of one output, whose softmax is always 1";
                return Err(Stop::refused(format!("--activation softmax: {expected}, found softmax")));
            }
            options = options.with_activation(activation);
        }
        let mut described = self.preprocessing.complete(model, options)?;
        if let Some(name) = &self.labels {
            described.labels_source = Some(format!("--labels {name}"));
        }
        Ok(described)
    }
}

impl PreprocessingOptions {
    /// Completes how the model's pictures are prepared, as [`DescriptionOptions::describe`] does.
    pub(crate) fn describe(&self, model: &mut Checkpoint) -> Result<Described, Stop> {
        let described = self.complete(model, ClassifierOptions::default())?;
        assumed::report(model, &PICTURES);
        Ok(described)
    }

    fn complete(&self, model: &mut Checkpoint, options: ClassifierOptions) -> Result<Described, Stop> {
        let options = match self.preprocess.as_ref().map(|name| (name, Preset::named(name))) {
            Some((_, Some(preset))) => options.with_preset(preset),
            Some((path, None)) => options.with_preprocessing(preprocessing_file::read(path)?),
            None => options,
        };
        let named = models::preset(model);
        let described = options.describe(model);
        let Description { preprocessing, preset, .. } = described.map_err(|error| self.attributed(error))?;
        let by = model.origin.as_ref().and_then(|origin| origin.described_by);
        let source = match (&self.preprocess, named, by, preset) {
            (Some(name), ..) if preset.is_some() => format!("--preprocess {name}"),
            (Some(path), ..) => path.clone(),
            (None, Some(preset), ..) => format!("the model's name: the preset {}", preset.name()),
            (None, None, Some(by), _) => by.to_owned(),
            (None, None, None, Some(preset)) => format!("assumed: the preset {}", preset.name()),
            (None, None, None, None) => "assumed".into(),
        };
        let labels_source = model.origin.as_ref().and_then(|origin| origin.labelled_by.clone());
        let Some(resizing) = self.resize else { return Ok(Described { preprocessing, source, labels_source, options }) };
        let preprocessing = resizing.applied(&preprocessing);
        model.preprocessing = Some(preprocessing.clone());
        let options = options.with_preprocessing(preprocessing.clone());
        let source = format!("{source}, with --resize {resizing}");
        Ok(Described { preprocessing, source, labels_source, options })
    }

    /// The error, attributed to the file of `--preprocess`: a model that was opened has no such errors of its own.
    fn attributed(&self, error: Error) -> Stop {
        match (&self.preprocess, error) {
            (Some(path), Error::Preprocessing { field, expected, found, .. }) => {
                Stop::refused(format!("--preprocess {path}: {field}: expected {expected}, found {found}"))
            }
            (_, error) => error.into(),
        }
    }
}
