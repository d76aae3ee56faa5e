//! One network on a device, compared with the reference.

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde::Serialize;

use super::layer::LayerCheck;
use super::tolerance::tolerance;
use crate::engine::{Engine, Input, Walk};
use crate::error::{Error, Result};
use crate::graph::{Graph, Value};
use crate::reference::Reference;
use crate::weights::Weights;

/// Every layer that an engine's plan stores at some time, compared with the reference.
///
/// Without fusion ([`EngineOptions::fusion`](crate::EngineOptions::fusion)) that is every layer of the network. With it, layers
/// that are fused with the next one are covered by its result.
///
/// ```
/// use densenet_wgpu::verify::Verification;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let graph = model.graph(64, 64)?;
/// let options = EngineOptions::default().with_fusion(false);
/// let engine = Engine::new(&Gpu::open(None)?, &graph, &model.weights, options)?;
/// let verification = Verification::run(&engine, &model.weights, Input::values(&[0.5; 3 * 64 * 64], [64, 64]))?;
/// assert_eq!(verification.first_divergence(), None);
/// assert_eq!(verification.layers.len(), graph.nodes().len());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// How much a value may differ, relative to the largest magnitude of its layer.
    pub tolerance: f64,
    /// The layers, in the order in which they were completed.
    pub layers: Vec<LayerCheck>,
}

impl Verification {
    /// Runs `input` on both. `weights` must be those of the engine.
    ///
    /// Errors if the weights or the input do not fit the network, the input is a buffer on the device, which the reference cannot read, the
    /// batch is too large for the device, or the device fails.
    #[tracing::instrument(name = "verify", skip_all)]
    pub fn run(engine: &Engine, weights: &Weights, input: Input<'_>) -> Result<Self> {
        let [height, width] = input.size();
        let Some(values) = input.to_values() else {
            return Err(Error::Input { expected: "numbers or pictures, which the reference can read".into(), found: "a buffer".into() });
        };
        let reference = Reference::new(engine.graph().resized(height, width)?, weights.clone())?;
        let tolerance = tolerance(engine.tuning().precision());
        let walk = engine.walk(input)?;
        let mut awaited = HashMap::new();
        for (value, _) in walk.plan().steps().iter().flat_map(|step| &step.values) {
            *awaited.entry(*value).or_insert(0) += 1;
        }
        awaited.insert(reference.graph().input(), 1);
        let arrival = if input.is_pictures() { "normalise" } else { "upload" };
        let mut comparison =
            Comparison { graph: reference.graph(), arrival, walk, tolerance, awaited, expected: HashMap::new(), layers: Vec::new() };
        let mut failed = None;
        reference.walk(&values, height, width, |value, result| match comparison.show(value, result) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        match failed {
            Some(error) => Err(error),
            None => Ok(Self { tolerance, layers: comparison.layers }),
        }
    }

    /// The first layer that exceeds the tolerance.
    pub fn first_divergence(&self) -> Option<&LayerCheck> {
        self.layers.iter().find(|layer| !layer.agrees)
    }

    /// The layer with the largest difference.
    pub fn worst(&self) -> Option<&LayerCheck> {
        self.layers.iter().max_by(|a, b| a.error.total_cmp(&b.error))
    }
}

/// Compares the device's walk with that of the reference, which is a little ahead.
struct Comparison<'a> {
    graph: &'a Graph,
    /// The kernel or copy that brings the input to the device.
    arrival: &'a str,
    walk: Walk,
    tolerance: f64,
    /// How often the device will still return each value.
    awaited: HashMap<Value, usize>,
    /// The results of the reference for those.
    expected: HashMap<Value, Vec<f32>>,
    layers: Vec<LayerCheck>,
}

impl Comparison<'_> {
    /// Takes a result of the reference, and advances the device as far as it can be compared.
    fn show(&mut self, value: Value, result: &[f32]) -> Result<()> {
        if self.awaited.contains_key(&value) {
            self.expected.insert(value, result.to_vec());
        }
        while let Some((step, values)) = self.walk.coming()
            && values.iter().all(|value| self.expected.contains_key(value))
        {
            let (step, kernel) = match step {
                Some(step) => (step.name.clone(), step.kernel.variant.to_string()),
                None => ("input".into(), self.arrival.into()),
            };
            for (value, found) in self.walk.advance()?.into_iter().flatten() {
                let check = self.check(value, &found)?;
                self.layers.push(LayerCheck { step: step.clone(), kernel: kernel.clone(), ..check });
                self.leave(value);
            }
        }
        Ok(())
    }

    fn check(&self, value: Value, found: &[f32]) -> Result<LayerCheck> {
        let (node, expected) = (self.graph.node(value), &self.expected[&value]);
        if found.len() != expected.len() {
            let expected = format!("{} elements of {}, as the reference has", expected.len(), node.name);
            return Err(Error::Input { expected, found: found.len().to_string() });
        }
        Ok(LayerCheck::new(&node.name, node.shape, found, expected, self.tolerance))
    }

    fn leave(&mut self, value: Value) {
        if let Some(times) = self.awaited.get_mut(&value) {
            *times -= 1;
            if *times == 0 {
                self.awaited.remove(&value);
                self.expected.remove(&value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::open_gpu;
    use crate::kernels::{Shader, Tuning, Variant};
    use crate::preprocessing::Samples;
    use crate::{Checkpoint, Config, EngineOptions};

    /// Odd sizes: 33x37, 17x19 behind the stem's convolution, 9x10 and 4x5 in the blocks.
    const SIZE: [usize; 2] = [33, 37];

    fn verify(fusion: bool, source: fn(&Variant) -> String) -> Verification {
        let gpu = open_gpu();
        let config = Config { num_classes: Some(6), ..Config::imagenet(6, &[2, 2], 10) };
        let model = Checkpoint::init(config, 5).unwrap();
        let [height, width] = SIZE;
        let graph = model.graph(height, width).unwrap();
        let options = EngineOptions::default().with_fusion(fusion).with_tuning(Tuning::default());
        let engine = pollster::block_on(Engine::with_sources(&gpu, &graph, &model.weights, options, source)).unwrap();
        assert!(engine.tuning().excluded().is_empty(), "the check of tiles must not find what is to be found here");
        let bytes: Vec<u8> = (0..2 * 3 * height * width).map(|index| (index * 7919 % 251) as u8).collect();
        let tables: [[f32; 256]; 3] = [std::array::from_fn(|sample| sample as f32 / 64.0 - 2.0); 3];
        let pictures: Vec<Samples> = bytes.chunks_exact(bytes.len() / 2).map(|bytes| Samples { bytes, tables: &tables }).collect();
        Verification::run(&engine, &model.weights, Input::pictures(&pictures, SIZE)).unwrap()
    }

    /// Breaks `shader` where its text has `right`.
    fn broken(variant: &Variant, shader: Shader, right: &str, wrong: &str) -> String {
        let text = variant.source();
        if variant.shader != shader {
            return text;
        }
        assert!(text.contains(right), "{shader:?} no longer has {right:?}");
        text.replace(right, wrong)
    }

    /// The first layer that diverges.
    #[track_caller]
    fn diverges(fusion: bool, source: fn(&Variant) -> String) -> LayerCheck {
        verify(fusion, source).first_divergence().expect("a divergence").clone()
    }

    #[test]
    fn a_sound_device_agrees_in_every_layer() {
        let fused = verify(true, Variant::source);
        assert_eq!(fused.first_divergence(), None);
        let worst = fused.worst().unwrap();
        assert!(worst.error > 0.0 && worst.error < 1e-5, "{worst}");
        let unfused = verify(false, Variant::source);
        assert_eq!(unfused.first_divergence(), None);
        let config = Config { num_classes: Some(6), ..Config::imagenet(6, &[2, 2], 10) };
        let graph = config.graph(33, 37).unwrap();
        let layers: Vec<&str> = unfused.layers.iter().map(|check| check.layer.as_str()).collect();
        assert_eq!(layers, graph.nodes().iter().map(|node| node.name.as_str()).collect::<Vec<_>>());
    }

    #[test]
    fn a_pool_that_misses_the_last_column_is_named() {
        let layer = diverges(true, |variant| broken(variant, Shader::Pool, "i32(window.src_width)));", "i32(window.src_width) - 1));"));
        assert_eq!((layer.step.as_str(), layer.layer.as_str(), layer.worst[3]), ("features.pool0", "features.pool0", 9));
    }

    #[test]
    fn a_convolution_that_misses_the_last_row_is_named() {
        // Only at a height that the check of tiles does not try.
        let source = |variant: &Variant| {
            let wrong =
                "(y < i32(layer.window.src_height) - select(0, 1, layer.window.kernel_height == 3u && layer.window.src_height == 9u))";
            broken(variant, Shader::ConvTiled, "(y < i32(layer.window.src_height))", wrong)
        };
        let layer = diverges(true, source);
        assert_eq!(layer.name(), "features.denseblock1.denselayer1.conv2");
        assert!(layer.worst[2] >= 7, "{layer}");
    }

    #[test]
    fn a_convolution_that_forgets_the_last_channel_is_named() {
        let source = |variant: &Variant| {
            let wrong = "channel < layer.out_channels - select(0u, 1u, layer.out_channels == 24u)";
            broken(variant, Shader::ConvTiled, "channel < layer.out_channels", wrong)
        };
        let fused = diverges(true, source);
        assert_eq!(fused.name(), "features.denseblock1.denselayer1.conv1 in features.denseblock1.denselayer1.relu2");
        let unfused = diverges(false, source);
        assert_eq!((unfused.name().as_str(), unfused.worst[1]), ("features.denseblock1.denselayer1.conv1", 23));
    }

    #[test]
    fn a_step_that_spoils_another_layers_channels_is_named() {
        // The last pixel of the channel before its own.
        let source = |variant: &Variant| {
            let right = "channel < layer.out_channels {";
            let wrong = right.to_owned()
                + "if layer.window.kernel_height == 3u && layer.window.src_height == 9u { dst[layer.dst.offset - 1u] = Target(99.0); }";
            broken(variant, Shader::ConvTiled, right, &wrong)
        };
        let layer = diverges(true, source);
        assert_eq!(layer.name(), "features.denseblock1.denselayer1.conv2 in features.denseblock1.denselayer2.concat");
        assert_eq!(layer.worst, [1, 9, 8, 9]);
    }

    #[test]
    fn the_head_is_held_to_the_reference_too() {
        let layer = diverges(true, |variant| {
            broken(variant, Shader::GlobalPool, "lane; pixel < params.pixels", "lane; pixel < params.pixels - 1u")
        });
        assert_eq!(layer.name(), "global_pool");
        let layer = diverges(true, |variant| {
            broken(variant, Shader::Linear, "feature < params.out_features", "feature < params.out_features - 1u")
        });
        assert_eq!((layer.name().as_str(), layer.worst[1]), ("classifier", 5));
    }

    #[test]
    fn so_is_the_normalisation_of_pictures() {
        let layer = diverges(true, |variant| broken(variant, Shader::Normalise, "byte % 4u * 8u", "byte % 4u * 8u % 24u"));
        assert_eq!((layer.name().as_str(), layer.kernel.as_str()), ("input", "normalise"));
    }
}
