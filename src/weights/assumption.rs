//! What nothing states of a model, and what is assumed instead.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something about a model that neither its file nor the caller states.
///
/// ```
/// use densenet_wgpu::checkpoint::AssumedField;
/// use densenet_wgpu::{Checkpoint, Config};
///
/// let mut model = Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(2)), 1)?;
/// model.complete_description(None);
/// let activation = model.assumed.iter().find(|assumed| assumed.field == AssumedField::Activation).expect("weights do not tell it");
/// assert_eq!(activation.value.as_deref(), Some("softmax"));
/// assert_eq!(activation.to_string(), "activation: softmax is assumed; weights alone do not tell it");
/// let labels = model.assumed.iter().find(|assumed| assumed.field == AssumedField::Labels).expect("nor the classes' names");
/// assert_eq!(labels.to_string(), "labels: open; nothing names the model's 2 classes");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Assumption {
    /// What it is about.
    pub field: AssumedField,
    /// What is assumed; `None` where it stays open: answers then leave out what would depend on it.
    pub value: Option<String>,
    /// Why it is assumed or open.
    pub why: String,
}

/// What a file may leave unstated and is then assumed or open, in alphabetical order.
///
/// ```
/// use densenet_wgpu::checkpoint::AssumedField;
///
/// assert_eq!(AssumedField::FinalRelu.name(), "final_relu");
/// assert_eq!(serde_json::to_string(&AssumedField::FinalRelu)?, "\"final_relu\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AssumedField {
    /// What turns logits into probabilities.
    Activation,
    /// Whether a deep stem's pool blurs.
    Blur,
    /// Batch norm's epsilon.
    Epsilon,
    /// Whether a ReLU follows the last batch norm.
    FinalRelu,
    /// What the classes are called, and in which order.
    Labels,
    /// Where a dense layer's new channels come.
    NewChannels,
    /// Whether strided layers have as many zeros on one side as on the other.
    Padding,
    /// What pools the features that the classifier reads.
    Pool,
    /// How pictures are prepared.
    Preprocessing,
}

impl AssumedField {
    /// Its name, as metadata and rows have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Blur => "blur",
            Self::Epsilon => "epsilon",
            Self::FinalRelu => "final_relu",
            Self::Labels => "labels",
            Self::NewChannels => "new_channels",
            Self::Padding => "padding",
            Self::Pool => "pool",
            Self::Preprocessing => "preprocessing",
        }
    }
}

impl Assumption {
    /// `value` is assumed for `field`.
    pub(crate) fn of(field: AssumedField, value: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field, value: Some(value.into()), why: why.into() }
    }

    /// Nothing is assumed for `field`.
    pub(crate) fn open(field: AssumedField, why: impl Into<String>) -> Self {
        Self { field, value: None, why: why.into() }
    }
}

/// As one line of text.
impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, why } = self;
        match value {
            Some(value) => write!(f, "{}: {value} is assumed; {why}", field.name()),
            None => write!(f, "{}: open; {why}", field.name()),
        }
    }
}
