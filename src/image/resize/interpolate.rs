//! Resizing without antialiasing, and by areas: as OpenCV, TensorFlow and PyTorch's tensors do it, within a level.
//!
//! Pixels lie half a pixel from the picture's edge, and beyond it the edge goes on. Sums are made in 32-bit floats of both
//! directions at once and rounded once; OpenCV's own are of fixed point, TensorFlow's and PyTorch's are not rounded.

use super::part::Part;
use crate::image::Picture;
use crate::weights::Filter;

/// The input samples that one output sample is made from, along one side.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// A part of `picture` resized to `height` x `width` pixels with one of the filters that do not antialias, or by areas.
pub(super) fn interpolated(picture: &Picture, height: usize, width: usize, part: &Part, filter: Filter) -> Picture {
    let is_smaller = height <= picture.height && width <= picture.width;
    let along = match filter {
        Filter::Cubic => cubic,
        Filter::Area if is_smaller => area,
        Filter::Area => area_enlarged,
        Filter::AdaptiveArea => adaptive_area,
        _ => linear,
    };
    let rows: Vec<Taps> = part.rows.clone().map(|row| along(row, picture.height, height)).collect();
    let columns: Vec<Taps> = part.columns.clone().map(|column| along(column, picture.width, width)).collect();
    if picture.channels == 1 { sums::<1>(picture, &rows, &columns) } else { sums::<3>(picture, &rows, &columns) }
}

fn sums<const C: usize>(picture: &Picture, rows: &[Taps], columns: &[Taps]) -> Picture {
    let mut samples = Vec::with_capacity(rows.len() * columns.len() * C);
    let lines = || picture.samples.chunks_exact(picture.width * C);
    for down in rows {
        for across in columns {
            let mut pixel = [0.5; C];
            for (line, row_weight) in lines().skip(down.first).zip(&down.weights) {
                let mut sum = [0.0; C];
                for (inputs, weight) in line.as_chunks::<C>().0[across.first..].iter().zip(&across.weights) {
                    (0..C).for_each(|channel| sum[channel] += f32::from(inputs[channel]) * weight);
                }
                (0..C).for_each(|channel| pixel[channel] += sum[channel] * row_weight);
            }
            // A cast saturates.
            samples.extend(pixel.map(|sample| sample as u8));
        }
    }
    Picture { width: columns.len(), height: rows.len(), channels: C, samples, ..*picture }
}

/// Taps of samples that begin at `first`; what lies beyond the edge is the edge's.
fn clamped(first: isize, weights: &[f64], from: usize) -> Taps {
    let place = |index: isize| index.clamp(0, from as isize - 1) as usize;
    let (begin, end) = (place(first), place(first + weights.len() as isize - 1));
    let mut taps = Taps { first: begin, weights: vec![0.0; end - begin + 1] };
    for (index, weight) in (first..).zip(weights) {
        taps.weights[place(index) - begin] += *weight as f32;
    }
    taps
}

/// Where the centre of an output sample is among the input's, and how far behind one of them.
fn centre(position: usize, from: usize, to: usize) -> (isize, f64) {
    let centre = (position as f64 + 0.5) * (from as f64 / to as f64) - 0.5;
    (centre.floor() as isize, centre - centre.floor())
}

/// OpenCV's `INTER_LINEAR`, TensorFlow's and PyTorch's `bilinear`.
fn linear(position: usize, from: usize, to: usize) -> Taps {
    let (first, behind) = centre(position, from, to);
    clamped(first, &[1.0 - behind, behind], from)
}

/// OpenCV's `INTER_CUBIC`, PyTorch's `bicubic`: Keys' cubic convolution with a = -0.75.
fn cubic(position: usize, from: usize, to: usize) -> Taps {
    const A: f64 = -0.75;
    let (first, behind) = centre(position, from, to);
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    clamped(first - 1, &[far(behind + 1.0), near(behind), near(1.0 - behind), far(2.0 - behind)], from)
}

/// OpenCV's `INTER_AREA` where no side grows: each input sample by the share of it that the output sample covers.
fn area(position: usize, from: usize, to: usize) -> Taps {
    let scale = from as f64 / to as f64;
    let (begin, end) = (position as f64 * scale, ((position + 1) as f64 * scale).min(from as f64));
    // What a rounding error leaves of a sample is none of it.
    let first = (begin + 1e-6).floor();
    let count = ((end - 1e-6).ceil() - first).max(1.0) as usize;
    let covered = |index: usize| (end.min(first + index as f64 + 1.0) - begin.max(first + index as f64)) / (end - begin);
    clamped(first as isize, &(0..count).map(covered).collect::<Vec<f64>>(), from)
}

/// The same where a side grows: samples stay as they are, but for those in which two meet.
fn area_enlarged(position: usize, from: usize, to: usize) -> Taps {
    let scale = from as f64 / to as f64;
    let first = (position as f64 * scale).floor();
    let behind = (position + 1) as f64 - (first + 1.0) / scale;
    let behind = if behind <= 0.0 { 0.0 } else { behind - behind.floor() };
    clamped(first as isize, &[1.0 - behind, behind], from)
}

/// PyTorch's `area`, its adaptive mean pool: all input samples that the output sample touches, by the same weight.
fn adaptive_area(position: usize, from: usize, to: usize) -> Taps {
    let (first, end) = (position * from / to, ((position + 1) * from).div_ceil(to));
    Taps { first, weights: vec![1.0 / (end - first) as f32; end - first] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_within_the_picture() {
        for along in [linear, cubic, area, area_enlarged, adaptive_area] {
            for from in 1..20 {
                for to in 1..20 {
                    for position in 0..to {
                        let Taps { first, weights } = along(position, from, to);
                        assert!(!weights.is_empty() && first + weights.len() <= from, "{from} {to} {position}");
                        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{from} {to} {position}: {weights:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn halves_are_means() {
        for filter in [Filter::Linear, Filter::Area, Filter::AdaptiveArea] {
            let picture = Picture::new(2, 4, 1, vec![0, 10, 20, 31, 0, 10, 20, 31]).unwrap();
            let half = interpolated(&picture, 1, 2, &Part { rows: 0..1, columns: 0..2 }, filter);
            assert_eq!(half.samples(), [5, 26], "{filter:?}");
        }
    }
}
