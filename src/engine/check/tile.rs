//! The check of a tile before its first use on a device: a small convolution against the same in plain loops.
//!
//! Drivers have miscompiled shaders before: a tile that computes something else, does not compile or does not run is not used.

use super::specimen::Specimen;
use crate::engine::readback::Readback;
use crate::error::Result;
use crate::gpu::{Fault, Gpu, Pipelines};
use crate::kernels::{Convolution, Tile};

/// A check that is under way on the device.
pub(in crate::engine) struct Check {
    tile: Tile,
    specimen: Specimen,
    readback: Readback,
}

impl Check {
    /// Starts to compute what tells whether `tile` is right for a convolution like `convolution`: one of the same kind, but small, of
    /// odd sizes, and far from the beginning of its buffers. Says what is wrong where it cannot be computed.
    ///
    /// Errors, as [`Check::end`] does, where the device is gone or has no memory left: then nothing is known of the tile.
    #[tracing::instrument(level = "debug", name = "check tile", skip_all, fields(%tile))]
    pub(in crate::engine) async fn start(
        gpu: &Gpu,
        pipelines: &Pipelines,
        tile: Tile,
        convolution: &Convolution,
    ) -> Result<Result<Self, Fault>> {
        let specimen = Specimen::new(tile, convolution);
        let kernel = tile.kernel(&specimen.convolution);
        debug_assert_eq!(kernel.variant, tile.kernel(convolution).variant, "what is checked is what runs");
        if let Err(error) = pipelines.build(gpu, std::iter::once(&kernel.variant)).await {
            return Ok(Err(Fault::Compilation(gpu.words(error)?)));
        }
        match specimen.start(gpu, pipelines, &kernel).await {
            Ok(readback) => Ok(Ok(Self { tile, specimen, readback })),
            Err(error) => Ok(Err(Fault::Execution(gpu.words(error)?))),
        }
    }

    /// What is wrong with the tile.
    #[tracing::instrument(level = "debug", name = "check tile", skip_all, fields(tile = %self.tile))]
    pub(in crate::engine) async fn end(self, gpu: &Gpu) -> Result<Result<(), Fault>> {
        // While the device is at work.
        let expected = self.specimen.expected();
        match self.specimen.found(gpu, self.readback).await {
            Ok(found) => Ok(self.specimen.difference(&expected, &found).map_or(Ok(()), |difference| Err(Fault::Difference(difference)))),
            Err(error) => Ok(Err(Fault::Execution(gpu.words(error)?))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cache::Cache;
    use crate::device::{open_gpu, untested};
    use crate::engine::Input;
    use crate::kernels::{Capabilities, Shader, Tuning, Variant};
    use crate::verify::Reference;
    use crate::weights::Weights;
    use crate::{Checkpoint, Config, Engine, EngineOptions, Error, Graph};

    fn network() -> (Graph, Weights) {
        let config = Config { num_classes: Some(5), ..Config::imagenet(6, &[2, 2], 10) };
        (config.graph(33, 37).unwrap(), Checkpoint::init(config, 3).unwrap().weights)
    }

    fn engine(gpu: &Gpu, source: fn(&Variant) -> String, tuning: Option<Tuning>) -> Result<Engine> {
        let (graph, weights) = network();
        pollster::block_on(Engine::with_sources(gpu, &graph, &weights, EngineOptions { tuning, ..Default::default() }, source))
    }

    /// Runs the network, and tells which shaders' tiles are not used, and why.
    #[track_caller]
    fn runs_without(source: fn(&Variant) -> String, tuning: Option<Tuning>) -> Vec<(Shader, Fault)> {
        let engine = engine(&open_gpu(), source, tuning).unwrap();
        let (graph, weights) = network();
        let input: Vec<f32> = (0..3 * 33 * 37).map(|index| (index % 17) as f32 * 0.1 - 0.8).collect();
        let expected = Reference::new(graph, weights).unwrap().run(&input, 33, 37).unwrap();
        let found = engine.run(Input::values(&input, [33, 37])).unwrap();
        let largest = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 2e-5 * largest), "{found:?} instead of {expected:?}");
        assert!(engine.tuning().excluded().iter().eq(engine.faults().keys()));
        engine.faults().into_iter().map(|(tile, fault)| (tile.shader(), fault)).collect()
    }

    /// One tile of that shader's is not used, as it computes something else.
    #[track_caller]
    fn differs(faults: &[(Shader, Fault)], expected: Shader) {
        assert!(matches!(faults, [(shader, Fault::Difference(_))] if *shader == expected), "{faults:?}");
    }

    /// One tile of that shader's is not used, as it does not compile; the compiler's words are kept.
    #[track_caller]
    fn does_not_compile(faults: &[(Shader, Fault)], expected: Shader) {
        let [(shader, Fault::Compilation(words))] = faults else { panic!("{faults:?}") };
        assert!(*shader == expected && words.contains("expected") && !words.contains('\n') && words.len() < 600, "{words}");
    }

    /// The kernels that every device runs.
    fn portable() -> Option<Tuning> {
        Some(Tuning::default())
    }

    /// The kernels for software devices, where this device runs them.
    fn lanes() -> Option<Tuning> {
        let gpu = open_gpu();
        let capabilities = Capabilities { software: true, ..gpu.capabilities() };
        if !capabilities.has_lanes() {
            untested(&gpu, "kernels for software devices, which need subgroups of 8 lanes or a multiple of it");
            return None;
        }
        Some(Tuning::new(Capabilities { llvm: None, ..capabilities }))
    }

    /// The text with `wrong` wherever it has `right`.
    fn mistaken(text: String, right: &str, wrong: &str) -> String {
        assert!(text.contains(right), "the shader no longer has {right:?}");
        text.replace(right, wrong)
    }

    /// Spoils one of the portable tiles where its text has `right`.
    fn spoilt(variant: &Variant, right: &str, wrong: &str) -> String {
        match variant.shader {
            Shader::ConvTiled if variant.to_string().contains("32x16x8") => mistaken(variant.source(), right, wrong),
            _ => variant.source(),
        }
    }

    #[test]
    fn right_tiles_are_kept() {
        assert_eq!(runs_without(Variant::source, None), []);
        assert_eq!(runs_without(Variant::source, portable()), []);
        if let Some(lanes) = lanes() {
            assert_eq!(runs_without(Variant::source, Some(lanes)), []);
        }
    }

    #[test]
    fn tiles_that_compute_something_else_are_excluded() {
        // Only where a tile is not full.
        let broken = |variant: &Variant| spoilt(variant, "has_channel = ", "has_channel = true || ");
        differs(&runs_without(broken, portable()), Shader::ConvTiled);
        let Some(lanes) = lanes() else { return };
        // One channel in all takes its neighbour's weight.
        let broken = |variant: &Variant| match variant.shader {
            Shader::Conv1x1 if variant.to_string().contains("8x64x1x2") => {
                mistaken(variant.source(), "(lane_weights[0u][6u / LANE_CHANNELS][6u % 4u]", "(lane_weights[0u][0u][3u]")
            }
            _ => variant.source(),
        };
        differs(&runs_without(broken, Some(lanes)), Shader::Conv1x1);
    }

    #[test]
    fn tiles_that_write_where_they_must_not_are_excluded() {
        let broken = |variant: &Variant| spoilt(variant, "&& channel < layer.out_channels", "&& channel <= layer.out_channels");
        differs(&runs_without(broken, portable()), Shader::ConvTiled);
        let Some(lanes) = lanes() else { return };
        let broken = |variant: &Variant| match variant.shader {
            Shader::Conv3x3 if variant.to_string().contains("8x32x4") => {
                mistaken(variant.source(), "params.out_channels - first_channel", "params.out_channels + 1u - first_channel")
            }
            _ => variant.source(),
        };
        differs(&runs_without(broken, Some(lanes)), Shader::Conv3x3);
    }

    #[test]
    fn tiles_that_do_not_compile_are_excluded() {
        does_not_compile(&runs_without(|variant| spoilt(variant, "fn main(", "fn main(,"), portable()), Shader::ConvTiled);
        let Some(lanes) = lanes() else { return };
        let broken = |variant: &Variant| match variant.shader {
            Shader::Conv => "fn main(".to_owned(),
            _ => variant.source(),
        };
        does_not_compile(&runs_without(broken, Some(lanes)), Shader::Conv);
    }

    #[test]
    fn where_nothing_is_right_the_layer_is_named() {
        let broken = |variant: &Variant| variant.source().replace("+ vec4(bias)", "- vec4(bias)").replace("] + bias", "] - bias");
        match engine(&open_gpu(), broken, None).unwrap_err() {
            Error::NoKernel { layer, faults } => {
                assert_eq!(layer, "features.conv0");
                assert!(faults.iter().all(|fault| fault.contains("computes wrongly (expected ")), "{faults:?}");
            }
            other => panic!("{other}"),
        }
        // What the first compiler says is in the message.
        let message = engine(&open_gpu(), |_| "fn main(".into(), portable()).unwrap_err().to_string();
        assert!(message.contains("found none (conv_tiled") && message.contains("does not compile ("), "{message}");
    }

    #[test]
    fn verdicts_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let start = || open_gpu().with_cache(Cache::at(folder.path()));
        let broken = |variant: &Variant| spoilt(variant, "vec4(weight.y)", "vec4(weight.x)");
        let faults = |source| engine(&start(), source, portable()).unwrap().faults();
        let found = faults(broken);
        assert_eq!(found.len(), 1);
        // Sound again, as a driver is whose version says nothing of it; what is known holds, with its words.
        assert_eq!(faults(Variant::source), found);
        forget(folder.path());
        assert!(faults(Variant::source).is_empty());
    }

    fn forget(folder: &Path) {
        std::fs::remove_dir_all(folder.join("verdicts")).unwrap();
    }
}
