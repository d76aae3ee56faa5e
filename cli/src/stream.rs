//! Runs pictures through a classifier as they come.

use std::collections::BTreeSet;

use clap::Args;
use densenet_wgpu::predictions::StreamOptions;
use densenet_wgpu::{Classifier, ClassifierOptions, Error, Prediction};

use crate::dump::Dump;
use crate::exit::Stop;
use crate::inputs::{Input, Inputs, Subject};
use crate::interrupt::{self, Grace};
use crate::message;
use crate::pictures::Notices;
use crate::remedy::{explained, explained_in_row};
use crate::terminal::progress::Progress;

/// How pictures are batched.
#[derive(Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct BatchOptions {
    /// Pictures per batch
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
}

impl BatchOptions {
    /// A classifier's options with these flags applied.
    pub(crate) fn applied_to(&self, options: ClassifierOptions) -> ClassifierOptions {
        options.with_batch(self.batch as usize)
    }
}

/// An input that was processed, successfully or not.
pub(crate) struct Finished {
    /// Its place among all inputs, from 0.
    pub(crate) number: usize,
    /// Whose row it is.
    pub(crate) subject: Subject,
    /// The prediction, or what went wrong. The message does not repeat the path, which is in the row.
    pub(crate) prediction: Result<Prediction, String>,
}

/// Inputs to run.
pub(crate) struct Stream<'a> {
    /// Runs them.
    pub(crate) classifier: &'a Classifier,
    /// Where they come from.
    pub(crate) inputs: Inputs,
    /// Where the network's input is also written.
    pub(crate) dump: Option<Dump>,
    /// Shows the progress.
    pub(crate) progress: Progress,
}

impl Stream<'_> {
    /// Runs all inputs and passes them to `finish` in their order, one batch at a time. Reports what the user should know about the
    /// pictures. Ends early if `finish` stops, an input cannot be written, a device fails, the last device is lost, or a signal requests
    /// it, in which case batches on the devices are still finished. If one of several devices is lost, the others continue.
    ///
    /// Returns why a device failed or was lost: finished results are valid, and a caller that writes them to a file completes it first.
    /// Inputs that another program sends all get an answer: those lost with a device get an error.
    pub(crate) fn run(self, mut finish: impl FnMut(Vec<Finished>) -> Result<(), Stop>) -> Result<Option<Stop>, Stop> {
        let Self { classifier, inputs, mut dump, progress } = self;
        let _grace = Grace::begin();
        let are_sent = inputs.are_sent();
        let options = StreamOptions::default().with_live(inputs.are_sent()).with_stop(interrupt::flag());
        let tagged = inputs.map(|Input { number, subject, content }| ((number, subject), content.into()));
        let mut predictions = classifier.stream(tagged, options)?;
        let mut notices = Notices::default();
        let (mut failure, mut is_over, mut lost) = (None, false, BTreeSet::new());
        while !is_over && let Some(batch) = predictions.next_batch() {
            let mut inputs = Vec::with_capacity(batch.len());
            for ((number, subject), prediction) in batch {
                let prediction = match prediction {
                    // The device failed, not the picture: the input gets no row, so that another run can try it.
                    Err(error @ (Error::DeviceLost { .. } | Error::DeviceFailed { .. })) => {
                        let is_last = matches!(error, Error::DeviceFailed { .. }) || classifier.is_lost();
                        if !is_last && lost.insert(error.to_string()) {
                            message::warning(&format!("{error}; the other devices continue"));
                        }
                        if are_sent {
                            inputs.push(Finished { number, subject, prediction: Err(explained_in_row(&error)) });
                        }
                        // Report what ended the run, otherwise what was lost first.
                        if failure.is_none() || is_last && !is_over {
                            failure = Some(error);
                        }
                        is_over |= is_last;
                        continue;
                    }
                    prediction => prediction,
                };
                if let Ok(prediction) = &prediction {
                    prediction.picture_summary().inspect(|picture| notices.look_at(&subject, picture));
                    dump.as_mut().map_or(Ok(()), |dump| dump.push(&subject, prediction))?;
                }
                inputs.push(Finished { number, subject, prediction: prediction.map_err(|error| explained_in_row(&error)) });
            }
            let count = inputs.len();
            finish(inputs)?;
            progress.add(count);
        }
        drop(predictions);
        dump.map_or(Ok(()), Dump::finish)?;
        Ok(failure.map(|failure| Stop::failed(format!("{}; inputs without a row were not processed", explained(&failure)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::FAILED;
    use crate::inputs;
    use densenet_wgpu::{Gpu, models};
    use std::io::Cursor;

    #[test]
    fn what_a_lost_device_did_not_do_has_no_row_and_all_else_has() {
        let gpu = Gpu::open(None).unwrap_or_else(|e| panic!("this test needs a GPU, a software one will do: {e}"));
        let model = models::bundled("digits").unwrap().unwrap();
        let classifier = Classifier::new(model, ClassifierOptions::default().with_device(gpu.clone()).with_batch(4)).unwrap();
        gpu.device().destroy();
        let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/digits/7-1442-8.png");
        let paths = ["no such.png", picture, "nor this.png", picture, picture].map(Into::into);
        let inputs = Inputs::Listed(inputs::expand(&paths, None).unwrap().into_iter());
        let stream = Stream { classifier: &classifier, inputs, dump: None, progress: Progress::begin(None, 0) };
        let mut rows = Vec::new();
        let stop = stream.run(|finished| {
            rows.extend(finished.into_iter().map(|input| (input.number, input.prediction.is_err())));
            Ok(())
        });
        assert_eq!(rows, [(0, true), (2, true)]);
        let Ok(Some(Stop::With { status: FAILED, message })) = stop else { panic!("{stop:?}") };
        assert!(message.contains(" was lost (") && message.contains("were not processed"), "{message}");
    }

    #[test]
    fn whoever_sends_pictures_has_an_answer_when_the_device_is_lost() {
        let gpu = Gpu::open(None).unwrap_or_else(|e| panic!("this test needs a GPU, a software one will do: {e}"));
        let model = models::bundled("digits").unwrap().unwrap();
        let classifier = Classifier::new(model, ClassifierOptions::default().with_device(gpu.clone()).with_batch(4)).unwrap();
        gpu.device().destroy();
        let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/digits/7-1442-8.png");
        let lines = format!("{{\"id\":1,\"path\":{picture:?}}}\n");
        let inputs = Inputs::Sent(inputs::Requests::new(Cursor::new(lines), 1 << 20));
        let stream = Stream { classifier: &classifier, inputs, dump: None, progress: Progress::begin(None, 0) };
        let mut answers = Vec::new();
        let stop = stream.run(|finished| {
            answers.extend(finished.into_iter().map(|input| input.prediction.err().unwrap_or_default()));
            Ok(())
        });
        assert!(matches!(&answers[..], [error] if error.contains(" was lost (")), "{answers:?}");
        assert!(matches!(stop, Ok(Some(Stop::With { status: FAILED, .. }))), "{stop:?}");
    }

    /// The library's own tests have devices of every kind; here it is who reads its answers.
    #[test]
    fn where_one_of_several_devices_is_lost_the_others_go_on() {
        // A device that is lost while it has no batch loses nothing: until one has.
        assert!((0..20).any(|_| has_lost_batches()), "a device that is lost in the middle of a run loses what it had begun");
    }

    /// Runs pictures on two devices, one of which is lost on the way. Returns whether it had begun some, which then have no row.
    fn has_lost_batches() -> bool {
        use densenet_wgpu::devices::Device;
        const COUNT: usize = 60;
        let gpu = Gpu::open(None).unwrap_or_else(|e| panic!("this test needs a GPU, a software one will do: {e}"));
        let model = models::bundled("digits").unwrap().unwrap();
        let devices = vec![gpu.clone().into(), Device::Reference];
        let classifier = Classifier::new(model, ClassifierOptions::default().with_devices(devices).with_batch(2)).unwrap();
        let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/digits/7-1442-8.png");
        let inputs = Inputs::Listed(inputs::expand(&vec![picture.into(); COUNT], None).unwrap().into_iter());
        let stream = Stream { classifier: &classifier, inputs, dump: None, progress: Progress::begin(None, 0) };
        let mut rows = Vec::new();
        let stop = stream.run(|finished| {
            assert!(finished.iter().all(|input| input.prediction.is_ok()));
            rows.extend(finished.into_iter().map(|input| input.number));
            if rows.len() > 5 {
                gpu.device().destroy();
            }
            Ok(())
        });
        // A batch that is waited for, the next, and one for which pictures were being read.
        assert!(rows.is_sorted() && rows.len() >= COUNT - 3 * 2 && rows.last() >= Some(&(COUNT - 6)), "{rows:?}");
        match stop.unwrap() {
            Some(Stop::With { status: FAILED, message }) => {
                assert!(message.contains(" was lost (") && rows.len() < COUNT, "{message}");
                true
            }
            stop => {
                assert!(stop.is_none() && rows.len() == COUNT, "{stop:?} {rows:?}");
                false
            }
        }
    }
}
