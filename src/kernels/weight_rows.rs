//! Packed weights, as kernels find them.

use super::Precision;

/// Channels in the weight rows are padded to a multiple of this, the widest channel tile there is.
pub(crate) const CHANNEL_TILE: usize = 8;

/// Where a step's packed weights begin, and how long their rows are.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let (_, convolution) = plan.steps()[0].tile.expect("the stem is a convolution");
/// assert_eq!((convolution.weights.quad_offset, convolution.weights.row_quads), (0, 64 / 4));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WeightRows {
    /// First quad.
    pub quad_offset: usize,
    /// Quads of a row's channels.
    pub row_quads: usize,
    /// The dtype of their elements.
    pub precision: Precision,
}
