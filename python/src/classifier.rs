//! A classifier that is open in this process.

use std::thread::available_parallelism;

use densenet_wgpu::labels::RankedClass;
use densenet_wgpu::{Classifier, Prediction, Result};
use numpy::Element;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::assumed::{Assumed, assumed};
use crate::error::{During, exception, refused};
use crate::held::{Held, Use};
use crate::inputs::Taking;
use crate::maps::{Seen, seen};
use crate::model;
use crate::notices::Notices;
use crate::options::Options;
use crate::remedy::with_arguments;
use crate::results::{array, json};
use crate::run::Run;
use crate::unlocked::unlocked;

/// A classifier that is open in this process: a model on its devices. Threads may share it.
#[pyclass(frozen, module = "densenet_wgpu._native")]
pub(crate) struct OpenClassifier {
    held: Held,
    /// How many inputs are taken before the first has its result.
    ahead: usize,
    upright: bool,
    notices: Notices,
}

/// A class of a picture: index, label, probability and logit.
type Ranked = (usize, String, Option<f64>, f32);

/// The maps of a picture: their values with height and width, what was seen of the picture, and its classes.
type Maps = (Vec<f32>, [usize; 2], Seen, Vec<Ranked>);

/// The same for Python, the values float32 [classes, h, w].
type Mapped<'py> = (Bound<'py, PyAny>, Seen, Vec<Ranked>);

#[pymethods]
impl OpenClassifier {
    /// Opens a model with options, a dictionary with all of their keys. `outputs` is what it computes: "logits", "features" too, or
    /// "maps" too. A download calls `progress` with the bytes received and the total.
    #[staticmethod]
    #[pyo3(signature = (model, options, outputs, progress=None))]
    fn open(py: Python<'_>, model: &str, mut options: Options, outputs: &str, progress: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        options.features_only |= outputs == "features";
        let (checkpoint, of_classifier) = model::open(py, model, &options, progress)?;
        let of_classifier = of_classifier.with_features(outputs == "features").with_class_maps(outputs == "maps");
        let made = unlocked(py, || Classifier::new(checkpoint, of_classifier))?;
        let classifier = made.map_err(|error| exception(py, &error, During::Opening))?;
        // Three batches for each device, as the library holds them, and what is decoded.
        let cores = available_parallelism().map_or(1, usize::from);
        let ahead = options.batch.saturating_mul(3 * classifier.devices().len()).saturating_add(cores);
        Ok(Self { held: Held::new(classifier), ahead, upright: options.upright, notices: Notices::default() })
    }

    #[getter]
    fn name(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.held.used(py)?.classifier.name().to_owned())
    }

    #[getter]
    fn architecture(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.held.used(py)?.classifier.config().to_string())
    }

    #[getter]
    fn classes(&self, py: Python<'_>) -> PyResult<Option<usize>> {
        Ok(self.held.used(py)?.classifier.config().num_classes)
    }

    #[getter]
    fn labels(&self, py: Python<'_>) -> PyResult<Option<Vec<String>>> {
        Ok(self.held.used(py)?.classifier.postprocessing().labels.clone())
    }

    #[getter]
    fn input_shape(&self, py: Python<'_>) -> PyResult<(usize, usize, usize)> {
        let used = self.held.used(py)?;
        let [height, width] = used.classifier.size();
        Ok((used.classifier.config().in_channels, height, width))
    }

    #[getter]
    fn devices(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.held.used(py)?.classifier.devices().to_vec())
    }

    /// The preprocessing as JSON.
    #[getter]
    fn preprocessing(&self, py: Python<'_>) -> PyResult<String> {
        json(py, self.held.used(py)?.classifier.preprocessing())
    }

    #[getter]
    fn assumed(&self, py: Python<'_>) -> PyResult<Vec<Assumed>> {
        let used = self.held.used(py)?;
        let classes = used.classifier.config().num_classes;
        Ok(used.classifier.assumed().iter().map(|assumption| assumed(assumption, classes)).collect())
    }

    #[getter]
    fn notes(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.held.used(py)?.classifier.notes().iter().map(|note| with_arguments(note)).collect())
    }

    #[getter]
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.held.used(py)?.classifier.warnings().to_vec())
    }

    /// The `top_k` likeliest classes of each input, as a list of (index, label, probability, logit), or an exception where it failed and
    /// `keeps_errors`.
    #[pyo3(signature = (inputs, top_k, keeps_errors, progress=None))]
    fn classify<'py>(
        &self,
        inputs: &Bound<'py, PyAny>,
        top_k: usize,
        keeps_errors: bool,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (py, used) = (inputs.py(), self.held.used(inputs.py())?);
        let outcomes = self.run(py, &used, keeps_errors, progress).each(inputs, |prediction| ranked(&prediction, top_k))?;
        let list = PyList::empty(py);
        for outcome in outcomes {
            match outcome {
                Ok(classes) => list.append(classes)?,
                Err(error) => list.append(error.into_value(py))?,
            }
        }
        Ok(list)
    }

    /// The logits of each input, float32 [N, classes].
    #[pyo3(signature = (inputs, progress=None))]
    fn logits<'py>(&self, inputs: &Bound<'py, PyAny>, progress: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        self.rows(inputs, progress, |prediction| {
            // It says what it needs, if there are none.
            prediction.logits().map_or_else(|| prediction.top_k(0).map(|_| Vec::new()), |logits| Ok(logits.to_vec()))
        })
    }

    /// The probabilities of each input, float64 [N, classes].
    #[pyo3(signature = (inputs, progress=None))]
    fn probabilities<'py>(&self, inputs: &Bound<'py, PyAny>, progress: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        let (py, used) = (inputs.py(), self.held.used(inputs.py())?);
        let outcomes = self.run(py, &used, false, progress).each(inputs, |prediction| prediction.probabilities())?;
        let rows = outcomes.into_iter().collect::<PyResult<Option<Vec<_>>>>()?;
        let rows = rows.ok_or_else(|| {
            let expected = "expected a model whose activation gives probabilities, found one of plain logits";
            refused(py, &format!("{expected}; state it (activation=\"sigmoid\")"))
        })?;
        let classes = rows.first().map_or(0, Vec::len);
        array(py, rows, &[classes])
    }

    /// The features of each input, float32 [N, features], of a classifier that was opened with them.
    #[pyo3(signature = (inputs, progress=None))]
    fn embed<'py>(&self, inputs: &Bound<'py, PyAny>, progress: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        self.rows(inputs, progress, |prediction| Ok(prediction.features().unwrap_or_default().to_vec()))
    }

    /// The maps of each input, of a classifier that was opened with them: a list of (float32 [classes, h, w], what was seen, the `top_k`
    /// likeliest classes).
    #[pyo3(signature = (inputs, top_k, progress=None))]
    fn maps<'py>(&self, inputs: &Bound<'py, PyAny>, top_k: usize, progress: Option<&Bound<'py, PyAny>>) -> PyResult<Vec<Mapped<'py>>> {
        let (py, used) = (inputs.py(), self.held.used(inputs.py())?);
        let outcomes = self.run(py, &used, false, progress).each(inputs, |prediction| maps(&prediction, top_k))?;
        let shaped = |outcome: PyResult<Maps>| {
            let (values, [height, width], seen, classes) = outcome?;
            let maps: Vec<Vec<f32>> = values.chunks_exact((height * width).max(1)).map(<[f32]>::to_vec).collect();
            Ok((array(py, maps, &[height, width])?, seen, classes))
        };
        outcomes.into_iter().map(shaped).collect()
    }

    /// Destroys its GPUs, as a driver loses them, for tests.
    fn lose_devices(&self, py: Python<'_>) -> PyResult<()> {
        self.held.used(py)?.classifier.lose_devices();
        Ok(())
    }

    /// Closes it when what runs has finished. Later calls are errors.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.held.close(py)
    }
}

impl OpenClassifier {
    fn run<'a, 'py>(
        &'a self,
        py: Python<'py>,
        used: &'a Use<'_>,
        keeps_errors: bool,
        progress: Option<&'a Bound<'py, PyAny>>,
    ) -> Run<'a, 'py> {
        let taking = Taking { channels: used.classifier.config().in_channels, upright: self.upright };
        Run { py, classifier: &used.classifier, taking, ahead: self.ahead, keeps_errors, notices: &self.notices, progress }
    }

    /// An array with a row for each input, all of one length.
    fn rows<'py, T: Element + Send>(
        &self,
        inputs: &Bound<'py, PyAny>,
        progress: Option<&Bound<'py, PyAny>>,
        row: impl Fn(&Prediction) -> Result<Vec<T>> + Sync,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, used) = (inputs.py(), self.held.used(inputs.py())?);
        let row = |prediction: Prediction| Ok((row(&prediction)?, prediction.crops()));
        let outcomes = self.run(py, &used, false, progress).each(inputs, row)?.into_iter().collect::<PyResult<Vec<_>>>()?;
        let (length, crops) = outcomes.first().map_or((0, 1), |(row, crops)| (row.len(), *crops));
        if let Some(other) = outcomes.iter().position(|(row, _)| row.len() != length) {
            // Of a picture there may be crops, of what the network reads there are none.
            let found = format!("found {length} numbers for the first and {} for picture {other}", outcomes[other].0.len());
            return Err(refused(py, &format!("expected pictures alone or tensors alone, {found}")));
        }
        let rows = outcomes.into_iter().map(|(row, _)| row).collect();
        // Each crop has a row of its own.
        if crops == 1 { array(py, rows, &[length]) } else { array(py, rows, &[crops, length / crops]) }
    }
}

fn ranked(prediction: &Prediction, top_k: usize) -> Result<Vec<Ranked>> {
    let tuple = |RankedClass { index, label, probability, logit }| (index, label, probability, logit);
    Ok(prediction.top_k(top_k)?.into_iter().map(tuple).collect())
}

fn maps(prediction: &Prediction, top_k: usize) -> Result<Maps> {
    let maps = prediction.class_maps();
    let (values, size) = maps.map_or((Vec::new(), [0, 0]), |maps| (maps.values().to_vec(), [maps.height(), maps.width()]));
    let [height, width] = prediction.size().map(|side| side as f64);
    let seen = prediction.picture_summary().map_or((0.0, 0.0, height, width), |picture| seen(picture.view));
    Ok((values, size, seen, ranked(prediction, top_k)?))
}
