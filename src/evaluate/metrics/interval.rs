//! How far a number may be off because of the pictures that happened to be there.

use serde::Serialize;

/// The middle 95 % of a number in resamples of the pictures (B. Efron: *Bootstrap Methods: Another Look at the Jackknife*, 1979).
/// In JSON `[low, high]`.
///
/// ```
/// use densenet_wgpu::evaluate::{Answers, EvaluationOptions, JudgedPicture, Known};
/// use densenet_wgpu::preprocessing::Activation;
///
/// let mut answers = Answers::new(vec!["cat".into(), "dog".into()], Activation::Softmax);
/// for (path, cat) in [("a.png", 0.9), ("b.png", 0.8), ("c.png", 0.2), ("d.png", 0.6)] {
///     answers.push(JudgedPicture { path: path.into(), known: Known::One(0), scores: vec![cat, 1.0 - cat] })?;
/// }
/// let evaluation = answers.evaluate(&EvaluationOptions::default().with_resamples(200));
/// let interval = evaluation.top1_interval.expect("there were resamples");
/// assert!(interval.low < 0.75 && interval.high == 1.0);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// The middle 95 % of `values`, interpolated linearly as NumPy's `percentile` does. `None` of nothing.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        Some(Self { low: quantile(&values, 0.025)?, high: quantile(&values, 0.975)? })
    }
}

impl Serialize for Interval {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.low, self.high].serialize(serializer)
    }
}

/// The value below which a share of sorted values lies.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, part) = (sorted[place as usize], place.fract());
    let above = sorted[(place as usize + 1).min(sorted.len() - 1)];
    Some(below + (above - below) * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_lie_between_values() {
        let interval = Interval::of((0..=100).rev().map(f64::from).collect()).unwrap();
        assert!((interval.low - 2.5).abs() < 1e-12 && (interval.high - 97.5).abs() < 1e-12, "{interval:?}");
        assert_eq!(Interval::of(vec![3.0]), Some(Interval { low: 3.0, high: 3.0 }));
        assert_eq!(Interval::of(Vec::new()), None);
    }
}
