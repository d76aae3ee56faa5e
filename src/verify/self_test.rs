//! The test that a device must pass before it is used.

use super::verification::Verification;
use crate::cache::checksum;
use crate::engine::{Engine, EngineOptions, Input};
use crate::error::{Error, Result};
use crate::gpu::{Fault, Gpu};
use crate::graph::{Conv, Graph, Value};
use crate::kernels::{Precision, Variant};
use crate::nonlinearity::Nonlinearity;
use crate::samples::Samples;
use crate::shape::{Shape, Window};
use crate::weights::{Tensor, Weights};

const SHAPE: Shape = Shape::new(3, 37, 41);
const PICTURES: usize = 3;
/// The last has values of one sign only.
const NONLINEARITIES: [Nonlinearity; 6] = [
    Nonlinearity::Gelu,
    Nonlinearity::GeluTanh,
    Nonlinearity::LeakyRelu { slope: 1.5 },
    Nonlinearity::Silu,
    Nonlinearity::Tanh,
    Nonlinearity::Sigmoid,
];

/// Runs a small network of every kind of layer on `gpu`, with odd sizes, and compares every value with the reference, with the tolerances
/// of a [`Verification`].
///
/// It takes milliseconds once its pipelines are compiled. The result, pass or fail, is kept in the device's
/// [`Cache`](crate::devices::Cache) for its driver and this version, and not computed again. The `densenet` program runs this before the
/// first use of a device; engines do not.
///
/// ```
/// use densenet_wgpu::{Gpu, Precision, verify};
///
/// verify::self_test(&Gpu::open(None)?, Precision::F32)?;
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
///
/// Errors if a layer differs ([`Error::SelfTest`]) or the device fails.
#[tracing::instrument(name = "self-test", skip_all)]
pub fn self_test(gpu: &Gpu, precision: Precision) -> Result<()> {
    self_test_of(gpu, precision, Variant::source)
}

fn self_test_of(gpu: &Gpu, precision: Precision, source: fn(&Variant) -> String) -> Result<()> {
    let failed = |found: String| Err(Error::SelfTest { adapter: gpu.called(), found });
    let label = format!("self-test in {}", precision.name());
    let known = gpu.verdicts().of(&label);
    match known {
        Some(Ok(())) => return Ok(()),
        Some(Err(fault)) => return failed(format!("{fault}, when it was first used")),
        None => {}
    }
    let found = match verification(gpu, precision, source) {
        Ok(verification) => verification.first_divergence().map_or(Ok(()), |layer| Err(Fault::Difference(layer.to_string()))),
        // The failure of a lost device says nothing about its results.
        Err(error) => Err(Fault::Execution(gpu.words(error)?)),
    };
    gpu.verdicts().end(&label, found.clone());
    found.or_else(|fault| failed(fault.to_string()))
}

fn verification(gpu: &Gpu, precision: Precision, source: fn(&Variant) -> String) -> Result<Verification> {
    let graph = network()?;
    let weights = weights(&graph);
    let options = EngineOptions::default().with_precision(precision);
    let engine = pollster::block_on(Engine::with_sources(gpu, &graph, &weights, options, source))?;
    let bytes: Vec<u8> = (0..PICTURES * SHAPE.elements()).map(|index| (index * 7919 % 251) as u8).collect();
    let tables: [[f32; 256]; 3] =
        std::array::from_fn(|channel| std::array::from_fn(|sample| (sample as f32 - 100.0) / (50 + channel) as f32));
    let pictures: Vec<Samples> = bytes.chunks_exact(SHAPE.elements()).map(|bytes| Samples { bytes, tables: &tables }).collect();
    Verification::run(&engine, &weights, Input::pictures(&pictures, [SHAPE.height, SHAPE.width]))
}

/// A small DenseNet, with operations that fusion removes from real ones: a separate ReLU and batch norm, a concat that copies, a
/// convolution with a bias, a pool with another window. Convolutions of other windows are checked when a network first has them.
fn network() -> Result<Graph> {
    let mut graph = Graph::new(SHAPE);
    let x = graph.conv("stem.conv", graph.input(), Conv::new(10, Window::square(7, 2, 3)))?; // 10x19x21
    let x = norm_relu(&mut graph, "stem", x)?;
    let x = graph.max_pool("stem.pool", x, Window::square(3, 2, 1))?; // 10x10x11
    let x = dense_layer(&mut graph, "layer1", x)?;
    let x = dense_layer(&mut graph, "layer2", x)?; // 20x10x11
    let x = norm_relu(&mut graph, "transition", x)?;
    let x = graph.conv("transition.conv", x, Conv::new(9, Window::square(1, 1, 0)))?;
    let x = graph.avg_pool("transition.pool", x, Window::square(2, 2, 0))?; // 9x5x5
    let bent = graph.relu("bent.relu", x)?;
    let both = graph.concat("bent.concat", &[x, bent, x])?; // 27x5x5
    let x = graph.conv("bent.conv", both, Conv::new(11, Window::square(7, 2, 3)).with_bias())?; // 11x3x3
    let x = graph.max_pool("bent.pool", x, Window { kernel: [3, 2], stride: [1, 1], padding: [1, 1] })?; // 11x3x4
    let mut x = graph.blur_pool("bent.blur", x)?; // 11x2x2, of both signs
    for nonlinearity in NONLINEARITIES {
        x = graph.nonlinearity(&format!("bent.{nonlinearity}"), x, nonlinearity)?;
    }
    let x = norm_relu(&mut graph, "head", x)?;
    let x = graph.global_avg_pool("head.pool", x)?;
    graph.linear("head.classifier", x, 7)?;
    Ok(graph)
}

fn norm_relu(graph: &mut Graph, name: &str, x: Value) -> Result<Value> {
    let x = graph.batch_norm(&format!("{name}.norm"), x, 1e-5)?;
    graph.relu(&format!("{name}.relu"), x)
}

fn dense_layer(graph: &mut Graph, name: &str, x: Value) -> Result<Value> {
    let new = norm_relu(graph, &format!("{name}.first"), x)?;
    let new = graph.conv(&format!("{name}.conv1"), new, Conv::new(20, Window::square(1, 1, 0)))?;
    let new = norm_relu(graph, &format!("{name}.second"), new)?;
    let new = graph.conv(&format!("{name}.conv2"), new, Conv::new(5, Window::square(3, 1, 1)))?;
    graph.concat(name, &[x, new])
}

/// Weights that differ from element to element, scaled to preserve the magnitude of a signal.
fn weights(graph: &Graph) -> Weights {
    let mut weights = Weights::new();
    for spec in graph.tensors() {
        let fan_in: usize = spec.shape[1..].iter().product();
        let start = checksum(spec.name.as_bytes()) % 1009;
        // From -0.5 to 0.5.
        let number = |index: u64| ((start + index * 7919) % 1009) as f32 / 1008.0 - 0.5;
        let scaled = |number: f32| match (spec.shape.len(), spec.name.rsplit('.').next()) {
            (1, Some("weight" | "running_var")) => 1.0 + number,
            (1, _) => 0.4 * number,
            _ => number * (24.0 / fan_in as f32).sqrt(),
        };
        let elements: usize = spec.shape.iter().product();
        let data = (0..elements as u64).map(|index| scaled(number(index))).collect();
        weights.insert(spec.name, Tensor { shape: spec.shape, data });
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::device::{open_gpu, untested};
    use crate::kernels::Shader;

    fn broken(variant: &Variant) -> String {
        match variant.shader {
            Shader::Copy => variant.source().replace("place(params.src, pixel)", "1u + place(params.src, pixel)"),
            _ => variant.source(),
        }
    }

    #[test]
    fn this_device_passes_in_every_precision() {
        let gpu = open_gpu();
        for precision in [Precision::F32, Precision::F16] {
            if precision == Precision::F16 && !gpu.capabilities().f16 {
                untested(&gpu, "16-bit floats, which it has not");
                continue;
            }
            let verification = verification(&gpu, precision, Variant::source).unwrap();
            assert_eq!(verification.first_divergence(), None);
            assert!(verification.layers.iter().all(|layer| layer.expected != 0.0), "a layer of nothing but zeros tests nothing");
        }
        self_test(&gpu, Precision::F32).unwrap();
    }

    #[test]
    fn it_runs_every_kernel_but_those_that_stand_in_for_others() {
        let plan = crate::Plan::new(&network().unwrap(), crate::planning::PlanOptions::default().with_batch(PICTURES)).unwrap();
        let used: Vec<Shader> = plan.steps().iter().map(|step| step.kernel.variant.shader).collect();
        use Shader::*;
        for shader in [ConvTiled, NormRelu, Pool, BlurPool, Copy, GlobalPool, Nonlinearity, Linear] {
            assert!(used.contains(&shader), "{shader:?}");
        }
    }

    #[test]
    fn a_device_that_computes_wrongly_is_refused_and_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let start = || open_gpu().with_cache(Cache::at(folder.path()));
        match self_test_of(&start(), Precision::F32, broken).unwrap_err() {
            Error::SelfTest { found, .. } => assert!(found.contains("bent.concat"), "{found}"),
            other => panic!("{other}"),
        }
        let again = self_test(&start(), Precision::F32).unwrap_err().to_string();
        assert!(again.contains("when it was first used"), "{again}");
        std::fs::remove_dir_all(folder.path().join("verdicts")).unwrap();
        self_test(&start(), Precision::F32).unwrap();
        // What passed is not asked again.
        self_test_of(&start(), Precision::F32, broken).unwrap();
    }
}
