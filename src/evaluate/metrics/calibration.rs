//! Whether a probability of 80 % is right in 80 % of the cases.

use serde::Serialize;

/// Bins of equal width, as in C. Guo et al.: *On Calibration of Modern Neural Networks*, ICML 2017.
const BINS: usize = 15;

/// Probabilities in one of fifteen ranges of equal width, and how often they were right.
///
/// ```
/// use densenet_wgpu::evaluate::{Answers, EvaluationOptions, JudgedPicture, Known};
/// use densenet_wgpu::preprocessing::Activation;
///
/// let mut answers = Answers::new(vec!["cat".into(), "dog".into()], Activation::Softmax);
/// answers.push(JudgedPicture { path: "a.png".into(), known: Known::One(0), scores: vec![0.9, 0.1] })?;
/// let bins = answers.evaluate(&EvaluationOptions::default()).reliability.expect("softmax gives probabilities");
/// let filled: Vec<_> = bins.iter().filter(|bin| bin.count > 0).collect();
/// assert_eq!((bins.len(), filled[0].count, filled[0].confidence, filled[0].accuracy), (15, 1, Some(0.9), Some(1.0)));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReliabilityBin {
    /// The range of the probabilities; the lower end belongs to the bin before, except for 0.
    pub range: [f64; 2],
    /// How many there are.
    pub count: u64,
    /// Their mean; `None` if there are none.
    pub confidence: Option<f64>,
    /// The share of them that was right; `None` if there are none.
    pub accuracy: Option<f64>,
}

/// All bins, from pairs of a probability and whether it was right.
pub(in crate::evaluate) fn reliability(pairs: impl IntoIterator<Item = (f64, bool)>) -> Vec<ReliabilityBin> {
    let (mut counts, mut rights, mut sums) = ([0u64; BINS], [0u64; BINS], [0.0; BINS]);
    for (probability, is_right) in pairs {
        let bin = (1..BINS).take_while(|&edge| probability > edge_at(edge)).count();
        counts[bin] += 1;
        rights[bin] += u64::from(is_right);
        sums[bin] += probability;
    }
    let mean = |bin: usize, sum: f64| (counts[bin] > 0).then(|| sum / counts[bin] as f64);
    let bin = |bin: usize| ReliabilityBin {
        range: [edge_at(bin), edge_at(bin + 1)],
        count: counts[bin],
        confidence: mean(bin, sums[bin]),
        accuracy: mean(bin, rights[bin] as f64),
    };
    (0..BINS).map(bin).collect()
}

/// Where a bin begins, in the arithmetic of NumPy's `linspace`.
fn edge_at(bin: usize) -> f64 {
    if bin == BINS { 1.0 } else { bin as f64 * (1.0 / BINS as f64) }
}

/// The mean distance of a bin's confidence and accuracy, weighted by its count. `None` without a probability.
pub(in crate::evaluate) fn expected_calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let total: u64 = bins.iter().map(|bin| bin.count).sum();
    let distance = |bin: &ReliabilityBin| Some(bin.count as f64 / total as f64 * (bin.confidence? - bin.accuracy?).abs());
    (total > 0).then(|| bins.iter().filter_map(distance).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_belong_to_the_bin_below() {
        let bins = reliability([(0.0, false), (1.0, true), (1.0 / 15.0, true)]);
        let counts: Vec<u64> = bins.iter().map(|bin| bin.count).collect();
        assert_eq!((counts[0], counts[1], counts[14], counts.iter().sum::<u64>()), (2, 0, 1, 3));
        assert_eq!(expected_calibration_error(&reliability([])), None);
    }
}
