//! What turns logits into probabilities.

use serde::{Deserialize, Serialize};

/// What turns logits into probabilities.
///
/// ```
/// use densenet_wgpu::labels::probabilities;
/// use densenet_wgpu::preprocessing::Activation;
///
/// assert_eq!(probabilities(&[0.0, 0.0], Activation::Sigmoid), Some(vec![0.5; 2]));
/// assert_eq!(probabilities(&[0.0, 0.0, 0.0, 0.0], Activation::Softmax), Some(vec![0.25; 4]));
/// assert_eq!(probabilities(&[1.5], Activation::None), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// One class of many: probabilities sum to 1.
    Softmax,
    /// Each class on its own.
    Sigmoid,
    /// The logits are the result.
    None,
}

impl Activation {
    /// Its name, as metadata has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
            Self::None => "none",
        }
    }
}
