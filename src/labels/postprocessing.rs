//! What a model's outputs mean.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

use super::averaging::Averaging;
use super::probabilities::probabilities;
use crate::activation::Activation;
use crate::error::{Error, Result};

/// A class in the ranking for a picture.
///
/// ```
/// use densenet_wgpu::models;
///
/// let postprocessing = models::bundled("digits").expect("it is bundled")?.postprocessing();
/// let best = &postprocessing.top_k(&[0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1)?[0];
/// assert_eq!((best.index, best.label.as_str(), best.logit), (3, "3", 9.0));
/// assert!(best.probability.is_some_and(|probability| probability > 0.99));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankedClass {
    /// The class, counted from 0.
    pub index: usize,
    /// Its label ([`Postprocessing::label`]).
    pub label: String,
    /// The probability by the model's [`Activation`]; `None` if there is none ([`probabilities`]).
    pub probability: Option<f64>,
    /// The output of the network.
    pub logit: f32,
}

/// ` 92.31 %  tabby`, or without a probability `logit   14.2207  tabby`.
impl fmt::Display for RankedClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.probability {
            Some(probability) => write!(f, "{:6.2} %  {}", 100.0 * probability, self.label),
            None => write!(f, "logit {:9.4}  {}", self.logit, self.label),
        }
    }
}

/// What a model's outputs mean.
///
/// ```
/// use densenet_wgpu::labels::Postprocessing;
/// use densenet_wgpu::preprocessing::Activation;
///
/// let labels = vec!["Effusion".to_owned(), String::new()]; // the second output was not trained
/// let postprocessing = Postprocessing::new(Activation::Sigmoid).with_labels(labels).with_thresholds(vec![Some(0.25), None]);
/// let logit_of_a_quarter = (0.25f32 / 0.75).ln();
/// let found = postprocessing.top_k(&[logit_of_a_quarter, 7.0], 5)?;
/// assert_eq!(found.len(), 1);
/// assert!(found[0].probability.is_some_and(|probability| (probability - 0.5).abs() < 1e-6)); // a threshold is where a probability is a half
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Postprocessing {
    /// What turns logits into probabilities.
    pub activation: Activation,
    /// One label for each class; `""` for an output that was not trained.
    pub labels: Option<Vec<String>>,
    /// For each class, the probability at which it counts as found; `None` for an output that was not trained.
    pub thresholds: Option<Vec<Option<f32>>>,
    /// What is averaged over several crops of a picture.
    pub averaging: Averaging,
}

impl Postprocessing {
    /// Classes with their indices as labels, all of them trained, without thresholds.
    pub fn new(activation: Activation) -> Self {
        Self { activation, labels: None, thresholds: None, averaging: Averaging::Probabilities }
    }

    /// Sets the labels of the classes, in their order; `""` is an output that was not trained.
    #[must_use]
    pub fn with_labels(self, labels: Vec<String>) -> Self {
        Self { labels: Some(labels), ..self }
    }

    /// Sets the probability at which each class counts as found; `None` is an output that was not trained.
    #[must_use]
    pub fn with_thresholds(self, thresholds: Vec<Option<f32>>) -> Self {
        Self { thresholds: Some(thresholds), ..self }
    }

    /// Sets what is averaged over several crops of a picture.
    #[must_use]
    pub fn with_averaging(self, averaging: Averaging) -> Self {
        Self { averaging, ..self }
    }

    /// The label of a class, or its index if it has none.
    pub fn label(&self, index: usize) -> String {
        let label = self.labels.as_ref().and_then(|labels| labels.get(index)).filter(|label| !label.is_empty());
        label.cloned().unwrap_or_else(|| index.to_string())
    }

    /// The `k` classes with the largest probabilities, or logits if there are no probabilities, largest first. Ties are broken by the
    /// larger logit, then by the lower index. Returns all classes if there are fewer than `k`; outputs that were not trained are left out.
    ///
    /// Errors if a logit is not finite.
    pub fn top_k(&self, logits: &[f32], k: usize) -> Result<Vec<RankedClass>> {
        self.top_k_of_crops(logits, 1, k)
    }

    /// [`Postprocessing::top_k`] for several crops of one picture; `logits` is `[crops, classes]`.
    ///
    /// A class has the mean of its logits in the crops, and the mean of its probabilities, which is not the probability of the mean logit;
    /// or that, if logits are [averaged](Averaging). Thresholds, if any, stretch the probability.
    ///
    /// Errors also if the number of logits is not a multiple of `crops`.
    pub fn top_k_of_crops(&self, logits: &[f32], crops: usize, k: usize) -> Result<Vec<RankedClass>> {
        let classes = classes_of_crops(logits, crops)?;
        if let Some(position) = logits.iter().position(|logit| !logit.is_finite()) {
            let found = format!("{} for class {}", logits[position], position % classes);
            return Err(Error::Input { expected: "a picture with finite logits".into(), found });
        }
        let probabilities = self.probabilities_of_crops(logits, crops)?;
        let logits = mean_logits(logits, classes);
        let mut ranked: Vec<usize> = (0..classes).filter(|&index| self.is_trained(index)).collect();
        let probability = |index: usize| probabilities.as_ref().map(|probabilities| probabilities[index]);
        let likelier = |&a: &usize, &b: &usize| {
            let by_probability = probability(b).zip(probability(a)).map_or(Ordering::Equal, |(b, a)| b.total_cmp(&a));
            by_probability.then(logits[b].total_cmp(&logits[a]))
        };
        ranked.sort_by(likelier);
        ranked.truncate(k);
        let class = |index| RankedClass { index, label: self.label(index), logit: logits[index], probability: probability(index) };
        Ok(ranked.into_iter().map(class).collect())
    }

    /// A probability for each logit; `None` if the activation gives none. Thresholds, if any, are mapped to 0.5, and both sides are
    /// stretched (torchxrayvision's `op_norm`).
    pub fn probabilities(&self, logits: &[f32]) -> Option<Vec<f64>> {
        probabilities(logits, self.activation).map(|probabilities| self.stretched(probabilities))
    }

    /// [`Postprocessing::probabilities`] for several crops of one picture, as in [`Postprocessing::top_k_of_crops`]; `logits` is `[crops, classes]`. Errors
    /// if the number of logits is not a multiple of `crops`.
    pub fn probabilities_of_crops(&self, logits: &[f32], crops: usize) -> Result<Option<Vec<f64>>> {
        let classes = classes_of_crops(logits, crops)?;
        if probabilities(&vec![0.0; classes], self.activation).is_none() {
            return Ok(None);
        }
        let of_crop = |logits: &[f32]| probabilities(logits, self.activation).unwrap_or_default();
        let mean = match self.averaging {
            Averaging::Probabilities => mean_of_crops(logits, classes, of_crop),
            Averaging::Logits => of_crop(&mean_logits(logits, classes)),
        };
        Ok(Some(self.stretched(mean)))
    }

    fn stretched(&self, mut probabilities: Vec<f64>) -> Vec<f64> {
        for (probability, threshold) in probabilities.iter_mut().zip(self.thresholds.iter().flatten()) {
            if let Some(threshold) = threshold.map(f64::from) {
                let below = *probability < threshold;
                *probability =
                    if below { *probability / (2.0 * threshold) } else { 1.0 - (1.0 - *probability) / (2.0 * (1.0 - threshold)) };
            }
        }
        probabilities
    }

    fn is_trained(&self, index: usize) -> bool {
        let labelled = self.labels.as_ref().and_then(|labels| labels.get(index)).is_none_or(|label| !label.is_empty());
        let thresholded = self.thresholds.as_ref().and_then(|thresholds| thresholds.get(index)).is_none_or(Option::is_some);
        labelled && thresholded
    }
}

/// The number of classes. Errors if the number of logits is not a multiple of `crops`.
fn classes_of_crops(logits: &[f32], crops: usize) -> Result<usize> {
    if crops == 0 || !logits.len().is_multiple_of(crops) {
        let expected = format!("logits [crops, classes] of {crops} crops, of which there is at least one");
        return Err(Error::Input { expected, found: format!("{} logits", logits.len()) });
    }
    Ok(logits.len() / crops)
}

/// The mean over crops, class by class, of `of` applied to each crop's logits.
fn mean_of_crops(logits: &[f32], classes: usize, of: impl Fn(&[f32]) -> Vec<f64>) -> Vec<f64> {
    let mut sums = vec![0.0; classes];
    for values in logits.chunks_exact(classes.max(1)).map(of) {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    let crops = (logits.len() / classes.max(1)) as f64;
    sums.into_iter().map(|sum| sum / crops).collect()
}

/// The mean over crops of the logit of each class.
fn mean_logits(logits: &[f32], classes: usize) -> Vec<f32> {
    let means = mean_of_crops(logits, classes, |logits| logits.iter().copied().map(f64::from).collect());
    means.into_iter().map(|logit| logit as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(class: &RankedClass, probability: f64) -> bool {
        class.probability.is_some_and(|found| (found - probability).abs() < 1e-6)
    }

    #[test]
    fn without_probabilities_the_logits_tell_the_order() {
        let top = Postprocessing::new(Activation::None).top_k(&[-1.0, 7.5, 3.0], 2).unwrap();
        assert_eq!(
            top.iter().map(|class| (class.index, class.logit, class.probability)).collect::<Vec<_>>(),
            [(1, 7.5, None), (2, 3.0, None)]
        );
    }

    #[test]
    fn the_softmax_of_one_logit_is_no_probability() {
        for crops in [1, 2] {
            let logits = vec![-4.0; crops];
            let top = Postprocessing::new(Activation::Softmax).top_k_of_crops(&logits, crops, 5).unwrap();
            assert_eq!((top.len(), top[0].logit, top[0].probability), (1, -4.0, None));
        }
        let sigmoid = Postprocessing::new(Activation::Sigmoid).top_k(&[0.0], 1).unwrap().swap_remove(0);
        assert!(is_near(&sigmoid, 0.5));
        let bare = RankedClass { probability: None, ..sigmoid.clone() };
        assert_eq!([sigmoid, bare].map(|class| class.to_string()), [" 50.00 %  0", "logit    0.0000  0"]);
    }

    #[test]
    fn the_best_come_first_and_equal_ones_by_index() {
        let top = Postprocessing::new(Activation::Softmax).top_k(&[1.0, 3.0, 3.0, -2.0], 3).unwrap();
        assert_eq!(top.iter().map(|p| p.index).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(Postprocessing::new(Activation::Softmax).top_k(&[1.0, 2.0], 5).unwrap().len(), 2);
        let saturated = Postprocessing::new(Activation::Sigmoid).top_k(&[800.0, 900.0, 0.0], 3).unwrap();
        assert_eq!(saturated.iter().map(|p| p.index).collect::<Vec<_>>(), [1, 0, 2]);
    }

    #[test]
    fn thresholds_are_where_probabilities_are_a_half() {
        let thresholds = vec![Some(0.2), Some(0.5), None, Some(0.5)];
        let labels = ["a", "b", "c", ""].map(str::to_owned).to_vec();
        let postprocessing = Postprocessing::new(Activation::Sigmoid).with_labels(labels).with_thresholds(thresholds);
        let logit = |p: f64| (p / (1.0 - p)).ln() as f32;
        let logits = [logit(0.2), logit(0.25), logit(0.9), logit(0.9)];
        let top = postprocessing.top_k(&logits, 4).unwrap();
        assert_eq!(top.iter().map(|p| p.index).collect::<Vec<_>>(), [0, 1], "what was not trained is left out");
        assert!(is_near(&top[0], 0.5) && is_near(&top[1], 0.25), "{top:?}");
        assert_eq!((postprocessing.label(0).as_str(), postprocessing.label(3).as_str(), postprocessing.label(9).as_str()), ("a", "3", "9"));
    }

    #[test]
    fn crops_are_averaged_as_probabilities_before_thresholds_stretch_them() {
        let logit = |p: f64| (p / (1.0 - p)).ln() as f32;
        let logits = [logit(0.9), logit(0.2), logit(0.1), logit(0.4)];
        let sigmoid = Postprocessing::new(Activation::Sigmoid).top_k_of_crops(&logits, 2, 2).unwrap();
        assert_eq!(sigmoid.iter().map(|p| p.index).collect::<Vec<_>>(), [0, 1]);
        assert!(is_near(&sigmoid[0], 0.5) && is_near(&sigmoid[1], 0.3), "{sigmoid:?}");
        assert!(sigmoid[0].logit.abs() < 1e-6, "{sigmoid:?}");
        let thresholds = vec![Some(0.5), Some(0.3)];
        let stretched = Postprocessing::new(Activation::Sigmoid).with_thresholds(thresholds).top_k_of_crops(&logits, 2, 2).unwrap();
        assert!(stretched.iter().all(|class| is_near(class, 0.5)), "{stretched:?}");
        let message = Postprocessing::new(Activation::Softmax).top_k_of_crops(&[0.0, 1.0, 0.0, f32::NAN], 2, 1).unwrap_err().to_string();
        assert!(message.contains("NaN for class 1"), "{message}");
    }

    #[test]
    fn logits_of_other_crops_are_refused() {
        let postprocessing = Postprocessing::new(Activation::Softmax);
        for crops in [0, 2, 5] {
            for error in [
                postprocessing.top_k_of_crops(&[0.0; 3], crops, 1).map(drop),
                postprocessing.probabilities_of_crops(&[0.0; 3], crops).map(drop),
            ] {
                let message = error.unwrap_err().to_string();
                assert!(message.contains(&format!("of {crops} crops")) && message.ends_with("found 3 logits"), "{message}");
            }
        }
        assert!(postprocessing.top_k_of_crops(&[], 10, 1).unwrap().is_empty());
        assert_eq!(postprocessing.probabilities_of_crops(&[], 10).unwrap(), Some(Vec::new()));
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        let message = Postprocessing::new(Activation::Softmax).top_k(&[0.0, f32::NAN], 1).unwrap_err().to_string();
        assert!(message.contains("NaN for class 1"), "{message}");
    }
}
