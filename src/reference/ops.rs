//! One function per operation: `[N, C, H, W]` in, `[N, C', H', W']` out, 64-bit floats in between.
//!
//! They have the names of the shaders that are compared with them. `from` is the shape of one image of `x`; the batch size follows from the
//! length of `x`. Tensors must have the length that [`Graph`](crate::Graph) requires. If a window does not fit, the result is empty. NaN
//! stays NaN.

use std::ops::Range;

use rayon::prelude::*;

use crate::cores::on_every_core;
use crate::graph::Conv;
use crate::nonlinearity::Nonlinearity;
use crate::shape::{Shape, Window};

/// Convolution: weight `[out, in, kh, kw]`, bias `[out]` (PyTorch's `Conv2d`).
pub(super) fn conv(conv: Conv, from: Shape, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    // A 1x1 window needs no neighbours: treat all pixels as one row, for a long inner loop.
    let pointwise = conv.window == Window::square(1, 1, 0);
    let from = if pointwise { Shape::new(from.channels, 1, from.pixels()) } else { from };
    let Window { kernel, stride, padding } = conv.window;
    let [height, width] = conv.window.slide(from.height, from.width).unwrap_or_default();
    let taps = from.channels * kernel[0] * kernel[1];

    planes(x.len() / from.elements(), conv.out_channels, height * width, |image, channel, sums| {
        sums.fill(bias.map_or(0.0, |bias| bias[channel].into()));
        let x = &x[image * from.elements()..][..from.elements()];
        let weight = &weight[channel * taps..][..taps];
        for (plane, weight) in x.chunks_exact(from.pixels()).zip(weight.chunks_exact(kernel[0] * kernel[1])) {
            for (ky, weight) in weight.chunks_exact(kernel[1]).enumerate() {
                for out_y in inside(ky, stride[0], padding[0], from.height, height) {
                    let row = &plane[(out_y * stride[0] + ky - padding[0]) * from.width..][..from.width];
                    for (kx, &weight) in weight.iter().enumerate() {
                        let columns = inside(kx, stride[1], padding[1], from.width, width);
                        if columns.is_empty() {
                            continue;
                        }
                        let row = &row[columns.start * stride[1] + kx - padding[1]..];
                        let sums = &mut sums[out_y * width..][columns];
                        add_scaled(sums, weight.into(), row, stride[1]);
                    }
                }
            }
        }
    })
}

/// `sums[i] += weight * row[i * stride]`.
fn add_scaled(sums: &mut [f64], weight: f64, row: &[f32], stride: usize) {
    if stride == 1 {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += weight * f64::from(value);
        }
    } else {
        for (sum, &value) in sums.iter_mut().zip(row.iter().step_by(stride)) {
            *sum += weight * f64::from(value);
        }
    }
}

/// The positions of a window along one axis whose tap `k` is inside the picture, not in the padding.
fn inside(k: usize, stride: usize, padding: usize, size: usize, positions: usize) -> Range<usize> {
    let start = padding.saturating_sub(k).div_ceil(stride);
    let end = (size + padding).saturating_sub(k).div_ceil(stride).min(positions);
    start.min(end)..end
}

/// Batch normalisation: `(x - mean) / sqrt(variance + epsilon) * weight + bias`, a number for each channel.
pub(super) fn norm(epsilon: f32, from: Shape, x: &[f32], [weight, bias, mean, variance]: [&[f32]; 4]) -> Vec<f32> {
    let [weight, bias, mean, variance] = [weight, bias, mean, variance].map(|t| move |channel: usize| f64::from(t[channel]));
    planes(x.len() / from.elements(), from.channels, from.pixels(), |image, channel, results| {
        let deviation = (variance(channel) + f64::from(epsilon)).sqrt();
        for (result, &value) in results.iter_mut().zip(&x[(image * from.channels + channel) * from.pixels()..]) {
            *result = (f64::from(value) - mean(channel)) / deviation * weight(channel) + bias(channel);
        }
    })
}

/// `max(x, 0)`.
pub(super) fn relu(x: &[f32]) -> Vec<f32> {
    x.iter().map(|&value| if value < 0.0 { 0.0 } else { value }).collect()
}

/// Another function of each element (PyTorch's modules of these names).
pub(super) fn nonlinearity(function: Nonlinearity, x: &[f32]) -> Vec<f32> {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let compute = |x: f64| match function {
        Nonlinearity::LeakyRelu { slope } if x < 0.0 => x * f64::from(slope),
        Nonlinearity::LeakyRelu { .. } => x,
        Nonlinearity::Sigmoid => sigmoid(x),
        Nonlinearity::Silu => x * sigmoid(x),
        Nonlinearity::Tanh => x.tanh(),
        Nonlinearity::Gelu => 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
        Nonlinearity::GeluTanh => 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh()),
    };
    x.iter().map(|&value| compute(value.into()) as f32).collect()
}

/// Maximum over a window; padding never wins (PyTorch's `MaxPool2d`).
pub(super) fn max_pool(window: Window, from: Shape, x: &[f32]) -> Vec<f32> {
    let larger = |most: f64, value: f64| if value > most || value.is_nan() { value } else { most };
    pool(window, from, x, f64::NEG_INFINITY, larger, |most| most)
}

/// Mean over a window, padding counted as zeros (PyTorch's `AvgPool2d`).
pub(super) fn avg_pool(window: Window, from: Shape, x: &[f32]) -> Vec<f32> {
    let [rows, columns] = window.kernel;
    pool(window, from, x, 0.0, |sum, value| sum + value, |sum| sum / (rows * columns) as f64)
}

fn pool(
    window: Window,
    from: Shape,
    x: &[f32],
    start: f64,
    join: impl Fn(f64, f64) -> f64 + Sync,
    finish: impl Fn(f64) -> f64 + Sync,
) -> Vec<f32> {
    let Window { kernel, stride, padding } = window;
    let [height, width] = window.slide(from.height, from.width).unwrap_or_default();
    let covered = |axis: usize, position: usize, size: usize| {
        let first = position * stride[axis];
        first.saturating_sub(padding[axis])..(first + kernel[axis]).saturating_sub(padding[axis]).min(size)
    };
    planes(x.len() / from.elements(), from.channels, height * width, |image, channel, results| {
        let plane = &x[(image * from.channels + channel) * from.pixels()..][..from.pixels()];
        for (position, result) in results.iter_mut().enumerate() {
            let columns = covered(1, position % width, from.width);
            let rows = covered(0, position / width, from.height);
            let values = rows.flat_map(|y| columns.clone().map(move |x| f64::from(plane[y * from.width + x])));
            *result = finish(values.fold(start, &join));
        }
    })
}

/// Mean of 3x3 pixels at every other one, weighted (1, 2, 1) along each axis, the picture mirrored at its outermost pixels
/// (timm's `BlurPool2d`).
pub(super) fn blur_pool(from: Shape, x: &[f32]) -> Vec<f32> {
    let [height, width] = [from.height, from.width].map(|size| if size < 2 { 0 } else { size.div_ceil(2) });
    let around = |position: usize, size: usize| {
        [0, 1, 2].map(|tap| (2 * position + tap).abs_diff(1)).map(|index| if index == size { size - 2 } else { index })
    };
    let mean = |[before, centre, after]: [f64; 3]| (before + 2.0 * centre + after) / 4.0;
    planes(x.len() / from.elements(), from.channels, height * width, |image, channel, results| {
        let plane = &x[(image * from.channels + channel) * from.pixels()..][..from.pixels()];
        for (position, result) in results.iter_mut().enumerate() {
            let columns = around(position % width, from.width);
            let rows = around(position / width, from.height);
            *result = mean(rows.map(|y| mean(columns.map(|x| plane[y * from.width + x].into()))));
        }
    })
}

/// Concatenation of the inputs' channels, image by image.
pub(super) fn concat(inputs: &[(Shape, &[f32])]) -> Vec<f32> {
    let batch = inputs.first().map_or(0, |(shape, x)| x.len() / shape.elements());
    let image = |image: usize| inputs.iter().flat_map(move |(shape, x)| &x[image * shape.elements()..][..shape.elements()]);
    (0..batch).flat_map(image).copied().collect()
}

/// Mean of each channel over all pixels.
pub(super) fn global_pool(from: Shape, x: &[f32]) -> Vec<f32> {
    let mean = |plane: &[f32]| plane.iter().map(|&value| f64::from(value)).sum::<f64>() / from.pixels() as f64;
    x.chunks_exact(from.pixels()).map(|plane| mean(plane) as f32).collect()
}

/// Maximum of each channel over all pixels.
pub(super) fn global_max_pool(from: Shape, x: &[f32]) -> Vec<f32> {
    let larger = |most: f32, &value: &f32| if value > most || value.is_nan() { value } else { most };
    x.chunks_exact(from.pixels()).map(|plane| plane.iter().fold(f32::NEG_INFINITY, larger)).collect()
}

/// Fully connected layer: weight `[out, in]`, bias `[out]` (PyTorch's `Linear`).
pub(super) fn linear(x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let features = weight.len() / bias.len();
    let dot = |x: &[f32], weight: &[f32]| x.iter().zip(weight).map(|(&x, &w)| f64::from(x) * f64::from(w)).sum::<f64>();
    let image = |x| weight.chunks_exact(features).zip(bias).map(move |(weight, &bias)| (dot(x, weight) + f64::from(bias)) as f32);
    x.chunks_exact(features).flat_map(image).collect()
}

/// Computes each plane of `pixels` values on its own, in parallel: `compute(image, channel, zeros)` fills it.
fn planes(batch: usize, channels: usize, pixels: usize, compute: impl Fn(usize, usize, &mut [f64]) + Sync) -> Vec<f32> {
    let mut output = vec![0.0; batch * channels * pixels];
    let compute_rounded = |plane: &mut Vec<f64>, (index, rounded): (usize, &mut [f32])| {
        plane.fill(0.0);
        compute(index / channels, index % channels, plane);
        for (rounded, &exact) in rounded.iter_mut().zip(plane.iter()) {
            *rounded = exact as f32;
        }
    };
    let planes = output.par_chunks_exact_mut(pixels.max(1)).enumerate();
    on_every_core(|| planes.for_each_init(|| vec![0.0; pixels], compute_rounded));
    output
}
