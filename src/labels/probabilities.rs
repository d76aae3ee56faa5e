//! From logits to probabilities.

use crate::activation::Activation;

/// The activation of every logit, computed in 64 bits. The softmax is stable for logits of any size.
///
/// `None` if the result is not a probability: without an activation, and for the softmax of a single logit, which is always 1.
///
/// ```
/// use densenet_wgpu::labels::probabilities;
/// use densenet_wgpu::preprocessing::Activation;
///
/// assert_eq!(probabilities(&[1e30, 1e30], Activation::Softmax), Some(vec![0.5, 0.5]));
/// assert_eq!(probabilities(&[0.0], Activation::Sigmoid), Some(vec![0.5]));
/// assert_eq!((probabilities(&[-3.0], Activation::Softmax), probabilities(&[1.0, 2.0], Activation::None)), (None, None));
/// ```
pub fn probabilities(logits: &[f32], activation: Activation) -> Option<Vec<f64>> {
    let wide = logits.iter().map(|&logit| f64::from(logit));
    match activation {
        Activation::None => None,
        Activation::Sigmoid => Some(wide.map(|logit| 1.0 / (1.0 + (-logit).exp())).collect()),
        Activation::Softmax if logits.len() == 1 => None,
        Activation::Softmax => {
            let largest = wide.clone().fold(f64::NEG_INFINITY, f64::max);
            let exponentials: Vec<f64> = wide.map(|logit| (logit - largest).exp()).collect();
            let sum: f64 = exponentials.iter().sum();
            Some(exponentials.into_iter().map(|e| e / sum).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_survives_large_logits() {
        let p = probabilities(&[1e30, 1e30, -1e30], Activation::Softmax);
        assert_eq!(p, Some(vec![0.5, 0.5, 0.0]));
        assert_eq!(probabilities(&[0.0, -1e30], Activation::Sigmoid), Some(vec![0.5, 0.0]));
    }
}
