//! A step of a classifier, as a caller states it.

use std::fmt;
use std::str::FromStr;

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::head::HeadLayer;
use crate::nonlinearity::Nonlinearity;

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
        /// Added to the variance; PyTorch's `1e-5` by default, Keras's `1e-3` in its files.
        epsilon: Option<f32>,
    },
    /// An activation between layers; a sigmoid there is [`HeadStep::OutputActivation`] with layers behind it.
    Activation(HeadLayer),
    /// What turns logits into probabilities, behind the last layer.
    OutputActivation(Activation),
    /// What does nothing in evaluation.
    Nothing,
}

impl HeadStep {
    /// Every word.
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
        ("softmax", Self::OutputActivation(Activation::Softmax)),
        ("logsoftmax", Self::OutputActivation(Activation::Softmax)),
        ("sigmoid", Self::OutputActivation(Activation::Sigmoid)),
    ];

    /// An activation other than ReLU.
    pub(in crate::weights) const fn other(nonlinearity: Nonlinearity) -> Self {
        Self::Activation(HeadLayer::Nonlinearity(nonlinearity))
    }

    /// The activation that it is between two layers, where it may be one.
    pub(in crate::weights) fn between(self) -> Option<HeadLayer> {
        match self {
            Self::Activation(layer) => Some(layer),
            Self::OutputActivation(Activation::Sigmoid) => Some(HeadLayer::Nonlinearity(Nonlinearity::Sigmoid)),
            _ => None,
        }
    }

    /// Whether it has tensors.
    pub(in crate::weights) fn has_tensors(self) -> bool {
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

/// In the words that [`FromStr`] reads.
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
