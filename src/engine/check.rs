//! The check of a tile before its first use on a device: a small convolution against the same in plain loops.
//!
//! Drivers have miscompiled shaders before: a tile that computes something else, does not compile or does not run is not used.

use half::f16;

use super::fault::{Fault, words};
use super::readback::{Readback, Waiter};
use crate::error::Result;
use crate::gpu::{Gpu, Pipelines};
use crate::kernels::{Convolution, Kernel, Precision, Region, Tile, WeightRows};
use crate::shape::{Shape, Window};

/// No multiples of any tile. A tile whose depth is made of few channels otherwise than of many gets as few as the network has.
const IN_CHANNELS: usize = 19;
/// More than one tile of any 3x3, which has no more for a DenseNet's few new channels.
const OUT_CHANNELS: usize = 37;
/// More than one tile of any 1x1.
const OUT_CHANNELS_1X1: usize = 133;
const BATCH: usize = 2;

/// What memory holds that the convolution must not write.
const UNTOUCHED: f32 = 7.0;

/// A check that is under way on the device.
pub(super) struct Check {
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
    pub(super) async fn start(gpu: &Gpu, pipelines: &Pipelines, tile: Tile, convolution: &Convolution) -> Result<Result<Self, Fault>> {
        let specimen = Specimen::new(tile, convolution);
        let kernel = tile.kernel(&specimen.convolution);
        debug_assert_eq!(kernel.variant, tile.kernel(convolution).variant, "what is checked is what runs");
        if let Err(error) = pipelines.build(gpu, std::iter::once(&kernel.variant)).await {
            return Ok(Err(Fault::Compilation(words(gpu, error)?)));
        }
        match specimen.start(gpu, pipelines, &kernel).await {
            Ok(readback) => Ok(Ok(Self { tile, specimen, readback })),
            Err(error) => Ok(Err(Fault::Execution(words(gpu, error)?))),
        }
    }

    /// What is wrong with the tile.
    #[tracing::instrument(level = "debug", name = "check tile", skip_all, fields(tile = %self.tile))]
    pub(super) async fn end(self, gpu: &Gpu) -> Result<Result<(), Fault>> {
        // While the device is at work.
        let expected = self.specimen.expected();
        match self.specimen.found(gpu, self.readback).await {
            Ok(found) => Ok(self.specimen.difference(&expected, &found).map_or(Ok(()), |difference| Err(Fault::Difference(difference)))),
            Err(error) => Ok(Err(Fault::Execution(words(gpu, error)?))),
        }
    }
}

struct Specimen {
    convolution: Convolution,
    source: Vec<f32>,
    weights: Vec<f32>,
    element_target: usize,
}

impl Specimen {
    fn new(tile: Tile, like: &Convolution) -> Self {
        let Window { kernel, .. } = like.window;
        let in_channels = match tile {
            Tile::ConvMatrix(_) => IN_CHANNELS.min(like.source.shape.channels),
            _ => IN_CHANNELS,
        };
        let out_channels = if kernel == [1, 1] { OUT_CHANNELS_1X1 } else { OUT_CHANNELS };
        // Rows of strips that are full, and of one that is not.
        let shape = Shape::new(in_channels, kernel[0] + 8, kernel[1] + 10);
        let [height, width] = like.window.slide(shape.height, shape.width).unwrap_or([1, 1]);
        let in_planes = tile.needs_planes() || like.source.is_planar();
        let source = region(shape, like.source.precision, in_planes);
        let target = region(Shape::new(out_channels, height, width), like.target.precision, true);
        let weights = WeightRows { quad_offset: 5, row_quads: out_channels.div_ceil(8) * 2, precision: like.weights.precision };
        let convolution = Convolution { source, target, weights, ..*like };
        let rows = in_channels * kernel[0] * kernel[1];
        let element_weights = 4 * (weights.quad_offset + rows * row_quads(&convolution) + weights.row_quads);
        // Sums of short binary fractions, which 16-bit floats hold as well.
        let fraction =
            |index: usize, most: usize, step: f32| ((index * 7919 + index / 64) % (2 * most + 1)) as f32 * step - most as f32 * step;
        Self {
            source: (0..element_end(source)).map(|index| fraction(index, 20, 0.0625)).collect(),
            weights: (0..element_weights).map(|index| fraction(index + 3, 12, 0.03125)).collect(),
            element_target: element_end(target) + target.element_plane,
            convolution,
        }
    }

    /// Starts the convolution, whose pipeline is there.
    async fn start(&self, gpu: &Gpu, pipelines: &Pipelines, kernel: &Kernel) -> Result<Readback> {
        let precision = self.convolution.target.precision;
        gpu.caught(|| {
            let device = gpu.device();
            let buffer = |contents: &[u8], usage| gpu.filled_buffer("check", contents, usage);
            let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
            let params = buffer(&kernel.params, wgpu::BufferUsages::UNIFORM);
            let source = buffer(&bytes(&self.source, self.convolution.source.precision), storage);
            let weights = buffer(&bytes(&self.weights, self.convolution.weights.precision), storage);
            let target = buffer(&bytes(&vec![UNTOUCHED; self.element_target], precision), storage);
            let bindings = pipelines.bind(device, "check", [&params, &source, &weights, &target]);
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("check") });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("check"), timestamp_writes: None });
            pass.set_pipeline(&pipelines.get(&kernel.variant));
            pass.set_bind_group(0, &bindings, &[]);
            let [x, y, z] = kernel.workgroups;
            pass.dispatch_workgroups(x, y, z);
            drop(pass);
            let readback = Readback::buffer(gpu, target.size());
            encoder.copy_buffer_to_buffer(&target, 0, &readback, 0, target.size());
            let submission = gpu.queue().submit([encoder.finish()]);
            Readback::start(readback, Some(submission))
        })
        .await
    }

    /// The whole target buffer after the convolution.
    async fn found(&self, gpu: &Gpu, readback: Readback) -> Result<Vec<f32>> {
        let words = readback.data(gpu, Waiter::Caller).await?;
        Ok(match self.convolution.target.precision {
            Precision::F32 => words,
            Precision::F16 => bytemuck::cast_slice::<f32, f16>(&words).iter().map(|half| half.to_f32()).collect(),
        })
    }

    /// Where each element of the target's `[N, C, H, W]` lies, and what it is.
    fn expected(&self) -> Vec<(usize, f64)> {
        (0..BATCH * self.convolution.target.shape.elements()).map(|index| self.element(index)).collect()
    }

    /// Where the target buffer is not what it should be; nowhere where the tile is right.
    fn difference(&self, expected: &[(usize, f64)], found: &[f32]) -> Option<String> {
        let target = self.convolution.target;
        let largest = expected.iter().fold(0.0, |most: f64, (_, value)| most.max(value.abs()));
        let types = [self.convolution.source.precision, self.convolution.weights.precision, target.precision];
        let tolerance = if types.contains(&Precision::F16) { 4e-3 } else { 1e-5 } * largest;
        let is_right = |&(place, value): &(usize, f64)| (f64::from(found[place]) - value).abs() <= tolerance;
        if let Some((index, &(place, value))) = expected.iter().enumerate().find(|&(_, element)| !is_right(element)) {
            let (image, channel) = (index / target.shape.elements(), index / target.shape.pixels() % target.shape.channels);
            return Some(format!("expected {value:.4} in channel {channel} of image {image}, found {:.4}", found[place]));
        }
        let mut others = (0..target.element_offset).chain(element_end(target)..found.len());
        others.find(|&place| found[place] != UNTOUCHED).map(|_| "it writes beside its output".into())
    }

    /// Where the target's element `index` of `[N, C, H, W]` lies, and what it is.
    fn element(&self, index: usize) -> (usize, f64) {
        let Convolution { source, target, weights, window, prologue, relu } = self.convolution;
        let (pixels, width) = (target.shape.pixels(), target.shape.width);
        let (image, channel, pixel) = (index / target.shape.elements(), index / pixels % target.shape.channels, index % pixels);
        let row_quads = row_quads(&self.convolution);
        let row = |row: usize| 4 * (weights.quad_offset + row * row_quads);
        let head = row_quads - weights.row_quads;
        let taps = window.kernel[0] * window.kernel[1];
        let rows = source.shape.channels * taps;
        let mut sum = f64::from(self.weights[row(rows) + channel]);
        for k in 0..rows {
            let (from, tap) = (k / taps, k % taps);
            let y = (pixel / width * window.stride[0] + tap / window.kernel[1]).checked_sub(window.padding[0]);
            let x = (pixel % width * window.stride[1] + tap % window.kernel[1]).checked_sub(window.padding[1]);
            let inside = |at: Option<usize>, size: usize| at.filter(|&at| at < size);
            let (Some(y), Some(x)) = (inside(y, source.shape.height), inside(x, source.shape.width)) else { continue };
            let at = source.element_offset + image * source.element_image + from * source.element_plane + y * source.shape.width + x;
            let mut value = f64::from(self.source[at]);
            if let Some(relu) = prologue {
                let [scale, shift] = [self.weights[row(k)], self.weights[row(k) + 1]].map(f64::from);
                value = value * scale + shift;
                value = if relu { value.max(0.0) } else { value };
            }
            sum += value * f64::from(self.weights[row(k) + 4 * head + channel]);
        }
        (
            target.element_offset + image * target.element_image + channel * target.element_plane + pixel,
            if relu { sum.max(0.0) } else { sum },
        )
    }
}

/// Quads from one row of the weights to the next.
fn row_quads(convolution: &Convolution) -> usize {
    usize::from(convolution.prologue.is_some()) + convolution.weights.row_quads
}

/// A region behind two planes that belong to others; or dense, as a network's input is.
fn region(shape: Shape, precision: Precision, in_planes: bool) -> Region {
    let pixels = shape.pixels();
    let element_plane = if in_planes { (BATCH * pixels).next_multiple_of(4) + 4 } else { pixels };
    let element_image = if in_planes { pixels } else { shape.elements() };
    let element_offset = if in_planes { 2 * element_plane } else { 0 };
    Region { buffer: 0, element_offset, element_plane, element_image, shape, batch: BATCH, precision }
}

/// The first element behind the region's planes.
fn element_end(region: Region) -> usize {
    let dense_images = if region.is_planar() { 1 } else { BATCH };
    (region.element_offset + dense_images * region.shape.channels * region.element_plane).next_multiple_of(4)
}

fn bytes(values: &[f32], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::F32 => bytemuck::cast_slice(values).to_vec(),
        Precision::F16 => values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
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
        let gpu = open_gpu().with_cache(Cache::at(folder.path()));
        let broken = |variant: &Variant| spoilt(variant, "vec4(weight.y)", "vec4(weight.x)");
        let faults = |source| engine(&gpu, source, portable()).unwrap().faults();
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
