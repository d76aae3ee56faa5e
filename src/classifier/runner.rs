//! What runs a classifier's network: an engine on a GPU, or the reference.

use std::sync::OnceLock;

use super::device::Opened;
use super::images::Images;
use super::options::ClassifierOptions;
use crate::engine::{self, Engine, EngineOptions, Input};
use crate::error::{Error, Result};
use crate::gpu::Gpu;
use crate::graph::Graph;
use crate::image::Prepared;
use crate::kernels::Precision;
use crate::reference::Reference;
use crate::samples::Samples;
use crate::shape::Shape;
use crate::verify::{best_precision, self_test};
use crate::weights::Weights;

/// Images per batch on the reference: more only need more memory.
const REFERENCE_BATCH: usize = 16;

/// An engine on a GPU, or the reference.
#[derive(Debug)]
pub(super) enum Runner {
    Gpu {
        engine: Box<Engine>,
        /// Why the device was lost, once a run has failed because of it: a program's own device reports it in no other way.
        lost: OnceLock<String>,
    },
    Reference(Box<Reference>),
}

/// A run started by [`Runner::start`].
pub(super) enum Run {
    /// On a GPU.
    Started(Box<engine::Run>),
    /// Finished, with its outputs.
    Finished(Vec<Vec<f32>>),
}

impl Runner {
    /// Prepares every device, and returns their warnings. All use the same precision, because the device of a picture is not determined.
    pub(super) fn all(
        devices: Vec<Opened>,
        graph: &Graph,
        weights: &Weights,
        options: &ClassifierOptions,
    ) -> Result<(Vec<Self>, Vec<String>)> {
        let precision = match options.precision {
            Some(Precision::F16) if devices.iter().any(|device| device.gpu.is_none()) => {
                let expected = "32-bit floats, which the reference computes in".into();
                return Err(Error::Options { expected, found: "16-bit floats".into() });
            }
            Some(precision) => precision,
            None => best_of_all(&devices)?,
        };
        let (mut runners, mut warnings) = (Vec::new(), Vec::new());
        for device in devices {
            runners.push(match device.gpu {
                None => Self::Reference(Box::new(Reference::new(graph.clone(), weights.clone())?)),
                Some(gpu) => {
                    warnings.extend_from_slice(gpu.warnings());
                    if options.self_test {
                        self_test(&gpu, precision)?;
                    }
                    let of = EngineOptions { precision, batch_invariant: options.batch_invariant, ..Default::default() };
                    let engine = engine_in_range(&gpu, graph, weights, of, options.precision.is_none())?;
                    warnings.extend(faulty_tiles(&engine));
                    Self::Gpu { engine: Box::new(engine), lost: OnceLock::new() }
                }
            });
        }
        Ok((runners, warnings))
    }

    /// The failure of the device, after which nothing more can run there.
    pub(super) fn failure(&self) -> Option<Error> {
        match self {
            Self::Gpu { engine, lost } => engine.gpu().failure().or_else(|| Some(engine.gpu().lost(lost.get()?))),
            Self::Reference(_) => None,
        }
    }

    /// Destroys the device, if it is a GPU.
    pub(super) fn lose(&self) {
        if let Self::Gpu { engine, .. } = self {
            engine.gpu().device().destroy();
        }
    }

    /// Passes on the result of a run, and records whether the device was lost.
    pub(super) fn learnt<T>(&self, result: Result<T>) -> Result<T> {
        if let (Self::Gpu { lost, .. }, Err(Error::DeviceLost { reason, .. })) = (self, &result) {
            lost.get_or_init(|| reason.clone());
        }
        result
    }

    /// Runs the images of one source without blocking the caller; `None` if that is not possible.
    pub(super) async fn run_async(&self, images: &Images) -> Option<Result<Vec<Vec<f32>>>> {
        let Self::Gpu { engine, .. } = self else { return None };
        let pictures: Vec<Samples> = images.pictures().iter().map(Prepared::samples).collect();
        let input = match images {
            Images::Pictures(_) => Input::pictures(&pictures, images.size()),
            Images::Values { values, size } => Input::values(values, *size),
        };
        Some(self.learnt(match engine.start_async(input).await {
            Ok(run) => run.wait_all_async().await,
            Err(error) => Err(error),
        }))
    }

    /// Starts a run of at least one image. On the CPU it is finished when this returns.
    pub(super) fn start(&self, images: &[&Images]) -> Result<Run> {
        let size = images.first().map_or([0, 0], |first| first.size());
        let pictures: Vec<Samples> = images.iter().flat_map(|images| images.pictures()).map(Prepared::samples).collect();
        match self {
            Self::Gpu { engine, .. } if !pictures.is_empty() => {
                engine.start(Input::pictures(&pictures, size)).map(|run| Run::Started(Box::new(run)))
            }
            Self::Gpu { engine, .. } => engine.start(Input::values(&values(images), size)).map(|run| Run::Started(Box::new(run))),
            Self::Reference(reference) => run_reference(reference, &values(images), size).map(Run::Finished),
        }
    }
}

impl Run {
    /// Waits for the network's outputs, each `[N, C, H, W]`.
    pub(super) fn wait(self) -> Result<Vec<Vec<f32>>> {
        match self {
            Self::Started(run) => run.wait_all(),
            Self::Finished(outputs) => Ok(outputs),
        }
    }
}

fn values(images: &[&Images]) -> Vec<f32> {
    images.iter().flat_map(|images| images.values()).collect()
}

/// 16-bit floats if they are better on every device, otherwise 32-bit floats.
fn best_of_all(devices: &[Opened]) -> Result<Precision> {
    for device in devices {
        match &device.gpu {
            Some(gpu) if best_precision(gpu)? == Precision::F16 => {}
            _ => return Ok(Precision::F32),
        }
    }
    Ok(Precision::F16)
}

/// An engine; in 32-bit floats if its weights exceed the range of 16-bit floats and these were not requested (`may_widen`).
pub fn engine_in_range(gpu: &Gpu, graph: &Graph, weights: &Weights, options: EngineOptions, may_widen: bool) -> Result<Engine> {
    match Engine::new(gpu, graph, weights, options.clone()) {
        Err(Error::HalfRange { .. }) if may_widen => Engine::new(gpu, graph, weights, options.with_precision(Precision::F32)),
        made => made,
    }
}

/// Warnings about tiles that are not used on the engine's device, one sentence each.
pub fn faulty_tiles(engine: &Engine) -> Vec<String> {
    let device = &engine.gpu().summary().name;
    let sentence = |(tile, fault)| format!("{tile} {fault} on {device}: other kernels take its place, which may be slower");
    engine.faults().into_iter().map(sentence).collect()
}

/// Every output of the reference for all images in `values`, computed in small batches.
#[tracing::instrument(level = "debug", name = "run", skip_all)]
pub fn run_reference(reference: &Reference, values: &[f32], [height, width]: [usize; 2]) -> Result<Vec<Vec<f32>>> {
    let elements = Shape { height, width, ..reference.graph().input_shape() }.elements();
    let mut outputs = vec![Vec::new(); reference.graph().outputs().len()];
    for batch in values.chunks(REFERENCE_BATCH * elements.max(1)) {
        outputs.iter_mut().zip(reference.run_all(batch, height, width)?).for_each(|(output, values)| output.extend(values));
    }
    Ok(outputs)
}
