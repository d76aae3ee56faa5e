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

/// Images that the reference computes at once: more only take more memory.
const REFERENCE_BATCH: usize = 16;

/// What runs the network.
#[derive(Debug)]
pub(super) enum Runner {
    Gpu {
        engine: Box<Engine>,
        /// Why the device was lost, once a run has met that: of a program's own device nothing else tells it.
        lost: OnceLock<String>,
    },
    Reference(Box<Reference>),
}

/// What [`Runner::start`] started.
pub(super) enum Run {
    /// A GPU works on it.
    Started(Box<engine::Run>),
    /// Its outputs are there.
    Finished(Vec<Vec<f32>>),
}

impl Runner {
    /// Makes every device ready; says of each what a person should know. All of them compute in the same numbers: which
    /// device a picture meets is left to chance.
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

    /// What went wrong with the device, so that nothing more can run there.
    pub(super) fn failure(&self) -> Option<Error> {
        match self {
            Self::Gpu { engine, lost } => engine.gpu().failure().or_else(|| Some(engine.gpu().lost(lost.get()?))),
            Self::Reference(_) => None,
        }
    }

    /// What came of a run here, from which the runner learns whether the device was lost.
    pub(super) fn learnt<T>(&self, result: Result<T>) -> Result<T> {
        if let (Self::Gpu { lost, .. }, Err(Error::DeviceLost { reason, .. })) = (self, &result) {
            lost.get_or_init(|| reason.clone());
        }
        result
    }

    /// What it makes of the images of one source, where that takes the caller no time; `None` where it would.
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

    /// Starts a run of images that may run together, at least one. On the processor it is over when this returns.
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
    /// Waits for the network's outputs, one `[N, C, H, W]` for each.
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

/// 16-bit floats where every device is better off with them.
fn best_of_all(devices: &[Opened]) -> Result<Precision> {
    for device in devices {
        match &device.gpu {
            Some(gpu) if best_precision(gpu)? == Precision::F16 => {}
            _ => return Ok(Precision::F32),
        }
    }
    Ok(Precision::F16)
}

/// An engine; in 32-bit floats where its weights are beyond the range of 16-bit ones and nobody asked for these (`may_widen`).
pub fn engine_in_range(gpu: &Gpu, graph: &Graph, weights: &Weights, options: EngineOptions, may_widen: bool) -> Result<Engine> {
    match Engine::new(gpu, graph, weights, options.clone()) {
        Err(Error::HalfRange { .. }) if may_widen => Engine::new(gpu, graph, weights, options.with_precision(Precision::F32)),
        made => made,
    }
}

/// What a person should know of tiles that are not used on the engine's device, a sentence each.
pub fn faulty_tiles(engine: &Engine) -> Vec<String> {
    let device = &engine.gpu().summary().name;
    let sentence = |(tile, fault)| format!("{tile} {fault} on {device}: other kernels take its place, which may be slower");
    engine.faults().into_iter().map(sentence).collect()
}

/// Every output of the reference for all images that `values` holds, a few of them at once.
#[tracing::instrument(level = "debug", name = "run", skip_all)]
pub fn run_reference(reference: &Reference, values: &[f32], [height, width]: [usize; 2]) -> Result<Vec<Vec<f32>>> {
    let elements = Shape { height, width, ..reference.graph().input_shape() }.elements();
    let mut outputs = vec![Vec::new(); reference.graph().outputs().len()];
    for batch in values.chunks(REFERENCE_BATCH * elements.max(1)) {
        outputs.iter_mut().zip(reference.run_all(batch, height, width)?).for_each(|(output, values)| output.extend(values));
    }
    Ok(outputs)
}
