//! The state that a classifier shares with its clones and streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::network::{Answer, Network};
use super::prediction::Prediction;
use super::preparation::{Preparation, Ready};
use super::runner::{Run, Runner};
use super::threads::{Threads, panicked};
use crate::arch::Config;
use crate::error::Result;
use crate::labels::Postprocessing;
use crate::weights::Assumption;

/// A model, its devices, and the threads that read pictures.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) name: String,
    pub(super) config: Config,
    pub(super) postprocessing: Arc<Postprocessing>,
    pub(super) assumed: Vec<Assumption>,
    pub(super) notes: Vec<String>,
    pub(super) size: [usize; 2],
    pub(super) devices: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) network: Network,
    pub(super) preparation: Arc<Preparation>,
    pub(super) runners: Vec<Runner>,
    /// Sources per batch on a device.
    pub(super) batch: usize,
    pub(super) keeps_inputs: bool,
    pub(super) threads: Arc<Threads>,
    /// Number of sources that were classified on their own, so that several devices take turns.
    pub(super) taken: AtomicUsize,
}

impl Inner {
    /// The device for the next source.
    pub(super) fn turn(&self) -> usize {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        let mut in_turn = (0..self.runners.len()).map(|next| (taken + next) % self.runners.len());
        in_turn.find(|&device| self.runners[device].failure().is_none()).unwrap_or(0)
    }

    pub(super) fn run_on(&self, runner: &Runner, ready: Ready) -> Result<Prediction> {
        let outputs = runner.learnt(runner.start(&[&ready.images]).and_then(Run::wait))?;
        self.single(ready, &outputs)
    }

    /// The prediction for one source, from outputs for it alone.
    pub(super) fn single(&self, ready: Ready, outputs: &[Vec<f32>]) -> Result<Prediction> {
        let answer = self.network.answers(outputs, 1, ready.images.size())?.pop().ok_or_else(panicked)?;
        Ok(self.prediction(ready, answer))
    }

    pub(super) fn prediction(&self, Ready { images, picture_summary, picture }: Ready, answer: Answer) -> Prediction {
        let Answer { logits, features, class_maps } = answer;
        Prediction {
            postprocessing: Arc::clone(&self.postprocessing),
            crops: images.count(),
            logits,
            features,
            class_maps,
            size: images.size(),
            picture_summary,
            picture,
            input: self.keeps_inputs.then(|| Arc::new(images)),
        }
    }
}
