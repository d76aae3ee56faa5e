//! Pictures through a classifier, as they come.

use clap::Args;
use densenet_wgpu::predictions::StreamOptions;
use densenet_wgpu::{Classifier, ClassifierOptions, Prediction};

use super::dump::Dump;
use super::exit::Stop;
use super::inputs::{Input, Inputs, Subject};
use super::interrupt::{self, Grace};
use super::pictures::Notices;
use super::remedy::{told, told_in_row};
use super::terminal::progress::Progress;

/// How pictures go through a network.
#[derive(Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct BatchOptions {
    /// Pictures that run at once
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
}

impl BatchOptions {
    /// What was asked for, for a classifier.
    pub(crate) fn asked(&self, options: ClassifierOptions) -> ClassifierOptions {
        options.with_batch(self.batch as usize)
    }
}

/// An input that went through the network, or did not.
pub(crate) struct Finished {
    /// Its place among all inputs, from 0.
    pub(crate) number: usize,
    /// Whose row it is.
    pub(crate) subject: Subject,
    /// What the network made of it, or what went wrong. The message leaves the path to the row.
    pub(crate) prediction: Result<Prediction, String>,
}

/// Inputs to run.
pub(crate) struct Stream<'a> {
    /// What runs them.
    pub(crate) classifier: &'a Classifier,
    /// Where they come from.
    pub(crate) inputs: Inputs,
    /// Where what goes into the network is written too.
    pub(crate) dump: Option<Dump>,
    /// Who sees how far it is.
    pub(crate) progress: Progress,
}

impl Stream<'_> {
    /// Runs them all, and hands `finish` every input in its order, those that ran together at once. Says what a person
    /// should know about the pictures. Ends early where `finish` stops, an input cannot be written, a device is lost, or a
    /// signal asks for it: then what is under way is still finished.
    pub(crate) fn run(self, mut finish: impl FnMut(Vec<Finished>) -> Result<(), Stop>) -> Result<(), Stop> {
        let Self { classifier, inputs, mut dump, progress } = self;
        let _grace = Grace::begin();
        let options = StreamOptions::default().with_live(inputs.are_sent()).with_stop(interrupt::flag());
        let tagged = inputs.map(|Input { number, subject, content }| ((number, subject), content.into()));
        let mut predictions = classifier.stream(tagged, options)?;
        let mut notices = Notices::default();
        while let Some(batch) = predictions.next_batch() {
            // What fails with a device fails by no fault of its pictures: they get no row, so that another run can try them.
            let failed = batch.iter().any(|(_, prediction)| prediction.is_err());
            if let Some(failure) = classifier.failure().filter(|_| failed) {
                return Err(Stop::failed(format!("{}; inputs that have no row yet were not tried", told(&failure))));
            }
            for ((_, subject), prediction) in &batch {
                let Ok(prediction) = prediction else { continue };
                prediction.seen().inspect(|seen| notices.look_at(subject, seen));
                dump.as_mut().map_or(Ok(()), |dump| dump.push(subject, prediction))?;
            }
            progress.add(batch.len());
            let finished = |((number, subject), prediction): ((usize, Subject), densenet_wgpu::Result<Prediction>)| {
                let prediction = prediction.map_err(|error| told_in_row(&error));
                Finished { number, subject, prediction }
            };
            finish(batch.into_iter().map(finished).collect())?;
        }
        drop(predictions);
        dump.map_or(Ok(()), Dump::finish)
    }
}
