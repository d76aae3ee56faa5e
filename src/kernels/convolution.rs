//! Convolutions, for a tile to compute.

use super::{Dtypes, Region, WeightRows};
use crate::shape::Window;

/// A convolution between two regions.
///
/// ```
/// use densenet_wgpu::network::Window;
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let (_, stem) = plan.steps()[0].tile.expect("the stem is a convolution");
/// assert_eq!((stem.window, stem.relu, stem.prologue), (Window::square(7, 2, 3), true, None));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Convolution {
    /// What it reads.
    pub source: Region,
    /// What it writes, in planes.
    pub target: Region,
    /// Its weights and bias.
    pub weights: WeightRows,
    /// Its kernel, stride and padding.
    pub window: Window,
    /// The ReLU of a batch norm before it, where there is one; of 1x1 convolutions only.
    pub prologue: Option<bool>,
    /// Whether a ReLU follows.
    pub relu: bool,
}

impl Convolution {
    /// The same of a batch's first image.
    pub(super) fn of_one_image(&self) -> Self {
        let one = |region| Region { batch: 1, ..region };
        Self { source: one(self.source), target: one(self.target), ..*self }
    }

    /// Dtypes of source, weights and target.
    pub(super) const fn dtypes(&self) -> Dtypes {
        Dtypes { source: self.source.precision, weights: self.weights.precision, target: self.target.precision }
    }
}
