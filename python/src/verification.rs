//! A network on a device beside the reference, layer by layer.

use densenet_wgpu::checkpoint::Weights;
use densenet_wgpu::devices::Device;
use densenet_wgpu::internal::engine_in_range;
use densenet_wgpu::verify::{Verification, best_precision};
use densenet_wgpu::{Engine, EngineOptions, Error, Gpu, Graph, Input, Precision};
use numpy::{PyReadonlyArray4, PyUntypedArrayMethods};
use pyo3::prelude::*;
use serde_json::json;

use crate::error::{During, exception, refused};
use crate::model;
use crate::options::Options;
use crate::results;
use crate::unlocked::unlocked;

/// Compares a device with the reference in every layer of a model for `values`, float32 [N, C, H, W]: with operations that share kernels,
/// and with a kernel for each. The report is JSON.
#[pyfunction]
pub(crate) fn verify(py: Python<'_>, model: &str, options: Options, values: PyReadonlyArray4<'_, f32>) -> PyResult<String> {
    let (checkpoint, _) = model::open(py, model, &options, None)?;
    let name = match &options.devices()[..] {
        [Device::Best] => None,
        [Device::Named(name)] => Some(name.clone()),
        _ => return Err(refused(py, "device: expected one GPU to hold to the reference; densenet_wgpu.devices() lists them")),
    };
    let failed = |error: Error| exception(py, &error, During::Opening);
    let [height, width] = [values.shape()[2], values.shape()[3]];
    let values = values.as_slice()?.to_vec();
    let graph = checkpoint.graph(height, width).map_err(failed)?;
    let (wanted, software, batch_invariant) = (options.precision(py)?, options.software(py)?, options.batch_invariant);
    let report = unlocked(py, || {
        let gpu = Gpu::open(name.as_deref())?.with_software(software)?;
        let precision = match wanted {
            Some(precision) => precision,
            None => best_precision(&gpu)?,
        };
        let settings = EngineOptions::default().with_precision(precision).with_batch_invariant(batch_invariant);
        let pass = |fusion| pass(&gpu, &graph, &checkpoint.weights, settings.clone().with_fusion(fusion), wanted, &values, [height, width]);
        let [(fused, used), (unfused, _)] = [pass(true)?, pass(false)?];
        Ok::<_, Error>(json!({
            "device": gpu.summary(),
            "model": checkpoint.name,
            "precision": used.name(),
            "tolerance": fused.tolerance,
            "passes": [{"fusion": true, "layers": fused.layers}, {"fusion": false, "layers": unfused.layers}],
        }))
    })?;
    results::json(py, &report.map_err(failed)?)
}

/// One run of the network, and the precision that it had.
fn pass(
    gpu: &Gpu,
    graph: &Graph,
    weights: &Weights,
    settings: EngineOptions,
    wanted: Option<Precision>,
    values: &[f32],
    size: [usize; 2],
) -> Result<(Verification, Precision), Error> {
    let engine: Engine = engine_in_range(gpu, graph, weights, settings, wanted.is_none())?;
    Ok((Verification::run(&engine, weights, Input::values(values, size))?, engine.tuning().precision()))
}
