//! Thresholds from which a picture counts as of a class.

use serde::Serialize;

use super::ranking::{Found, Ranking};

/// A threshold from which a picture counts as of a class, and what follows.
///
/// ```
/// use densenet_wgpu::evaluate::{Answers, EvaluationOptions, JudgedPicture, Known};
/// use densenet_wgpu::preprocessing::Activation;
///
/// let mut answers = Answers::new(vec!["Effusion".into()], Activation::Sigmoid);
/// for (path, score, is_there) in [("a.png", 0.4, true), ("b.png", 0.3, false), ("c.png", 0.2, true), ("d.png", 0.1, false)] {
///     answers.push(JudgedPicture { path: path.into(), known: Known::Each(vec![Some(is_there)]), scores: vec![score] })?;
/// }
/// let evaluation = answers.evaluate(&EvaluationOptions::default().with_sensitivities(vec![0.9]));
/// let [youden, sensitive] = &evaluation.per_class[0].operating_points[..] else { panic!("there are two") };
/// assert_eq!((youden.threshold, youden.sensitivity, youden.specificity), (0.4, 0.5, 1.0));
/// assert_eq!((sensitive.chosen_by.as_str(), sensitive.threshold, sensitive.specificity), ("sensitivity 0.9", 0.2, 0.5));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OperatingPoint {
    /// Why it is this one: `youden`, where sensitivity and specificity have the largest sum, or `sensitivity` with the least that was
    /// asked for.
    pub chosen_by: String,
    /// The score from which a picture counts as of the class.
    pub threshold: f64,
    /// The share of pictures of the class that are found.
    pub sensitivity: f64,
    /// The share of pictures of others that are not found.
    pub specificity: f64,
    /// The share of the pictures found that are of the class.
    pub precision: f64,
}

impl OperatingPoint {
    /// Youden's point, and one for each least sensitivity; none if there are no pictures of the class, or none of others.
    pub(in crate::evaluate) fn all(ranking: &Ranking, sensitivities: &[f64]) -> Vec<Self> {
        let [positives, negatives] = ranking.totals();
        if positives == 0 || negatives == 0 {
            return Vec::new();
        }
        let point = |chosen_by: String, found: Found| Self {
            chosen_by,
            threshold: found.threshold,
            sensitivity: found.positives as f64 / positives as f64,
            specificity: 1.0 - found.negatives as f64 / negatives as f64,
            precision: found.positives as f64 / (found.positives + found.negatives) as f64,
        };
        // In whole numbers, so that rounding decides nothing. Of equal ones the largest threshold.
        let gain =
            |found: &Found| i128::from(found.positives) * i128::from(negatives) - i128::from(found.negatives) * i128::from(positives);
        let youden = ranking.found().reduce(|best, next| if gain(&next) > gain(&best) { next } else { best });
        let sensitive = sensitivities.iter().filter_map(|&least| {
            let found = ranking.found().find(|found| found.positives as f64 / positives as f64 >= least)?;
            Some(point(format!("sensitivity {least}"), found))
        });
        youden.map(|found| point("youden".into(), found)).into_iter().chain(sensitive).collect()
    }
}
