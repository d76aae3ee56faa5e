//! Opens models.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use densenet_wgpu::checkpoint::AssumedField;
use densenet_wgpu::network::Stem;
use densenet_wgpu::preprocessing::Preset;
use densenet_wgpu::{Checkpoint, ClassifierOptions};
use pyo3::prelude::*;

use crate::error::{self, During, exception, refused};
use crate::options::Options;

/// How often a wait is interrupted to look for signals.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// The names of the models that need no file.
#[pyfunction]
pub(crate) fn models() -> Vec<&'static str> {
    densenet_wgpu::models::names().chain(densenet_wgpu::models::published_names()).collect()
}

/// The names of the presets of preprocessing.
#[pyfunction]
pub(crate) fn presets() -> Vec<&'static str> {
    Preset::names().collect()
}

/// Opens the model of that name, address or path, with what `options` state of it; and how to make a classifier of it. A download calls
/// `progress` with the bytes received and the total.
pub(crate) fn open(
    py: Python<'_>,
    model: &str,
    options: &Options,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Checkpoint, ClassifierOptions)> {
    let mut of_classifier = options.of_classifier(py)?;
    let mut checkpoint = read(py, model, options, progress)?;
    if !options.final_relu {
        checkpoint.config.final_relu = false;
        checkpoint.mark_stated(AssumedField::FinalRelu);
    }
    match &mut checkpoint.config.stem {
        Stem::Deep { blur, .. } if !options.blur => {
            *blur = false;
            checkpoint.mark_stated(AssumedField::Blur);
        }
        _ if !options.blur => {
            return Err(refused(py, &format!("blur=False: expected a model with a deep stem, found {}", checkpoint.config)));
        }
        _ => {}
    }
    if let Some(epsilon) = options.epsilon {
        checkpoint.config.epsilon = epsilon;
        checkpoint.mark_stated(AssumedField::Epsilon);
        checkpoint.check().map_err(|error| exception(py, &error, During::Opening))?;
    }
    if let Some(labels) = &options.labels {
        of_classifier = of_classifier.with_labels(labels.read(py, checkpoint.config.num_classes.unwrap_or(0))?);
    }
    Ok((checkpoint, of_classifier))
}

/// Reads the model on a thread of its own, so that signals are seen while it is downloaded. A download that is interrupted ends with the
/// process, and is made again.
fn read(py: Python<'_>, model: &str, options: &Options, progress: Option<&Bound<'_, PyAny>>) -> PyResult<Checkpoint> {
    let (name, options) = (model.to_owned(), options.read_options(py)?);
    let received = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let (sender, read) = channel();
    let counts = Arc::clone(&received);
    let work = move || {
        let mut count = |done, total| {
            counts[1].store(total, Ordering::Relaxed);
            counts[0].store(done, Ordering::Relaxed);
        };
        let opened = catch_unwind(AssertUnwindSafe(|| densenet_wgpu::models::open_with_options(name, &options, &mut count)));
        // Whoever was interrupted listens no longer.
        let _ = sender.send(opened);
    };
    let thread = thread::Builder::new().name("densenet-read".into()).spawn(work);
    thread.map_err(|error| error::failed(py, &format!("the system cannot start a thread to read {model} ({error})")))?;
    let (mut read, mut shown) = (Some(read), 0);
    loop {
        let waited = read.take();
        let (waited, result) = py.detach(move || {
            let result = waited.as_ref().map_or(Err(RecvTimeoutError::Disconnected), |read| read.recv_timeout(PATIENCE));
            (waited, result)
        });
        read = waited;
        let done = received[0].load(Ordering::Relaxed);
        if let Some(progress) = progress.filter(|_| done > shown) {
            progress.call1((done, received[1].load(Ordering::Relaxed)))?;
            shown = done;
        }
        match result {
            Ok(Ok(opened)) => return opened.map_err(|error| exception(py, &error, During::Opening)),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return Err(error::internal(py)),
        }
    }
}
