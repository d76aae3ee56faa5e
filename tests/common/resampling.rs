//! Resizing by the formula of Pillow's manual and source, one sample at a time: the slow reference for the fast one.

use densenet_wgpu::image::{Picture, resize};
use densenet_wgpu::preprocessing::Filter;

/// What `resize(picture, height, width, filter)` returns, for filters with weights.
pub(crate) fn resampled(picture: &Picture, height: usize, width: usize, filter: Filter) -> Picture {
    let (support, weight): (f64, fn(f64) -> f64) = match filter {
        Filter::Bilinear => (1.0, triangle),
        Filter::Bicubic => (2.0, cubic),
        Filter::Lanczos => (3.0, windowed_sinc),
        _ => panic!("{filter:?} has no weights"),
    };
    let axis = |from: usize, to: usize| (0..to).map(|position| weights(from, to, position, support, weight)).collect::<Vec<_>>();
    let (rows, columns) = (axis(picture.height(), height), axis(picture.width(), width));
    // A pass that changes nothing is left out. Pillow 13 begins with the height where that loses most.
    let lost = |from: usize, to: usize| from as i64 - to as i64;
    let lost = [lost(picture.height(), height), lost(picture.width(), width)];
    if lost[0] > 0 && lost[0] > 2 * lost[1] { across(&down(picture, &rows), &columns) } else { down(&across(picture, &columns), &rows) }
}

/// The first sample and the weights, in units of 2^-22, for one position of the result.
fn weights(from: usize, to: usize, position: usize, support: f64, weight: fn(f64) -> f64) -> (usize, Vec<i64>) {
    if from == to {
        return (position, vec![1 << 22]);
    }
    let scale = from as f64 / to as f64;
    let stretch = if scale < 1.0 { 1.0 } else { scale };
    let centre = (position as f64 + 0.5) * scale;
    let first = ((centre - support * stretch + 0.5).trunc() as i64).max(0);
    let end = ((centre + support * stretch + 0.5).trunc() as i64).min(from as i64);
    let raw: Vec<f64> = (first..end).map(|x| weight((x as f64 - centre + 0.5) * (1.0 / stretch))).collect();
    let sum: f64 = raw.iter().sum();
    let fixed = |share: f64| if share < 0.0 { (share * 4194304.0 - 0.5).ceil() as i64 } else { (share * 4194304.0 + 0.5).floor() as i64 };
    (first as usize, raw.iter().map(|raw| fixed(raw / sum)).collect())
}

fn across(picture: &Picture, columns: &[(usize, Vec<i64>)]) -> Picture {
    made(picture.height(), columns.len(), picture.channels(), |y, x, c| {
        let (first, weights) = &columns[x];
        summed(weights.iter().enumerate().map(|(tap, weight)| (at(picture, y, first + tap, c), *weight)))
    })
}

fn down(picture: &Picture, rows: &[(usize, Vec<i64>)]) -> Picture {
    made(rows.len(), picture.width(), picture.channels(), |y, x, c| {
        let (first, weights) = &rows[y];
        summed(weights.iter().enumerate().map(|(tap, weight)| (at(picture, first + tap, x, c), *weight)))
    })
}

fn made(height: usize, width: usize, channels: usize, sample: impl Fn(usize, usize, usize) -> u8) -> Picture {
    let sample = &sample;
    let samples = (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..channels).map(move |c| sample(y, x, c)))).collect();
    Picture::new(height, width, channels, samples).unwrap()
}

fn at(picture: &Picture, y: usize, x: usize, channel: usize) -> i64 {
    picture.samples()[(y * picture.width() + x) * picture.channels() + channel].into()
}

/// Rounded to the nearest, halves up, and clipped.
fn summed(products: impl Iterator<Item = (i64, i64)>) -> u8 {
    let sum: i64 = products.map(|(sample, weight)| sample * weight).sum();
    (sum + (1 << 21)).div_euclid(1 << 22).clamp(0, 255) as u8
}

fn triangle(x: f64) -> f64 {
    if x.abs() < 1.0 { 1.0 - x.abs() } else { 0.0 }
}

fn cubic(x: f64) -> f64 {
    let (x, a) = (x.abs(), -0.5);
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

fn windowed_sinc(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) };
    if (-3.0..3.0).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

/// Samples that differ between the two.
pub(crate) fn differing(picture: &Picture, height: usize, width: usize, filter: Filter) -> usize {
    let (fast, plain) = (resize(picture, height, width, filter), resampled(picture, height, width, filter));
    fast.samples().iter().zip(plain.samples()).filter(|(fast, plain)| fast != plain).count()
}
