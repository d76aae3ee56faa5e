//! Flags for what a checkpoint cannot say about its network.

use std::str::FromStr;

use clap::Args;
use densenet_wgpu::checkpoint::{AssumedField, HeadStep, NewChannels, ReadOptions, StemDownsampling};
use densenet_wgpu::network::Stem;
use densenet_wgpu::{Checkpoint, Error};

use super::{assumed, hub};
use crate::exit::Stop;
use crate::message;
use crate::remedy::with_flags;

/// What a checkpoint cannot say about its network.
#[derive(Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct VariantOptions {
    /// The network has no ReLU after its last batch norm
    ///
    /// Keras Applications had none until August 2018, and the weights alone do not show it.
    #[arg(long)]
    no_final_relu: bool,
    /// The pool of the deep stem does not blur, as in densenet264d
    ///
    /// A blur pool has no weights, so a checkpoint does not show whether there is one.
    #[arg(long)]
    no_blur: bool,
    /// Epsilon of the batch norms
    ///
    /// For files of weights alone, if the network was built with an epsilon other than that of its framework's models.
    #[arg(long, value_name = "E")]
    epsilon: Option<f32>,
    /// Which network to read from a file that holds more than one
    ///
    /// The prefix of its tensors' names, as in --root encoder or --root backbone.0; a single dot is the empty prefix. Other tensors are
    /// ignored.
    #[arg(long, value_name = "PREFIX")]
    root: Option<String>,
    /// Which of several heads is the classifier
    ///
    /// The prefix of its tensors' names. The other heads are ignored.
    #[arg(long, value_name = "NAME")]
    head: Option<String>,
    /// The layers of a classifier that has more than one
    ///
    /// All layers in order, for files that do not say what lies between those with weights, as in --head-layers linear,relu,dropout,linear.
    /// Layers are linear, batchnorm, relu, leakyrelu:0.01, silu, gelu, gelu-tanh, tanh, sigmoid, dropout, flatten; at the end softmax,
    /// logsoftmax or sigmoid; at the beginning maxmeanpool (fastai's AdaptiveConcatPool2d) or meanmaxpool (timm's catavgmax). An epsilon
    /// other than the framework's is written batchnorm:0.001.
    #[arg(long, value_name = "L", value_delimiter = ',', value_parser = parsed::<HeadStep>)]
    head_layers: Option<Vec<HeadStep>>,
    /// The stem's stride, and whether a max pool follows
    ///
    /// For stems whose tensors do not show it, as in --stem stride=1,pool=no.
    #[arg(long, value_name = "STEM", value_parser = parsed::<StemDownsampling>)]
    stem: Option<StemDownsampling>,
    /// Where a dense layer puts its new channels: first or last
    ///
    /// For networks whose tensor names match no known repository.
    #[arg(long, value_name = "W", value_parser = parsed::<NewChannels>)]
    new_channels: Option<NewChannels>,
}

/// What may be assumed about a network.
const NETWORK: [AssumedField; 6] = [
    AssumedField::Blur,
    AssumedField::Epsilon,
    AssumedField::FinalRelu,
    AssumedField::NewChannels,
    AssumedField::Padding,
    AssumedField::Pool,
];

impl VariantOptions {
    /// Opens the model of that name; reports what was chosen while reading it, and what was assumed about the network.
    pub(crate) fn open(&self, name: &str) -> Result<Checkpoint, Stop> {
        let model = self.read(name)?;
        assumed::report(&model, &NETWORK);
        Ok(model)
    }

    /// Like [`VariantOptions::open`], but for the features alone: the classifier may be one that is not supported.
    pub(crate) fn open_features(&self, name: &str) -> Result<Checkpoint, Stop> {
        let model = self.read_as(name, &self.read_options().with_features_only(true))?;
        assumed::report(&model, &NETWORK);
        Ok(model)
    }

    /// Like [`VariantOptions::open`], but does not report what was assumed.
    pub(crate) fn read(&self, name: &str) -> Result<Checkpoint, Stop> {
        self.read_as(name, &self.read_options())
    }

    /// How to read the file, according to the flags.
    fn read_options(&self) -> ReadOptions {
        let mut options = ReadOptions::default().with_stem(self.stem.unwrap_or_default());
        options.root.clone_from(&self.root);
        options.head.clone_from(&self.head);
        options.head_layers.clone_from(&self.head_layers);
        options.new_channels = self.new_channels;
        options
    }

    fn read_as(&self, name: &str, options: &ReadOptions) -> Result<Checkpoint, Stop> {
        let mut model = hub::open(name, options)?;
        if let Some(origin) = &model.origin {
            origin.notes.iter().for_each(|note| message::note(&format!("{} {}", model.name, with_flags(note))));
        }
        if self.no_final_relu {
            model.config.final_relu = false;
            model.mark_stated(AssumedField::FinalRelu);
        }
        match &mut model.config.stem {
            Stem::Deep { blur, .. } if self.no_blur => {
                *blur = false;
                model.mark_stated(AssumedField::Blur);
            }
            _ if self.no_blur => {
                return Err(Stop::refused(format!(
                    "--no-blur: expected a model with a deep stem, found {}; remove --no-blur",
                    model.config
                )));
            }
            _ => {}
        }
        if let Some(epsilon) = self.epsilon {
            model.config.epsilon = epsilon;
            model.mark_stated(AssumedField::Epsilon);
            model.check().map_err(|error| Stop::refused(format!("--epsilon {epsilon}: {}", without_file(&error))))?;
        }
        Ok(model)
    }
}

/// Parses a flag's value. The error does not mention a checkpoint.
fn parsed<T: FromStr<Err = Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| without_file(&error))
}

/// What is wrong, without the name of a file.
fn without_file(error: &Error) -> String {
    match error {
        Error::Checkpoint { reason, .. } => reason.clone(),
        error => error.to_string(),
    }
}
