//! What a head was fitted to, and how good it was.

use serde::{Deserialize, Serialize};

// Fields in alphabetical order, as in `Metadata`.

/// What a checkpoint's head was fitted to, and how good it was: a part of its [`Metadata`](super::Metadata).
///
/// ```
/// use densenet_wgpu::checkpoint::{FittedClass, ModelCard};
///
/// let mut card = ModelCard { base: "digits".into(), data: "pets".into(), regularisation: 0.1, ..ModelCard::default() };
/// card.classes.push(FittedClass { holdout: 10, label: "cat".into(), train: 40 });
/// let text = serde_json::to_string(&card)?;
/// assert_eq!(serde_json::from_str::<ModelCard>(&text)?, card);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The name of the model whose features it reads.
    pub base: String,
    /// What tells that model's tensors from any others ([`Weights::identity`](crate::checkpoint::Weights::identity)).
    pub base_identity: String,
    /// Its classes.
    pub classes: Vec<FittedClass>,
    /// The share of the pictures that a cross-validation on those that were learned from found right; `None` of findings.
    pub cross_validated_top1: Option<f64>,
    /// The name of the folder or table that the pictures came from.
    pub data: String,
    /// The day on which it was fitted, as 2026-11-30.
    pub date: String,
    /// How many pictures were held out.
    pub holdout: usize,
    /// The mean negative logarithm of the truth's probability on pictures that were held out; `None` without any.
    pub holdout_log_loss: Option<f64>,
    /// The share of the pictures that were held out which it found right; `None` of findings, or without any.
    pub holdout_top1: Option<f64>,
    /// scikit-learn's `C`, of which a smaller one regularises more.
    pub regularisation: f64,
    /// The seed of the split.
    pub seed: u64,
    /// How many pictures were learned from.
    pub train: usize,
}

/// A class that a head was fitted to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FittedClass {
    /// How many pictures of it were held out.
    pub holdout: usize,
    /// Its name.
    pub label: String,
    /// How many pictures of it were learned from.
    pub train: usize,
}
