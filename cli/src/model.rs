//! `--model M`: a bundled model, one from the hub, or a file.

use std::str::FromStr;

use clap::{Args, ValueHint};
use densenet_wgpu::checkpoint::{Description, Entry, Field, HeadStep, NewChannels, Reading};
use densenet_wgpu::internal::DEFAULT_SIZE;
use densenet_wgpu::network::Stem;
use densenet_wgpu::preprocessing::{Activation, Preprocessing, Preset};
use densenet_wgpu::{Checkpoint, ClassifierOptions, Error, models};

use super::assumed;
use super::exit::Stop;
use super::hub;
use super::known::{ActivationName, LABELS, MODELS, PRESETS};
use super::message;
use super::named_classes;
use super::preprocessing_file;
use super::remedy::flagged;
use super::resize::Resizing;
use super::size::Size;

/// Which model to run.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelOptions {
    /// A checkpoint file, or the name of a model
    ///
    /// Files are those of PyTorch, Keras or safetensors, known by their content; one that has the name of a model needs ./
    /// before it. The model digits is inside the program; published ones, such as densenet121, and
    /// `hf://OWNER/REPOSITORY[@REVISION][/FILE]` are fetched once.
    #[arg(long, short, value_name = "M", value_parser = MODELS, hide_possible_values = true)]
    pub(crate) model: Option<String>,
    #[command(flatten)]
    pub(crate) variant: VariantOptions,
}

/// What a checkpoint cannot tell about its network.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct VariantOptions {
    /// The network has no ReLU after its last batch norm
    ///
    /// Keras Applications had none until August 2018, and weights alone do not tell.
    #[arg(long)]
    no_final_relu: bool,
    /// The pool of a deep stem does not blur, as that of densenet264d
    ///
    /// A pool that blurs has no weights that would tell it from one that does not.
    #[arg(long)]
    no_blur: bool,
    /// Batch norm's epsilon
    ///
    /// For weights alone, of a network that was built with another epsilon than its framework's models.
    #[arg(long, value_name = "E")]
    epsilon: Option<f32>,
    /// Which network of a file that holds more
    ///
    /// It is what the names of its tensors begin with, as in --root encoder, --root backbone.0; a single point stands for nothing.
    /// What is beside the network is passed over.
    #[arg(long, value_name = "PREFIX")]
    root: Option<String>,
    /// Which of several heads is the classifier
    ///
    /// It is what the names of its tensors begin with. The others are passed over.
    #[arg(long, value_name = "NAME")]
    head: Option<String>,
    /// The layers of a classifier that has several
    ///
    /// All of them in order, where the file does not tell what is between those with weights, as in --head-layers
    /// linear,relu,dropout,linear. Words are linear, batchnorm, relu, leakyrelu:0.01, silu, gelu, gelu-tanh, tanh, sigmoid, dropout,
    /// flatten, at the end softmax, logsoftmax or sigmoid, and at the beginning maxmeanpool (fastai's AdaptiveConcatPool2d) or
    /// meanmaxpool (timm's catavgmax). Another epsilon than the framework's is batchnorm:0.001.
    #[arg(long, value_name = "L", value_delimiter = ',', value_parser = said::<HeadStep>)]
    head_layers: Option<Vec<HeadStep>>,
    /// The stem's stride, and whether a max pool follows
    ///
    /// For stems whose tensors do not tell it, as in --stem stride=1,pool=no.
    #[arg(long, value_name = "STEM", value_parser = said::<Entry>)]
    stem: Option<Entry>,
    /// Where a dense layer's new channels come: first or last
    ///
    /// For networks whose names are of no repository that is known.
    #[arg(long, value_name = "W", value_parser = said::<NewChannels>)]
    new_channels: Option<NewChannels>,
}

/// What may be assumed of a network, of its pictures, and of its classes.
const NETWORK: [Field; 6] = [Field::Blur, Field::Epsilon, Field::FinalRelu, Field::NewChannels, Field::Padding, Field::Pool];
const PICTURES: [Field; 1] = [Field::Preprocessing];
const CLASSES: [Field; 2] = [Field::Activation, Field::Labels];

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

impl ModelOptions {
    /// Opens the model; without `--model` says which one is always there.
    pub(crate) fn open(&self) -> Result<Checkpoint, Stop> {
        match &self.model {
            Some(name) => self.variant.open(name),
            None => Err(Stop::refused("--model M is missing; M is a checkpoint file or the name of a model: --model digits")),
        }
    }

    /// Opens the model; without `--model` that of the given name.
    pub(crate) fn open_or(&self, name: &str) -> Result<Checkpoint, Stop> {
        self.variant.open(self.model.as_deref().unwrap_or(name))
    }

    /// [`ModelOptions::open_or`] for the features alone: a classifier need not be understood.
    pub(crate) fn open_features_or(&self, name: &str) -> Result<Checkpoint, Stop> {
        let name = self.model.as_deref().unwrap_or(name);
        let model = self.variant.read_as(name, &self.variant.reading().with_features_only(true))?;
        assumed::tell(&model, &NETWORK);
        Ok(model)
    }
}

impl VariantOptions {
    /// Opens the model of that name; says what was chosen while reading it, and what was assumed of the network.
    pub(crate) fn open(&self, name: &str) -> Result<Checkpoint, Stop> {
        let model = self.read(name)?;
        assumed::tell(&model, &NETWORK);
        Ok(model)
    }

    /// [`VariantOptions::open`] without a word of what was assumed.
    pub(crate) fn read(&self, name: &str) -> Result<Checkpoint, Stop> {
        self.read_as(name, &self.reading())
    }

    /// What was said of how to read a file.
    fn reading(&self) -> Reading {
        let mut reading = Reading::default().with_entry(self.stem.unwrap_or_default());
        reading.root.clone_from(&self.root);
        reading.head.clone_from(&self.head);
        reading.head_layers.clone_from(&self.head_layers);
        reading.new_channels = self.new_channels;
        reading
    }

    fn read_as(&self, name: &str, reading: &Reading) -> Result<Checkpoint, Stop> {
        let mut model = hub::open(name, reading)?;
        if let Some(origin) = &model.origin {
            origin.notes.iter().for_each(|note| message::note(&format!("{} {}", model.name, flagged(note))));
        }
        if self.no_final_relu {
            model.config.final_relu = false;
            model.settle(Field::FinalRelu);
        }
        match &mut model.config.stem {
            Stem::Deep { blur, .. } if self.no_blur => {
                *blur = false;
                model.settle(Field::Blur);
            }
            _ if self.no_blur => {
                return Err(Stop::refused(format!(
                    "--no-blur: expected a model with a deep stem, found {}; leave --no-blur away",
                    model.config
                )));
            }
            _ => {}
        }
        if let Some(epsilon) = self.epsilon {
            model.config.epsilon = epsilon;
            model.settle(Field::Epsilon);
            model.check().map_err(|error| Stop::refused(format!("--epsilon {epsilon}: {}", without_file(&error))))?;
        }
        Ok(model)
    }
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
            options = options.with_labels(named_classes::asked(name, classes)?);
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

/// What the library reads of a flag's value. No checkpoint is to blame where that is nothing.
fn said<T: FromStr<Err = Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| without_file(&error))
}

/// What is wrong, without the file that is not to blame for it.
fn without_file(error: &Error) -> String {
    match error {
        Error::Checkpoint { reason, .. } => reason.clone(),
        error => error.to_string(),
    }
}

/// The size to plan for: `--size`, else the model's own, else 224x224.
pub(crate) fn size(asked: Option<Size>, preprocessing: Option<&Preprocessing>) -> Size {
    asked.unwrap_or_else(|| {
        let [height, width] = preprocessing.and_then(Preprocessing::size).unwrap_or(DEFAULT_SIZE);
        Size { height, width }
    })
}
