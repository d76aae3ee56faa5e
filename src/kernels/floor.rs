//! A ReLU as the smallest output that there may be.

/// The smallest output of a step without ReLU.
pub(super) const NO_FLOOR: f32 = f32::NEG_INFINITY;

/// The smallest output of a step with or without ReLU.
pub(crate) const fn floor(relu: bool) -> f32 {
    if relu { 0.0 } else { NO_FLOOR }
}
