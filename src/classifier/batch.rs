//! Batches of inputs.

use super::images::Images;
use super::inner::Inner;
use super::prediction::Prediction;
use super::preparation::Ready;
use super::reader::Read;
use super::runner::{Run, Runner};
use super::threads::panicked;
use crate::error::Result;

/// A batch on one device.
pub(super) struct Batch<T> {
    reads: Vec<Read<T>>,
    /// The run of the readable inputs, if there are any.
    run: Option<Result<Run>>,
}

impl<T> Batch<T> {
    /// Starts a batch.
    pub(super) fn start(runner: &Runner, reads: Vec<Read<T>>) -> Self {
        let images: Vec<&Images> = reads.iter().filter_map(|read| Some(&read.ready.as_ref().ok()?.images)).collect();
        let run = (!images.is_empty()).then(|| runner.start(&images));
        Self { reads, run }
    }

    /// Waits for the results. If the run fails, its inputs run one by one, so that each gets its own answer or error.
    pub(super) fn wait(self, classifier: &Inner, runner: &Runner) -> Vec<(T, Result<Prediction>)> {
        let Self { reads, run } = self;
        let ready: Vec<&Ready> = reads.iter().filter_map(|read| read.ready.as_ref().ok()).collect();
        let answers = match (run, ready.first()) {
            (Some(run), Some(first)) => {
                let outputs = runner.learnt(run.and_then(Run::wait));
                outputs.and_then(|outputs| classifier.network.answers(&outputs, ready.len(), first.images.size())).ok()
            }
            _ => None,
        };
        let mut answers = answers.map(Vec::into_iter);
        let finished = |Read { tag, ready }: Read<T>| {
            let prediction = ready.and_then(|ready| match &mut answers {
                None => classifier.run_on(runner, ready),
                Some(answers) => {
                    let answer = answers.next().ok_or_else(panicked)?;
                    Ok(classifier.prediction(ready, answer))
                }
            });
            (tag, prediction)
        };
        reads.into_iter().map(finished).collect()
    }
}
