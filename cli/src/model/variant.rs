//! What a checkpoint cannot tell about its network, and the flags that say it.

use std::str::FromStr;

use clap::Args;
use densenet_wgpu::checkpoint::{Entry, Field, HeadStep, NewChannels, Reading};
use densenet_wgpu::network::Stem;
use densenet_wgpu::{Checkpoint, Error};

use super::{assumed, hub};
use crate::exit::Stop;
use crate::message;
use crate::remedy::flagged;

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

/// What may be assumed of a network.
const NETWORK: [Field; 6] = [Field::Blur, Field::Epsilon, Field::FinalRelu, Field::NewChannels, Field::Padding, Field::Pool];

impl VariantOptions {
    /// Opens the model of that name; says what was chosen while reading it, and what was assumed of the network.
    pub(crate) fn open(&self, name: &str) -> Result<Checkpoint, Stop> {
        let model = self.read(name)?;
        assumed::tell(&model, &NETWORK);
        Ok(model)
    }

    /// [`VariantOptions::open`] for the features alone: a classifier need not be understood.
    pub(crate) fn open_features(&self, name: &str) -> Result<Checkpoint, Stop> {
        let model = self.read_as(name, &self.reading().with_features_only(true))?;
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
