//! Checkpoint tensors as the kernels read them: batch norm folded, rows of quads, channels padded.

use super::stage::{Norm, NormRelu};
use crate::error::Result;
use crate::kernels::{CHANNEL_TILE, Precision, WeightRows};
use crate::weights::Weights;

/// How one step's weights are made. Rows are quads, `[k][channel / 4]`, the bias is one more row.
///
/// ```
/// use densenet_wgpu::internal::Pack;
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let Pack::Matrix { rows, channels, epilogue, .. } = &plan.packs()[0].pack else { panic!("the stem is a convolution") };
/// assert_eq!((*rows, *channels), (3 * 7 * 7, 64));
/// assert_eq!(epilogue.as_ref().expect("a norm follows").layer, "features.norm0");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Pack {
    /// A convolution or a linear layer.
    Matrix {
        /// The layer whose `weight` (and `bias`) is packed.
        layer: String,
        /// Rows: input channels times the kernel's taps.
        rows: usize,
        /// Output channels.
        channels: usize,
        /// Whether the layer has a bias of its own.
        bias: bool,
        /// What is done to each input channel first; its scale and shift begin the channel's row.
        prologue: Option<NormRelu>,
        /// A batch norm after the layer, folded into weights and bias.
        epilogue: Option<Norm>,
    },
    /// A batch norm alone: one quad `(scale, shift, 0, 0)` a channel.
    Norm {
        /// The batch norm; none: scale 1 and shift 0, for a ReLU alone.
        norm: Option<Norm>,
        /// Its channels.
        channels: usize,
    },
}

impl Pack {
    /// The layer whose tensors are packed; empty for a ReLU alone.
    pub fn layer(&self) -> &str {
        match self {
            Self::Matrix { layer, .. } => layer,
            Self::Norm { norm, .. } => norm.as_ref().map_or("", |norm| &norm.layer),
        }
    }

    /// Quads of one row, without the prologue's.
    const fn row_quads(channels: usize) -> usize {
        channels.div_ceil(CHANNEL_TILE) * CHANNEL_TILE / 4
    }

    /// Elements of the packed weights.
    pub fn elements(&self) -> usize {
        4 * match self {
            Self::Matrix { rows, channels, prologue, .. } => {
                let head = usize::from(prologue.is_some());
                rows * (head + Self::row_quads(*channels)) + Self::row_quads(*channels)
            }
            Self::Norm { channels, .. } => *channels,
        }
    }

    /// Where the rows of a pack at `element_offset` are.
    pub(super) fn rows_at(&self, element_offset: usize, precision: Precision) -> WeightRows {
        let row_quads = match self {
            Self::Matrix { channels, .. } => Self::row_quads(*channels),
            Self::Norm { .. } => 1,
        };
        WeightRows { quad_offset: element_offset / 4, row_quads, precision }
    }

    /// Packs the weights. Errors where a tensor is missing.
    pub(crate) fn fill(&self, weights: &Weights) -> Result<Vec<f32>> {
        match self {
            Self::Norm { norm, channels } => {
                let (scale, shift) = scale_shift(norm.as_ref(), *channels, weights)?;
                Ok(scale.iter().zip(shift).flat_map(|(&scale, shift)| [scale as f32, shift as f32, 0.0, 0.0]).collect())
            }
            Self::Matrix { layer, rows, channels, bias, prologue, epilogue } => {
                let weight = &weights.tensor(&format!("{layer}.weight"))?.data; // [channels][rows]
                let (scale, mut shift) = scale_shift(epilogue.as_ref(), *channels, weights)?;
                if *bias {
                    let bias = &weights.tensor(&format!("{layer}.bias"))?.data;
                    for ((shift, scale), &bias) in shift.iter_mut().zip(&scale).zip(bias) {
                        *shift += scale * f64::from(bias);
                    }
                }
                let head = match prologue {
                    Some(NormRelu { norm, .. }) => Some(scale_shift(norm.as_ref(), *rows, weights)?),
                    None => None,
                };
                let padding = 4 * Self::row_quads(*channels) - channels;
                let mut packed = Vec::with_capacity(self.elements());
                for row in 0..*rows {
                    if let Some((scale, shift)) = &head {
                        packed.extend([scale[row] as f32, shift[row] as f32, 0.0, 0.0]);
                    }
                    packed.extend((0..*channels).map(|channel| (f64::from(weight[channel * rows + row]) * scale[channel]) as f32));
                    packed.extend(std::iter::repeat_n(0.0, padding));
                }
                packed.extend(shift.iter().map(|&shift| shift as f32));
                packed.extend(std::iter::repeat_n(0.0, padding));
                Ok(packed)
            }
        }
    }
}

/// Packed weights and where they lie.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let first = &plan.packs()[0];
/// assert_eq!((first.pack.layer(), first.buffer, first.element_offset), ("features.conv0", 0, 0));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PackedWeights {
    /// How they are made.
    pub pack: Pack,
    /// Index of the weight buffer.
    pub buffer: usize,
    /// First element.
    pub element_offset: usize,
}

/// A batch norm as `x * scale + shift`, in double precision; the identity where there is none.
fn scale_shift(norm: Option<&Norm>, channels: usize, weights: &Weights) -> Result<(Vec<f64>, Vec<f64>)> {
    let Some(norm) = norm else { return Ok((vec![1.0; channels], vec![0.0; channels])) };
    let tensor = |suffix: &str| Ok::<_, crate::Error>(&weights.tensor(&format!("{}.{suffix}", norm.layer))?.data);
    let (weight, bias, mean, variance) = (tensor("weight")?, tensor("bias")?, tensor("running_mean")?, tensor("running_var")?);
    let scale: Vec<f64> =
        weight.iter().zip(variance).map(|(&w, &v)| f64::from(w) / (f64::from(v) + f64::from(norm.epsilon)).sqrt()).collect();
    let shift = bias.iter().zip(mean).zip(&scale).map(|((&b, &m), s)| f64::from(b) - f64::from(m) * s).collect();
    Ok((scale, shift))
}
