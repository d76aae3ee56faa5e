//! A fitted head.

use super::loss::Coefficients;
use super::targets::Targets;
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::weights::{AssumedField, Checkpoint, Tensor};

/// One linear layer from a network's features to logits.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The names of its classes.
    pub labels: Vec<String>,
    /// What makes probabilities of its logits: softmax if each picture has one class, sigmoid if it has any number.
    pub activation: Activation,
    /// What features are multiplied by, `[classes, features]` in row-major order.
    pub weights: Vec<f32>,
    /// What is added for each class.
    pub biases: Vec<f32>,
}

impl Head {
    pub(super) fn new(labels: &[String], targets: &Targets, coefficients: &Coefficients) -> Self {
        let Coefficients { weights, biases } = coefficients;
        let is_of_two = matches!(targets, Targets::Each { is_of_two: true, .. });
        // One logit of two classes is the difference of two.
        let halves: &[f64] = if is_of_two { &[-0.5, 0.5] } else { &[1.0] };
        let all = |values: &dyn Fn(f64) -> Vec<f32>| halves.iter().flat_map(|&half| values(half)).collect();
        Self {
            labels: labels.to_vec(),
            activation: if is_of_two || matches!(targets, Targets::Class { .. }) { Activation::Softmax } else { Activation::Sigmoid },
            weights: all(&|half| weights.iter().map(|weight| (half * weight) as f32).collect()),
            biases: all(&|half| biases.iter().map(|bias| (half * bias) as f32).collect()),
        }
    }

    /// A network that has this head instead of its own, and otherwise prepares and sees pictures as `base` does. Nothing of its classes
    /// is assumed.
    ///
    /// Errors if the head is not for features of this network.
    pub fn in_place_of(&self, base: Checkpoint) -> Result<Checkpoint> {
        let classes = self.labels.len();
        let mut model = base;
        model.config = model.config.with_classes(Some(classes));
        let others: Vec<String> =
            model.weights.iter().map(|(name, _)| name.to_owned()).filter(|name| name.starts_with("classifier")).collect();
        others.iter().for_each(|name| drop(model.weights.remove(name)));
        let columns = self.weights.len() / classes.max(1);
        model.weights.insert("classifier.weight", Tensor { shape: vec![classes, columns], data: self.weights.clone() });
        model.weights.insert("classifier.bias", Tensor { shape: vec![classes], data: self.biases.clone() });
        model.labels = Some(self.labels.clone());
        (model.thresholds, model.origin, model.card) = (None, None, None);
        match &mut model.preprocessing {
            Some(preprocessing) => preprocessing.activation = self.activation,
            None => {
                let expected = "a base whose preprocessing is known; complete its description first".into();
                return Err(Error::Options { expected, found: "none".into() });
            }
        }
        // The pool in front of a head of several layers went with it.
        [AssumedField::Labels, AssumedField::Activation, AssumedField::Pool].into_iter().for_each(|field| model.mark_stated(field));
        model.check()?;
        Ok(model)
    }
}
