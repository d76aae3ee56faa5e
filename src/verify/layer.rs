//! One layer, compared with the reference.

use std::fmt;

use serde::Serialize;

use crate::shape::Shape;

/// One layer on a device, compared with the reference.
///
/// ```
/// use densenet_wgpu::verify::Verification;
/// use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
///
/// let model = models::bundled("digits").expect("it is bundled")?;
/// let engine = Engine::new(&Gpu::open(None)?, &model.graph(64, 64)?, &model.weights, EngineOptions::default())?;
///
/// let verification = Verification::run(&engine, &model.weights, Input::values(&[0.5; 3 * 64 * 64], [64, 64]))?;
/// let worst = verification.worst().expect("it has layers");
/// assert!(worst.agrees && worst.error < verification.tolerance, "{worst}");
/// println!("{}: {} instead of {} at {:?}", worst.name(), worst.found, worst.expected, worst.worst);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerCheck {
    /// The layer's name in the graph.
    pub layer: String,
    /// The step of the plan that completed it; `input` before the first.
    pub step: String,
    /// The kernel of that step.
    pub kernel: String,
    /// `[N, C, H, W]`.
    pub shape: [usize; 4],
    /// The position of the largest difference.
    pub worst: [usize; 4],
    /// The device's value there.
    pub found: f32,
    /// The reference's value there.
    pub expected: f32,
    /// The difference there, relative to the largest magnitude of the reference in the layer.
    pub error: f64,
    /// Whether it is within the tolerance.
    pub agrees: bool,
}

impl LayerCheck {
    /// The step, and the layer in whose result it shows where that is another: `…conv1 in …relu2`.
    pub fn name(&self) -> String {
        if self.step == self.layer { self.layer.clone() } else { format!("{} in {}", self.step, self.layer) }
    }

    pub(super) fn new(layer: &str, shape: Shape, found: &[f32], expected: &[f32], tolerance: f64) -> Self {
        let largest = expected.iter().fold(0.0, |most: f64, value| most.max(f64::from(value.abs())));
        let (worst, difference) = found
            .iter()
            .zip(expected)
            .map(difference)
            .enumerate()
            .fold((0, 0.0), |worst, (index, difference)| if difference > worst.1 { (index, difference) } else { worst });
        let Shape { channels, height, width } = shape;
        let (row, column) = (worst / width, worst % width);
        Self {
            layer: layer.to_owned(),
            step: String::new(),
            kernel: String::new(),
            shape: [found.len() / shape.elements(), channels, height, width],
            worst: [row / height / channels, row / height % channels, row % height, column],
            found: found[worst],
            expected: expected[worst],
            error: if difference == 0.0 { 0.0 } else { difference / largest },
            agrees: difference <= tolerance * largest,
        }
    }
}

/// How far two numbers are apart: nothing where they are the same infinity, beyond measure where one of them is NaN.
fn difference((found, expected): (&f32, &f32)) -> f64 {
    let difference = (f64::from(*found) - f64::from(*expected)).abs();
    match found == expected {
        true => 0.0,
        false if difference.is_nan() => f64::INFINITY,
        false => difference,
    }
}

impl fmt::Display for LayerCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel, worst, found, expected, error, .. } = self;
        write!(
            f,
            "{} ({kernel}): found {found} instead of {expected} at {worst:?}, {error:.1e} of the layer's largest magnitude",
            self.name()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_diverges_and_equal_infinities_do_not() {
        let check = |found: &[f32], expected: &[f32]| LayerCheck::new("x", Shape::new(1, 1, 3), found, expected, 1e-4);
        assert!(!check(&[0.0, f32::NAN, 1.0], &[0.0, 0.5, 1.0]).agrees);
        assert_eq!(check(&[0.0, f32::NAN, 1.0], &[0.0, 0.5, 1.0]).worst, [0, 0, 0, 1]);
        assert!(check(&[f32::INFINITY, 1.0, 2.0], &[f32::INFINITY, 1.0, 2.0]).agrees);
        assert!(!check(&[1e-30, 0.0, 0.0], &[0.0; 3]).agrees, "there is no scale to forgive it by");
        let display = check(&[0.0, 2.0, 1.0], &[0.0, 1.0, 1.0]).to_string();
        assert!(display.contains("found 2 instead of 1 at [0, 0, 0, 1], 1.0e0 of"), "{display}");
    }
}
