//! Runs one picture or many, and looks for signals meanwhile.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::mpsc::{Sender, channel};

use densenet_wgpu::predictions::{PictureSummary, Predictions, StreamOptions};
use densenet_wgpu::{Classifier, Error, Prediction, Result, Source};
use pyo3::prelude::*;

use crate::error::{During, MODULE, about, exception, internal, refused};
use crate::inputs::{Inputs, Taking};
use crate::model::PATIENCE;
use crate::notices::Notices;
use crate::unlocked::unlocked;

/// How inputs are run.
pub(crate) struct Run<'a, 'py> {
    pub(crate) py: Python<'py>,
    pub(crate) classifier: &'a Classifier,
    pub(crate) taking: Taking,
    /// How many inputs are taken before the first has its result.
    pub(crate) ahead: usize,
    /// Whether an input that fails has an error in its place, instead of ending the run.
    pub(crate) keeps_errors: bool,
    pub(crate) notices: &'a Notices,
    /// Called with the number of inputs that have finished since the last call.
    pub(crate) progress: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> Run<'_, 'py> {
    /// What `take` makes of the prediction for each input, in their order. Errors if there is none.
    ///
    /// The caller's thread takes inputs from Python, as many as the devices can be ahead; everything else happens without Python's lock.
    pub(crate) fn each<T: Send>(
        &self,
        inputs: &Bound<'py, PyAny>,
        take: impl Fn(Prediction) -> Result<T> + Sync,
    ) -> PyResult<Vec<PyResult<T>>> {
        let mut inputs = Inputs::of(inputs, self.taking)?;
        let Some(first) = inputs.next(self.py, self.taking)? else {
            let expected = "expected at least one picture, found none";
            return Err(refused(self.py, &format!("{expected}; skip what is empty")));
        };
        match inputs.next(self.py, self.taking)? {
            None => Ok(vec![self.kept(0, first.and_then(|source| self.one(source, &take)))?]),
            Some(second) => self.many([first, second], inputs, take),
        }
    }

    /// One input, on this thread.
    fn one<T: Send>(&self, source: Source, take: impl Fn(Prediction) -> Result<T> + Sync) -> PyResult<T> {
        let (picture, taken) = unlocked(self.py, || looked_at(self.classifier.classify(source), &take))?;
        self.progressed(1)?;
        self.notice(0, picture)?;
        taken.map_err(|error| self.exception(&error))
    }

    fn many<T: Send>(
        &self,
        first: [PyResult<Source>; 2],
        inputs: Inputs<'py>,
        take: impl Fn(Prediction) -> Result<T> + Sync,
    ) -> PyResult<Vec<PyResult<T>>> {
        let (sender, sources) = channel();
        let mut coming =
            Coming { first: first.into_iter(), rest: Some(inputs), sender: Some(sender), waiting: 0, count: 0, refused: BTreeMap::new() };
        let started = unlocked(self.py, || self.classifier.stream(sources, StreamOptions::default()))?;
        let mut predictions = started.map_err(|error| self.exception(&error))?;
        let outcomes = self.pull(&mut coming, &mut predictions, &take);
        // Waits for what the devices are at.
        unlocked(self.py, move || drop(predictions))?;
        outcomes
    }

    /// Takes inputs and results in turns until there are no more.
    fn pull<T: Send>(
        &self,
        coming: &mut Coming<'py>,
        predictions: &mut Predictions<usize>,
        take: &(impl Fn(Prediction) -> Result<T> + Sync),
    ) -> PyResult<Vec<PyResult<T>>> {
        let mut outcomes = Vec::new();
        loop {
            coming.feed(self)?;
            coming.hand_on_refused(&mut outcomes);
            if coming.waiting == 0 {
                return Ok(outcomes);
            }
            while !unlocked(self.py, || predictions.is_ready_within(PATIENCE))? {
                self.py.check_signals()?;
            }
            let batch = unlocked(self.py, || {
                let batch = predictions.next_batch().unwrap_or_default();
                batch.into_iter().map(|(index, prediction)| (index, looked_at(prediction, take))).collect::<Vec<_>>()
            })?;
            if batch.is_empty() {
                return Err(internal(self.py));
            }
            coming.waiting -= batch.len();
            self.progressed(batch.len())?;
            for (index, (picture, taken)) in batch {
                self.notice(index, picture)?;
                coming.hand_on_refused(&mut outcomes);
                outcomes.push(self.kept(index, taken.map_err(|error| self.exception(&error)))?);
            }
            self.py.check_signals()?;
        }
    }

    /// The outcome of an input, unless it ends the run: every error does that errors are not kept of, and a failed device always.
    fn kept<T>(&self, index: usize, outcome: PyResult<T>) -> PyResult<PyResult<T>> {
        match outcome {
            Ok(taken) => Ok(Ok(taken)),
            Err(error) => self.kept_error(index, error).map(Err),
        }
    }

    fn kept_error(&self, index: usize, error: PyErr) -> PyResult<PyErr> {
        let error = about(self.py, error, index);
        if self.keeps_errors && is_of_one_input(self.py, &error) { Ok(error) } else { Err(error) }
    }

    fn exception(&self, error: &Error) -> PyErr {
        exception(self.py, error, During::Running)
    }

    /// Warns of what is new about a picture, in the line that called this package.
    fn notice(&self, index: usize, picture: Option<PictureSummary>) -> PyResult<()> {
        for text in picture.map(|picture| self.notices.new_of(&picture)).unwrap_or_default() {
            let category = self.py.import(MODULE)?.getattr("DensenetWarning")?;
            let text = CString::new(format!("picture {index}: {text} (told once)"))?;
            PyErr::warn(self.py, &category, &text, 2)?;
        }
        Ok(())
    }

    fn progressed(&self, count: usize) -> PyResult<()> {
        self.progress.map_or(Ok(()), |progress| progress.call1((count,)).map(drop))
    }
}

/// What there is to know of a picture, and what `take` makes of its prediction.
fn looked_at<T>(prediction: Result<Prediction>, take: impl Fn(Prediction) -> Result<T>) -> (Option<PictureSummary>, Result<T>) {
    let picture = prediction.as_ref().ok().and_then(Prediction::picture_summary);
    (picture, prediction.and_then(take))
}

/// Whether other inputs can do without this error: those of devices that are lost or broken, and Ctrl-C, concern all.
fn is_of_one_input(py: Python<'_>, error: &PyErr) -> bool {
    let is = |class: &str| {
        let class = py.import(MODULE).and_then(|module| module.getattr(class));
        class.is_ok_and(|class| error.matches(py, class).unwrap_or(false))
    };
    is("Error") && (!is("DeviceError") || is("OutOfMemoryError"))
}

/// Inputs on their way to the devices.
struct Coming<'py> {
    first: std::array::IntoIter<PyResult<Source>, 2>,
    /// `None` after the last.
    rest: Option<Inputs<'py>>,
    /// `None` after the last, which tells the devices.
    sender: Option<Sender<(usize, Source)>>,
    /// Inputs without a result.
    waiting: usize,
    /// Inputs so far.
    count: usize,
    /// Inputs that are no sources.
    refused: BTreeMap<usize, PyErr>,
}

impl<'py> Coming<'py> {
    /// Sends inputs to the devices until they have enough.
    fn feed(&mut self, run: &Run<'_, 'py>) -> PyResult<()> {
        while self.waiting < run.ahead
            && let Some(sender) = &self.sender
        {
            let next = match (self.first.next(), &mut self.rest) {
                (Some(first), _) => Some(first),
                (None, Some(rest)) => rest.next(run.py, run.taking)?,
                (None, None) => None,
            };
            match next {
                Some(Ok(source)) => {
                    // The receiver is gone if the run has ended, which its results tell.
                    let _ = sender.send((self.count, source));
                    self.waiting += 1;
                }
                Some(Err(error)) => drop(self.refused.insert(self.count, run.kept_error(self.count, error)?)),
                None => (self.rest, self.sender) = (None, None),
            }
            self.count += 1;
        }
        Ok(())
    }

    /// Puts inputs that are no sources in their places behind `outcomes`.
    fn hand_on_refused<T>(&mut self, outcomes: &mut Vec<PyResult<T>>) {
        while let Some(error) = self.refused.remove(&outcomes.len()) {
            outcomes.push(Err(error));
        }
    }
}
