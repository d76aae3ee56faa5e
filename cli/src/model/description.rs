//! How a model's pictures are prepared and what its classes are called: what was asked for, else what it says.

use clap::{Args, ValueHint};
use densenet_wgpu::checkpoint::{Description, Field};
use densenet_wgpu::preprocessing::{Activation, Preprocessing, Preset};
use densenet_wgpu::{Checkpoint, ClassifierOptions, Error, models};

use super::{assumed, labels, preprocessing_file};
use crate::arguments::{ActivationName, LABELS, PRESETS, Resizing};
use crate::exit::Stop;

/// How pictures are prepared.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct PreprocessingOptions {
    /// How pictures are prepared: a preset or a JSON file
    ///
    /// Presets are torchvision, timm, keras, xrv, chexnet, monai, cifar, opencv, tensorflow and monai-tensor. A JSON file has the words in which a converted
    /// checkpoint describes its preprocessing. Default: what the model says, else the preset that fits its origin.
    #[arg(long, value_name = "P", value_parser = PRESETS, hide_possible_values = true)]
    preprocess: Option<String>,
    /// Another way to resize pictures to the model's size
    ///
    /// Modes are squash (whatever the aspect ratio), short_side, cover, square (the largest in the centre) and long_side (padded).
    /// Filters are Pillow's nearest, bilinear, bicubic and lanczos, which antialias; linear and cubic, which do not, as OpenCV's, TensorFlow's
    /// and PyTorch's; OpenCV's area and PyTorch's adaptive_area. Without one it is the model's.
    #[arg(long, value_name = "MODE[:FILTER]")]
    resize: Option<Resizing>,
}

/// How pictures are prepared and what the classes are called.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct DescriptionOptions {
    #[command(flatten)]
    preprocessing: PreprocessingOptions,
    /// What the classes are called: a list's name or a text file
    ///
    /// It counts before what the model says. Lists are chexnet, chexpert, cifar10, svhn, imagenet and xrv. A file has one label a line, in the order of the classes; an
    /// empty line hides an output. Of a folder its folders' names are taken, sorted as text, as torchvision's ImageFolder does.
    #[arg(long, value_name = "L", value_parser = LABELS, hide_possible_values = true, value_hint = ValueHint::FilePath, help_heading = "Model")]
    labels: Option<String>,
    /// What turns logits into probabilities: softmax, sigmoid or none
    ///
    /// softmax: a picture is of one class; sigmoid: of any number; none: logits are all there is. Default: what the model says, or
    /// the preset of --preprocess; else softmax, which rows then call assumed, and logits alone where there is one output.
    #[arg(long, value_name = "A", value_parser = ActivationName, hide_possible_values = true, help_heading = "Model")]
    activation: Option<Activation>,
}

/// What a model is used with.
pub(crate) struct Described {
    /// How its pictures are prepared.
    pub(crate) preprocessing: Preprocessing,
    /// Who said so.
    pub(crate) source: String,
    /// Who said what its classes are called.
    pub(crate) labels_source: Option<String>,
    /// How a classifier of it is made.
    pub(crate) options: ClassifierOptions,
}

/// What may be assumed of a model's pictures, and of its classes.
const PICTURES: [Field; 1] = [Field::Preprocessing];
const CLASSES: [Field; 2] = [Field::Activation, Field::Labels];

impl DescriptionOptions {
    /// Completes the model's description, as [`DescriptionOptions::complete`] does; says on standard error what was assumed.
    pub(crate) fn describe(&self, model: &mut Checkpoint) -> Result<Described, Stop> {
        let described = self.complete(model)?;
        assumed::tell(model, &PICTURES);
        assumed::tell(model, &CLASSES);
        Ok(described)
    }

    /// Completes the model's description: what was asked for, else what it says, else what is likely.
    pub(crate) fn complete(&self, model: &mut Checkpoint) -> Result<Described, Stop> {
        let classes = model.config.num_classes.unwrap_or(0);
        let mut options = ClassifierOptions::default();
        if let Some(name) = &self.labels {
            options = options.with_labels(labels::asked(name, classes)?);
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
        assumed::tell(model, &PICTURES);
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
        let Description { preprocessing, preset, .. } = described.map_err(|error| self.blamed(error))?;
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

    /// What is wrong, in the file that says it: a model that was opened has none of these errors of its own.
    fn blamed(&self, error: Error) -> Stop {
        match (&self.preprocess, error) {
            (Some(path), Error::Preprocessing { field, expected, found, .. }) => {
                Stop::refused(format!("--preprocess {path}: {field}: expected {expected}, found {found}"))
            }
            (_, error) => error.into(),
        }
    }
}
