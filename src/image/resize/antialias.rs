//! Resizing with antialiasing as Pillow does it, to the last bit.
//!
//! Each output pixel is a weighted sum of the input pixels under a filter that widens with the ratio when shrinking
//! (antialiasing). Weights are normalised, rounded to 22 bits, and applied along rows and along columns in two passes,
//! with 8-bit samples in between. Source: Pillow's `src/libImaging/Resample.c`.

use std::f64::consts::PI;
use std::ops::Range;

use super::part::Part;
use crate::image::Picture;

/// Bits of a weight behind the binary point: what 32 bits leave beside 8-bit samples and two bits of headroom.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// A part of `picture` resized to `height` x `width` pixels under `kernel`.
pub(super) fn antialiased(picture: &Picture, height: usize, width: usize, part: &Part, kernel: &Kernel) -> Picture {
    let passes = Passes {
        rows: kernel.taps(picture.height, height, part.rows.clone()),
        columns: kernel.taps(picture.width, width, part.columns.clone()),
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
pub(super) struct Kernel {
    support: f64,
    weight: fn(f64) -> f64,
}

pub(super) const BILINEAR: Kernel = Kernel { support: 1.0, weight: bilinear };
pub(super) const BICUBIC: Kernel = Kernel { support: 2.0, weight: bicubic };
pub(super) const LANCZOS: Kernel = Kernel { support: 3.0, weight: lanczos };

/// The input samples that one output sample is made from.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

impl Taps {
    /// The sum of a row's pixels, which count from `origin`.
    fn pixel<const C: usize>(&self, row: &[[u8; C]], origin: usize) -> [u8; C] {
        let mut sums = [ROUNDING; C];
        for (pixel, &weight) in row[self.first - origin..].iter().zip(&self.weights) {
            for (sum, &sample) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(sample) * weight;
            }
        }
        sums.map(clip)
    }
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
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2.
            return unsafe { self.run_avx2::<C>(picture) };
        }
        self.run_anywhere::<C>(picture)
    }

    /// The same code for 8 samples at once: what is compiled for any x86-64 lacks the multiplication of 32-bit integers.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2<const C: usize>(&self, picture: &Picture) -> Picture {
        self.run_anywhere::<C>(picture)
    }

    #[inline(always)]
    fn run_anywhere<const C: usize>(&self, picture: &Picture) -> Picture {
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

/// Samples that are multiplied side by side: whole vectors, and whole pixels of one channel and of three.
const LANES: usize = 24;

/// The weights of one output pixel, one for each sample: as many vectors as they need, zeros at the ends.
struct Lanes {
    /// The first sample of the row.
    first: usize,
    weights: Vec<[i32; LANES]>,
}

impl Lanes {
    /// For rows of `samples` samples; `None` if the row is shorter than the vectors. One channel is one sum anyway:
    /// there, vectors would only add zeros.
    fn of<const C: usize>(taps: &Taps, origin: usize, samples: usize) -> Option<Self> {
        if C == 1 {
            return None;
        }
        let vectors = (taps.weights.len() * C).div_ceil(LANES);
        // At the end of the row the vectors begin earlier, so that they end with it.
        let latest = samples.checked_sub(vectors * LANES)? / C * C;
        let first = ((taps.first - origin) * C).min(latest);
        let skipped = (taps.first - origin) * C - first;
        let mut weights = vec![[0; LANES]; vectors];
        let flat = weights.as_flattened_mut();
        if skipped + taps.weights.len() * C > flat.len() {
            return None;
        }
        for (weight, pixel) in taps.weights.iter().zip(flat[skipped..].chunks_exact_mut(C)) {
            pixel.fill(*weight);
        }
        Some(Self { first, weights })
    }

    #[inline(always)]
    fn pixel<const C: usize>(&self, row: &[u8]) -> [u8; C] {
        let mut lanes = [0; LANES];
        let samples = row[self.first..].as_chunks::<LANES>().0;
        for (samples, weights) in samples.iter().zip(&self.weights) {
            for lane in 0..LANES {
                lanes[lane] += i32::from(samples[lane]) * weights[lane];
            }
        }
        let mut sums = [ROUNDING; C];
        for lane in 0..LANES {
            sums[lane % C] += lanes[lane];
        }
        sums.map(clip)
    }
}

/// Every row of `rows`, a row of `width` pixels, squeezed to one pixel for each of `taps`, which count from `origin`.
#[inline(always)]
fn along_rows<const C: usize>(samples: &[u8], width: usize, rows: Range<usize>, taps: &[Taps], origin: usize) -> Vec<u8> {
    let mut squeezed = vec![[0; C]; rows.len() * taps.len()];
    let rows = samples.chunks_exact(width * C).take(rows.end).skip(rows.start);
    let lanes: Option<Vec<Lanes>> = taps.iter().map(|taps| Lanes::of::<C>(taps, origin, width * C)).collect();
    for (row, squeezed) in rows.zip(squeezed.chunks_exact_mut(taps.len())) {
        if let Some(lanes) = &lanes {
            for (pixel, lanes) in squeezed.iter_mut().zip(lanes) {
                *pixel = lanes.pixel::<C>(row);
            }
        } else {
            for (pixel, taps) in squeezed.iter_mut().zip(taps) {
                *pixel = taps.pixel::<C>(row.as_chunks::<C>().0, origin);
            }
        }
    }
    squeezed.into_flattened()
}

/// The samples `columns` of every row, a row of `width` samples, squeezed to one row for each of `taps`, which count
/// from `origin`.
#[inline(always)]
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
