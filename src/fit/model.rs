//! A fitted head in its network, with its card.

use super::fitting::Fitted;
use crate::error::Result;
use crate::weights::{Checkpoint, FittedClass, ModelCard};

impl Fitted {
    /// The network of `base` with this head, called after `data`, the name of the pictures' folder or table, and with a card that says
    /// what it was fitted to, on which day (`date`, as 2026-11-30), and how good it was. What `base` says of its pictures must be
    /// complete ([`ClassifierOptions::describe`](crate::ClassifierOptions::describe)).
    ///
    /// Errors if the head is not for features of `base`.
    pub fn model(&self, base: Checkpoint, data: &str, date: &str) -> Result<Checkpoint> {
        let classes = self.head.labels.iter().zip(&self.counts);
        let card = ModelCard {
            base: base.name.clone(),
            base_identity: base.weights.identity(),
            classes: classes.map(|(label, &[train, holdout])| FittedClass { holdout, label: label.clone(), train }).collect(),
            cross_validated_top1: self.cross_validated_top1,
            data: data.to_owned(),
            date: date.to_owned(),
            holdout: self.holdout,
            holdout_log_loss: self.evaluation.as_ref().and_then(|evaluation| evaluation.log_loss),
            holdout_top1: self.holdout_top1(),
            regularisation: self.regularisation,
            seed: self.options.seed,
            train: self.train,
        };
        Ok(self.head.in_place_of(base)?.with_name(data).with_card(card))
    }
}
