//! What a checkpoint is.

use densenet_wgpu::planning::PlanOptions;
use densenet_wgpu::preprocessing::{Activation, Preprocessing};
use densenet_wgpu::{Checkpoint, ClassifierOptions, Error, Plan};
use pyo3::prelude::*;
use serde::Serialize;

use crate::assumed::{Assumed, assumed};
use crate::error::{During, exception};
use crate::model;
use crate::options::Options;
use crate::remedy::with_arguments;
use crate::results;
use crate::unlocked::unlocked;

/// The model's size where neither it nor the caller says one.
const DEFAULT_SIZE: [usize; 2] = densenet_wgpu::internal::DEFAULT_SIZE;

/// What a model is, as JSON, with the keys of `densenet inspect --format json` where it has them. Opens no device.
#[pyfunction]
#[pyo3(signature = (model, options, progress=None))]
pub(crate) fn inspect(py: Python<'_>, model: &str, options: Options, progress: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
    let (checkpoint, of_classifier) = model::open(py, model, &options, progress)?;
    let report = unlocked(py, || report(checkpoint, &of_classifier))?;
    results::json(py, &report.map_err(|error| exception(py, &error, During::Opening))?)
}

/// With the keys of the JSON.
#[derive(Serialize)]
struct Report {
    name: String,
    identity: String,
    container: String,
    dialect: String,
    wrapper: String,
    architecture: String,
    dtype: String,
    parameters: usize,
    channels: usize,
    classes: Option<usize>,
    preprocessing: Preprocessing,
    labels: Option<Vec<String>>,
    thresholds: Option<Vec<Option<f32>>>,
    size: [usize; 2],
    gpu_memory_bytes: u64,
    flops: u64,
    notes: Vec<String>,
    assumed: Vec<Assumed>,
}

fn report(mut model: Checkpoint, options: &ClassifierOptions) -> Result<Report, Error> {
    let preprocessing = options.describe(&mut model)?.preprocessing;
    let [height, width] = options.size.or(preprocessing.size()).unwrap_or(DEFAULT_SIZE);
    let plan = Plan::new(&model.graph(height, width)?, PlanOptions::default())?;
    let classes = model.config.num_classes;
    let activation = match (classes, preprocessing.activation) {
        (None, _) | (_, Activation::None) => String::new(),
        (_, activation) => format!(" · {}", activation.name()),
    };
    let origin = model.origin.as_ref();
    let dtypes: Vec<String> = origin.iter().flat_map(|origin| &origin.dtypes).map(ToString::to_string).collect();
    Ok(Report {
        identity: model.weights.identity(),
        container: origin.map(|origin| origin.container.to_string()).unwrap_or_default(),
        dialect: origin.map(|origin| origin.dialect.to_string()).unwrap_or_default(),
        wrapper: origin.map(|origin| origin.wrapper.clone()).unwrap_or_default(),
        architecture: format!("{}{activation}", model.config),
        dtype: dtypes.join(", "),
        parameters: model.weights.parameters(),
        channels: model.config.in_channels,
        classes,
        preprocessing,
        size: [height, width],
        gpu_memory_bytes: plan.byte_total(),
        flops: plan.flops(),
        notes: origin.iter().flat_map(|origin| &origin.notes).map(|note| with_arguments(note)).collect(),
        assumed: model.assumed.iter().map(|assumption| assumed(assumption, classes)).collect(),
        name: model.name,
        labels: model.labels,
        thresholds: model.thresholds,
    })
}
