//! Whether 16-bit floats are good enough on a device.

use crate::engine::{Engine, EngineOptions, Input};
use crate::error::Result;
use crate::gpu::{Fault, Gpu};
use crate::kernels::Precision;
use crate::models;
use crate::reference::Reference;

/// The network that answers for all others.
const MODEL: &str = "digits";
const SIDE: usize = 64;
const PICTURES: usize = 3;

/// What 16-bit floats may differ by, of an image's largest logit.
const TOLERANCE: f32 = 2e-2;

/// The precision for a device whose user leaves the choice to us: 16-bit floats where it is a GPU that has them and where
/// the bundled network's logits come out within 2 % of the largest, with the same best class; else 32-bit floats.
///
/// Software devices get 32-bit floats: there is no 16-bit arithmetic or bandwidth to be won on them. What was found is
/// kept in the device's [`Cache`](crate::devices::Cache). Errors where the device fails.
///
/// ```
/// use densenet_wgpu::verify::best_precision;
/// use densenet_wgpu::{Gpu, Precision};
///
/// let gpu = Gpu::open(None)?;
/// let precision = best_precision(&gpu)?;
/// assert!(precision == Precision::F32 || !gpu.is_software());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
pub fn best_precision(gpu: &Gpu) -> Result<Precision> {
    if gpu.is_software() || !gpu.capabilities().f16 {
        return Ok(Precision::F32);
    }
    let label = format!("accuracy of {MODEL} in f16");
    let known = gpu.verdicts().of(&label);
    let accuracy = match known {
        Some(known) => known,
        None => {
            gpu.verdicts().begin(std::iter::once(label.as_str()));
            let found = half_accuracy(gpu).inspect_err(|_| gpu.verdicts().give_up(std::iter::once(label.as_str())))?;
            gpu.verdicts().end(&label, found.clone());
            found
        }
    };
    Ok(if accuracy.is_ok() { Precision::F16 } else { Precision::F32 })
}

/// What is wrong with 16-bit floats there. Errors where the device fails, which says nothing of them.
fn half_accuracy(gpu: &Gpu) -> Result<Result<(), Fault>> {
    let Some(model) = models::bundled(MODEL) else { return Ok(Err(Fault::Execution(format!("no model is called {MODEL}")))) };
    let model = model?;
    let graph = model.graph(SIDE, SIDE)?;
    let elements = graph.input_shape().elements();
    let pictures: Vec<f32> =
        (0..PICTURES * elements).map(|index| ((index % elements) as f32 * 0.013 + (index / elements) as f32).sin()).collect();
    let engine = Engine::new(gpu, &graph, &model.weights, EngineOptions::default().with_precision(Precision::F16))?;
    let found = match engine.run(Input::values(&pictures, [SIDE, SIDE])) {
        Ok(found) => found,
        Err(error) => return Ok(Err(Fault::Execution(gpu.words(error)?))),
    };
    let expected = Reference::new(graph, model.weights)?.run(&pictures, SIDE, SIDE)?;
    let classes = expected.len() / PICTURES;
    let differs = found.chunks_exact(classes).zip(expected.chunks_exact(classes)).position(|(found, expected)| !agree(found, expected));
    Ok(differs.map_or(Ok(()), |picture| Err(Fault::Difference(format!("the logits of picture {picture} in 16-bit floats")))))
}

fn agree(found: &[f32], expected: &[f32]) -> bool {
    let best = |logits: &[f32]| (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    let largest = expected.iter().fold(0f32, |most, logit| most.max(logit.abs()));
    let is_close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= TOLERANCE * largest);
    is_close && best(found) == best(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{open_gpu, untested};

    #[test]
    fn the_bundled_network_is_accurate_in_16_bits() {
        let gpu = open_gpu();
        if !gpu.capabilities().f16 {
            untested(&gpu, "16-bit floats, which it has not");
            assert_eq!(best_precision(&gpu).unwrap(), Precision::F32);
            return;
        }
        assert_eq!(half_accuracy(&gpu).unwrap(), Ok(()));
        let expected = if gpu.is_software() { Precision::F32 } else { Precision::F16 };
        assert_eq!(best_precision(&gpu).unwrap(), expected);
    }

    #[test]
    fn what_differs_is_noticed() {
        assert!(agree(&[1.0, -2.0, 1.99], &[1.0, -2.03, 1.98]));
        assert!(!agree(&[1.0, -2.0, 0.9], &[1.0, -2.05, 0.9]));
        assert!(!agree(&[1.0, 1.01], &[1.01, 1.0]));
        assert!(!agree(&[f32::NAN, 1.0], &[0.0, 1.0]));
    }
}
