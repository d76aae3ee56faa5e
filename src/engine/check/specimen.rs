//! What a tile is checked on: a small convolution, on the device and in plain loops.

use half::f16;

use crate::engine::kernel_run::KernelRun;
use crate::engine::readback::{Readback, Waiter};
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

/// A convolution of a network's kind, but small, of odd sizes, and far from the beginning of its buffers.
pub(super) struct Specimen {
    pub(super) convolution: Convolution,
    source: Vec<f32>,
    weights: Vec<f32>,
    element_target: usize,
}

impl Specimen {
    pub(super) fn new(tile: Tile, like: &Convolution) -> Self {
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
    pub(super) async fn start(&self, gpu: &Gpu, pipelines: &Pipelines, kernel: &Kernel) -> Result<Readback> {
        gpu.caught(|| {
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
            let buffer = |values: &[f32], precision| gpu.filled_buffer("check", &bytes(values, precision), usage);
            let source = buffer(&self.source, self.convolution.source.precision);
            let weights = buffer(&self.weights, self.convolution.weights.precision);
            let target = buffer(&vec![UNTOUCHED; self.element_target], self.convolution.target.precision);
            let run = KernelRun {
                name: "check",
                kernel,
                source: &source,
                weights: &weights,
                target: &target,
                dispatches: 1,
                byte_result: 0..target.size(),
            };
            run.encode(gpu, pipelines).submit(gpu)
        })
        .await
    }

    /// The whole target buffer after the convolution.
    pub(super) async fn found(&self, gpu: &Gpu, readback: Readback) -> Result<Vec<f32>> {
        let words = readback.data(gpu, Waiter::Caller).await?;
        Ok(match self.convolution.target.precision {
            Precision::F32 => words,
            Precision::F16 => bytemuck::cast_slice::<f32, f16>(&words).iter().map(|half| half.to_f32()).collect(),
        })
    }

    /// Where each element of the target's `[N, C, H, W]` lies, and what it is.
    pub(super) fn expected(&self) -> Vec<(usize, f64)> {
        (0..BATCH * self.convolution.target.shape.elements()).map(|index| self.element(index)).collect()
    }

    /// Where the target buffer is not what it should be; nowhere where the tile is right.
    pub(super) fn difference(&self, expected: &[(usize, f64)], found: &[f32]) -> Option<String> {
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
