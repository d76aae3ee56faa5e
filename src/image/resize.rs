//! Resizing as Pillow does it, to the last bit.
//!
//! Each output pixel is a weighted sum of the input pixels under a filter that widens with the ratio when shrinking
//! (antialiasing). Weights are normalised, rounded to 22 bits, and applied along rows and along columns in two passes,
//! with 8-bit samples in between. Source: Pillow's `src/libImaging/Resample.c` and, for nearest, `Geometry.c`.

use std::f64::consts::PI;
use std::ops::Range;

use super::Picture;
use crate::weights::Filter;

/// Bits of a weight behind the binary point: what 32 bits leave beside 8-bit samples and two bits of headroom.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The part of a resized picture to compute: rows and columns of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Rows, from the top.
    pub rows: Range<usize>,
    /// Columns, from the left.
    pub columns: Range<usize>,
}

/// `picture` resized to `height` x `width` pixels: Pillow's `Image.resize((width, height), filter)`.
///
/// # Panics
/// Where `height` or `width` is 0.
pub fn resize(picture: &Picture, height: usize, width: usize, filter: Filter) -> Picture {
    resize_region(picture, height, width, &Region { rows: 0..height, columns: 0..width }, filter)
}

/// A region of what [`resize`] returns, without computing the rest.
///
/// # Panics
/// Where the region is empty or reaches beyond `height` x `width`.
pub fn resize_region(picture: &Picture, height: usize, width: usize, region: &Region, filter: Filter) -> Picture {
    assert!(!region.rows.is_empty() && region.rows.end <= height, "rows {:?} of {height}", region.rows);
    assert!(!region.columns.is_empty() && region.columns.end <= width, "columns {:?} of {width}", region.columns);
    let same_size = (height, width) == (picture.height, picture.width);
    let kernel = match filter {
        _ if same_size => return nearest(picture, height, width, region),
        Filter::Nearest => return nearest(picture, height, width, region),
        Filter::Bilinear => Kernel { support: 1.0, weight: bilinear },
        Filter::Bicubic => Kernel { support: 2.0, weight: bicubic },
        Filter::Lanczos => Kernel { support: 3.0, weight: lanczos },
    };
    let passes = Passes {
        rows: kernel.taps(picture.height, height, region.rows.clone()),
        columns: kernel.taps(picture.width, width, region.columns.clone()),
        columns_first: shrinks_more_in_height([picture.height, picture.width], [height, width]),
    };
    if picture.channels == 1 { passes.run::<1>(picture) } else { passes.run::<3>(picture) }
}

/// Whether Pillow runs the pass along columns first, which may differ in the last bit. Pillow 13 does where the height
/// loses more than twice the pixels that the width does; earlier versions never did.
fn shrinks_more_in_height(from: [usize; 2], to: [usize; 2]) -> bool {
    let lost = |axis: usize| from[axis] as i64 - to[axis] as i64;
    lost(0) > 0 && lost(0) > 2 * lost(1)
}

/// A filter: how far it reaches, in pixels of the smaller picture, and its weight at a distance.
struct Kernel {
    support: f64,
    weight: fn(f64) -> f64,
}

/// The input samples that one output sample is made from.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

impl Kernel {
    fn taps(&self, from: usize, to: usize, wanted: Range<usize>) -> Vec<Taps> {
        let scale = from as f64 / to as f64;
        let filter_scale = scale.max(1.0);
        let support = self.support * filter_scale;
        let taps = |position: usize| {
            let center = (position as f64 + 0.5) * scale;
            // A cast saturates below 0, where C would truncate and Pillow then clamps: the same number.
            let first = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(from);
            let at = |x: usize| (self.weight)((x as f64 - center + 0.5) * (1.0 / filter_scale));
            let weights: Vec<f64> = (first..end).map(at).collect();
            let sum: f64 = weights.iter().sum();
            Taps { first, weights: weights.into_iter().map(|w| fixed_point(if sum == 0.0 { w } else { w / sum })).collect() }
        };
        wanted.map(taps).collect()
    }
}

fn fixed_point(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << PRECISION_BITS);
    (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

fn bilinear(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// Keys' cubic convolution with a = -0.5.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) };
    if (-3.0..3.0).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

/// The weights of both passes and their order.
struct Passes {
    rows: Vec<Taps>,
    columns: Vec<Taps>,
    columns_first: bool,
}

impl Passes {
    fn run<const C: usize>(&self, picture: &Picture) -> Picture {
        let (rows, columns) = (span(&self.rows), span(&self.columns));
        let [height, width] = [self.rows.len(), self.columns.len()];
        let samples = if self.columns_first {
            let squeezed = along_columns(&picture.samples, picture.width * C, columns.start * C..columns.end * C, &self.rows, 0);
            along_rows::<C>(&squeezed, columns.len(), 0..height, &self.columns, columns.start)
        } else {
            let squeezed = along_rows::<C>(&picture.samples, picture.width, rows.clone(), &self.columns, 0);
            along_columns(&squeezed, width * C, 0..width * C, &self.rows, rows.start)
        };
        Picture { width, height, channels: C, samples, ..*picture }
    }
}

/// The input samples that any of `taps` reads.
fn span(taps: &[Taps]) -> Range<usize> {
    let first = taps.iter().map(|taps| taps.first).min().unwrap_or(0);
    first..taps.iter().map(|taps| taps.first + taps.weights.len()).max().unwrap_or(first)
}

/// Every row of `rows`, a row of `width` pixels, squeezed to one pixel for each of `taps`, which count from `origin`.
fn along_rows<const C: usize>(samples: &[u8], width: usize, rows: Range<usize>, taps: &[Taps], origin: usize) -> Vec<u8> {
    let pixels = samples.as_chunks::<C>().0;
    let mut squeezed = Vec::with_capacity(rows.len() * taps.len());
    for row in pixels.chunks_exact(width).take(rows.end).skip(rows.start) {
        squeezed.extend(taps.iter().map(|taps| {
            let mut sums = [ROUNDING; C];
            for (pixel, &weight) in row[taps.first - origin..].iter().zip(&taps.weights) {
                for (sum, &sample) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(sample) * weight;
                }
            }
            sums.map(clip)
        }));
    }
    squeezed.into_flattened()
}

/// The samples `columns` of every row, a row of `width` samples, squeezed to one row for each of `taps`, which count
/// from `origin`.
fn along_columns(samples: &[u8], width: usize, columns: Range<usize>, taps: &[Taps], origin: usize) -> Vec<u8> {
    let mut squeezed = Vec::with_capacity(taps.len() * columns.len());
    let mut sums = vec![0; columns.len()];
    for taps in taps {
        sums.fill(ROUNDING);
        for (row, &weight) in samples.chunks_exact(width).skip(taps.first - origin).zip(&taps.weights) {
            for (sum, &sample) in sums.iter_mut().zip(&row[columns.clone()]) {
                *sum += i32::from(sample) * weight;
            }
        }
        squeezed.extend(sums.iter().copied().map(clip));
    }
    squeezed
}

/// One half, added before the bits behind the point are dropped.
const ROUNDING: i32 = 1 << (PRECISION_BITS - 1);

fn clip(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

fn nearest(picture: &Picture, height: usize, width: usize, region: &Region) -> Picture {
    // Pillow adds the scale up from pixel to pixel; multiplying instead would round differently.
    let positions = |from: usize, to: usize, wanted: &Range<usize>| -> Vec<usize> {
        let scale = from as f64 / to as f64;
        let added = std::iter::successors(Some(scale * 0.5), |position| Some(position + scale));
        added.map(|position| (position as usize).min(from - 1)).take(wanted.end).skip(wanted.start).collect()
    };
    let rows = positions(picture.height, height, &region.rows);
    let columns = positions(picture.width, width, &region.columns);
    let pixel = |&y: &usize, &x: &usize| {
        let at = (y * picture.width + x) * picture.channels;
        &picture.samples[at..at + picture.channels]
    };
    let samples = rows.iter().flat_map(|y| columns.iter().flat_map(move |x| pixel(y, x))).copied().collect();
    Picture { width: columns.len(), height: rows.len(), samples, ..*picture }
}
