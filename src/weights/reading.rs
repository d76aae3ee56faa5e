//! What whoever opens a file says of the network in it, where the file does not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::preprocessing::Activation;
use crate::error::{Error, Result};
use crate::head::HeadLayer;
use crate::nonlinearity::Nonlinearity;

/// How a file is read: what of it is wanted, and what tensors do not tell.
///
/// ```
/// use densenet_wgpu::checkpoint::{HeadStep, Reading};
/// use densenet_wgpu::network::HeadLayer;
/// use densenet_wgpu::{Checkpoint, Config};
///
/// let layers = vec![HeadLayer::Linear { features: 6 }, HeadLayer::Relu, HeadLayer::Linear { features: 2 }];
/// let model = Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_head(layers), 1)?;
/// let read = Reading::default().from_bytes(&model.to_bytes()?, "mine")?; // it describes its head itself
/// assert_eq!(read.config, model.config);
///
/// let steps = "linear,dropout,linear".split(',').map(str::parse).collect::<densenet_wgpu::Result<Vec<HeadStep>>>()?;
/// let reading = Reading::default().with_head_layers(steps);
/// assert_eq!(reading.from_bytes(&model.to_bytes()?, "mine")?.config.head.len(), 2); // said otherwise
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// Where in the file the network is: what stands before its tensors' names. What is beside it is passed over.
    pub root: Option<String>,
    /// Which of several heads is the classifier: what its tensors' names begin with. Others are passed over.
    pub head: Option<String>,
    /// The classifier's layers, those without tensors too.
    pub head_layers: Option<Vec<HeadStep>>,
    /// How the picture enters, in place of what the file says.
    pub entry: Entry,
    /// Whether the channels of a new layer come before or behind those it read, in place of what the file's names tell.
    pub new_channels: Option<NewChannels>,
    /// Whether the features alone are wanted: a classifier that is not understood, and what is beside the network, are passed over.
    pub features_only: bool,
}

/// What a stem's tensors do not tell.
///
/// ```
/// use densenet_wgpu::checkpoint::Entry;
///
/// let entry: Entry = "stride=1,pool=no".parse()?;
/// assert_eq!((entry.stride, entry.pool), (Some(1), Some(false)));
/// assert!("stride=one".parse::<Entry>().is_err());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    /// Whether a 3x3 max pool with stride 2 follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<bool>,
    /// How far the first convolution moves, 1 to 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
}

impl Entry {
    /// What is told here, else what `other` tells.
    pub(super) fn or(self, other: Self) -> Self {
        Self { pool: self.pool.or(other.pool), stride: self.stride.or(other.stride) }
    }

    /// Errors where the stride is none that a stem has.
    pub(super) fn check(self) -> Result<()> {
        match self.stride {
            Some(stride) if !(1..=4).contains(&stride) => {
                Err(Error::checkpoint(format!("stem: expected a stride from 1 to 4, found {stride}")))
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for Entry {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Error::checkpoint(format!("stem: expected stride=1 to stride=4, pool=yes or pool=no, or both with a comma, found {text:?}"));
        let mut entry = Self::default();
        for part in text.split(',') {
            match part.trim().split_once('=').ok_or_else(wrong)? {
                ("stride", number) => entry.stride = Some(number.parse().map_err(|_| wrong())?),
                ("pool", "yes" | "true") => entry.pool = Some(true),
                ("pool", "no" | "false") => entry.pool = Some(false),
                _ => return Err(wrong()),
            }
        }
        entry.check().map(|()| entry)
    }
}

/// Where a dense layer's new channels come.
///
/// ```
/// use densenet_wgpu::checkpoint::NewChannels;
///
/// assert_eq!("first".parse::<NewChannels>()?, NewChannels::First);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewChannels {
    /// Before those it read: `torch.cat([new, old], 1)`.
    First,
    /// Behind them, as in the paper's code and torchvision.
    Last,
}

/// As it is read.
impl fmt::Display for NewChannels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Last => "last",
        })
    }
}

impl FromStr for NewChannels {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "first" => Ok(Self::First),
            "last" => Ok(Self::Last),
            _ => Err(Error::checkpoint(format!("new channels: expected first or last, found {text:?}"))),
        }
    }
}

/// A layer of a classifier, with tensors or without.
///
/// ```
/// use densenet_wgpu::checkpoint::HeadStep;
///
/// assert_eq!("BatchNorm1d".parse::<HeadStep>()?, HeadStep::BatchNorm { epsilon: None });
/// assert_eq!("batchnorm:0.001".parse::<HeadStep>()?.to_string(), "batchnorm:0.001");
/// assert_eq!("leakyrelu:0.2".parse::<HeadStep>()?.to_string(), "leakyrelu:0.2");
/// assert!("maxout".parse::<HeadStep>().unwrap_err().to_string().contains("relu"));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum HeadStep {
    /// A pool of maxima and then means, or of means and then maxima.
    Pool(HeadLayer),
    /// A fully connected layer.
    Linear,
    /// Batch normalisation.
    BatchNorm {
        /// Added to the variance; PyTorch's `1e-5` where it is not said, Keras's `1e-3` in its files.
        epsilon: Option<f32>,
    },
    /// An activation between layers; a sigmoid there is [`HeadStep::Ends`] with layers behind it.
    Activation(HeadLayer),
    /// What turns logits into probabilities, at the end.
    Ends(Activation),
    /// What does nothing in evaluation.
    Nothing,
}

impl HeadStep {
    /// Every word there is.
    const WORDS: [(&str, Self); 18] = [
        ("linear", Self::Linear),
        ("batchnorm", Self::BatchNorm { epsilon: None }),
        ("relu", Self::Activation(HeadLayer::Relu)),
        ("silu", Self::other(Nonlinearity::Silu)),
        ("swish", Self::other(Nonlinearity::Silu)),
        ("gelu", Self::other(Nonlinearity::Gelu)),
        ("gelu-tanh", Self::other(Nonlinearity::GeluTanh)),
        ("tanh", Self::other(Nonlinearity::Tanh)),
        ("dropout", Self::Nothing),
        ("flatten", Self::Nothing),
        ("identity", Self::Nothing),
        ("maxmeanpool", Self::Pool(HeadLayer::MaxMeanPool)),
        ("meanmaxpool", Self::Pool(HeadLayer::MeanMaxPool)),
        ("adaptiveconcatpool", Self::Pool(HeadLayer::MaxMeanPool)),
        ("catavgmax", Self::Pool(HeadLayer::MeanMaxPool)),
        ("softmax", Self::Ends(Activation::Softmax)),
        ("logsoftmax", Self::Ends(Activation::Softmax)),
        ("sigmoid", Self::Ends(Activation::Sigmoid)),
    ];

    /// Another activation than ReLU.
    pub(super) const fn other(nonlinearity: Nonlinearity) -> Self {
        Self::Activation(HeadLayer::Nonlinearity(nonlinearity))
    }

    /// The activation that it is between two layers, where it may be one.
    pub(super) fn between(self) -> Option<HeadLayer> {
        match self {
            Self::Activation(layer) => Some(layer),
            Self::Ends(Activation::Sigmoid) => Some(HeadLayer::Nonlinearity(Nonlinearity::Sigmoid)),
            _ => None,
        }
    }

    /// Whether it has tensors.
    pub(super) fn has_tensors(self) -> bool {
        matches!(self, Self::Linear | Self::BatchNorm { .. })
    }
}

impl FromStr for HeadStep {
    type Err = Error;

    /// Reads a word, or the name of PyTorch's module.
    fn from_str(text: &str) -> Result<Self> {
        let lower = text.trim().to_lowercase();
        let epsilon = lower.strip_prefix("batchnorm:").and_then(|epsilon| epsilon.parse().ok());
        if let Some(epsilon) = epsilon.filter(|epsilon: &f32| epsilon.is_finite() && *epsilon >= 0.0) {
            return Ok(Self::BatchNorm { epsilon: Some(epsilon) });
        }
        let slope = lower.strip_prefix("leakyrelu:").and_then(|slope| slope.parse().ok());
        if let Some(slope) = slope.filter(|slope: &f32| slope.is_finite()) {
            return Ok(Self::other(Nonlinearity::LeakyRelu { slope }));
        }
        let word = ["1d", "2d"].iter().find_map(|ending| lower.strip_suffix(ending)).unwrap_or(&lower);
        let known = Self::WORDS.iter().find(|(known, _)| *known == word);
        known.map(|(_, step)| *step).ok_or_else(|| {
            let words: Vec<&str> = Self::WORDS.iter().map(|(word, _)| *word).collect();
            Error::checkpoint(format!(
                "head layers: expected {}, leakyrelu with its slope (leakyrelu:0.01), found {text:?}",
                words.join(", ")
            ))
        })
    }
}

/// As it is read.
impl fmt::Display for HeadStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::BatchNorm { epsilon: Some(epsilon) } = self {
            return write!(f, "batchnorm:{epsilon}");
        }
        if let Self::Activation(layer) = self {
            return layer.fmt(f);
        }
        let word = Self::WORDS.iter().find(|(_, step)| step == self);
        f.write_str(word.map_or("?", |(word, _)| word))
    }
}

impl Reading {
    /// Reads the network whose tensors' names begin so.
    #[must_use]
    pub fn with_root(self, root: impl Into<String>) -> Self {
        Self { root: Some(root.into()), ..self }
    }

    /// Takes the head whose tensors' names begin so.
    #[must_use]
    pub fn with_head(self, head: impl Into<String>) -> Self {
        Self { head: Some(head.into()), ..self }
    }

    /// Takes the classifier for one of these layers.
    #[must_use]
    pub fn with_head_layers(self, layers: Vec<HeadStep>) -> Self {
        Self { head_layers: Some(layers), ..self }
    }

    /// Takes the stem for one that picture enters so.
    #[must_use]
    pub fn with_entry(self, entry: Entry) -> Self {
        Self { entry, ..self }
    }

    /// Takes the new channels of a dense layer to come there.
    #[must_use]
    pub fn with_new_channels(self, new_channels: NewChannels) -> Self {
        Self { new_channels: Some(new_channels), ..self }
    }

    /// Reads the features alone, or the classifier too.
    #[must_use]
    pub fn with_features_only(self, features_only: bool) -> Self {
        Self { features_only, ..self }
    }
}
