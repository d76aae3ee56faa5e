//! Functions of each element alone, other than ReLU.

use std::fmt;

/// What heads have between their layers in place of a ReLU.
///
/// ```
/// use densenet_wgpu::network::{Nonlinearity, Shape};
/// use densenet_wgpu::Graph;
///
/// let mut graph = Graph::new(Shape::new(3, 8, 8));
/// let x = graph.nonlinearity("leaky", graph.input(), Nonlinearity::LeakyRelu { slope: 0.2 })?;
/// let x = graph.nonlinearity("gelu", x, Nonlinearity::Gelu)?;
/// assert_eq!(graph.shape(x), graph.input_shape());
/// assert_eq!(Nonlinearity::LeakyRelu { slope: 0.2 }.to_string(), "leakyrelu:0.2");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Nonlinearity {
    /// `x`, below 0 `slope * x`.
    LeakyRelu {
        /// What numbers below 0 are multiplied by; PyTorch's is `0.01`, Keras's `0.3`.
        slope: f32,
    },
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x * sigmoid(x)`, also called swish.
    Silu,
    /// `tanh(x)`.
    Tanh,
    /// `x` times the share of the standard normal distribution that is below `x`.
    ///
    /// D. Hendrycks, K. Gimpel: *Gaussian Error Linear Units*, 2016.
    Gelu,
    /// The approximation there: `0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`, PyTorch's `approximate='tanh'`.
    GeluTanh,
}

/// The word of `--head-layers`.
impl fmt::Display for Nonlinearity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeakyRelu { slope } => write!(f, "leakyrelu:{slope}"),
            Self::Sigmoid => f.write_str("sigmoid"),
            Self::Silu => f.write_str("silu"),
            Self::Tanh => f.write_str("tanh"),
            Self::Gelu => f.write_str("gelu"),
            Self::GeluTanh => f.write_str("gelu-tanh"),
        }
    }
}
