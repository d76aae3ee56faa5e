//! How several views of a picture become one answer.

/// What is averaged over several views of a picture: its crops, or itself and its mirror image.
///
/// ```
/// use densenet_wgpu::labels::{Averaging, Postprocessing};
/// use densenet_wgpu::preprocessing::Activation;
///
/// let of_logits = Postprocessing::new(Activation::Sigmoid).with_averaging(Averaging::Logits);
/// let best = &of_logits.top_k_of_crops(&[3.0, -1.0], 2, 1)?[0]; // two views, one class
/// assert_eq!((best.logit, best.probability), (1.0, Some(1.0 / (1.0 + (-1.0f64).exp()))));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Averaging {
    /// The mean of the probabilities, to which a view that is sure contributes no more than others.
    #[default]
    Probabilities,
    /// The probability of the mean logit.
    Logits,
}
