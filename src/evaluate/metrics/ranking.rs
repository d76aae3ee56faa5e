//! Pictures in the order of their scores for one class.

/// Pictures in the order of their scores for a class, the largest first, of which it is known whether they are of the class. Pictures
/// with equal scores are found together, so that no number depends on their order.
#[derive(Debug)]
pub(in crate::evaluate) struct Ranking {
    /// Each picture's index and whether it is of the class, in order.
    pictures: Vec<(u32, bool)>,
    /// For each score, where its pictures end.
    scores: Vec<(f64, usize)>,
}

/// What is found where a picture counts as of the class from `threshold` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::evaluate) struct Found {
    pub(in crate::evaluate) threshold: f64,
    /// Pictures of the class that are found.
    pub(in crate::evaluate) positives: u64,
    /// Pictures of others that are found.
    pub(in crate::evaluate) negatives: u64,
}

impl Ranking {
    /// Ranks pictures, each of which has an index, a finite score, and is of the class or not.
    pub(in crate::evaluate) fn new(pictures: impl IntoIterator<Item = (u32, f64, bool)>) -> Self {
        let mut all: Vec<(u32, f64, bool)> = pictures.into_iter().collect();
        all.sort_unstable_by(|(a, x, _), (b, y, _)| y.total_cmp(x).then(a.cmp(b)));
        let mut scores: Vec<(f64, usize)> = Vec::new();
        for (end, &(_, score, _)) in (1..).zip(&all) {
            match scores.last_mut() {
                Some((last, last_end)) if *last == score => *last_end = end,
                _ => scores.push((score, end)),
            }
        }
        Self { pictures: all.into_iter().map(|(index, _, is_positive)| (index, is_positive)).collect(), scores }
    }

    /// What is found at each score, from the largest down.
    pub(in crate::evaluate) fn found(&self) -> impl Iterator<Item = Found> {
        self.found_of(|_| 1)
    }

    /// The same where each picture is there as often as `times` says of its index.
    fn found_of(&self, times: impl Fn(u32) -> u32) -> impl Iterator<Item = Found> {
        let (mut begin, mut positives, mut negatives) = (0, 0, 0);
        self.scores.iter().map(move |&(threshold, end)| {
            for &(index, is_positive) in &self.pictures[begin..end] {
                let (of_class, of_others) = if is_positive { (times(index), 0) } else { (0, times(index)) };
                positives += u64::from(of_class);
                negatives += u64::from(of_others);
            }
            begin = end;
            Found { threshold, positives, negatives }
        })
    }

    /// Pictures of the class, and of others.
    pub(in crate::evaluate) fn totals(&self) -> [u64; 2] {
        let positives = self.pictures.iter().filter(|(_, is_positive)| *is_positive).count();
        [positives as u64, (self.pictures.len() - positives) as u64]
    }

    /// The area under the ROC curve: the share of pairs of a picture of the class and one of others in which the first has the larger
    /// score, pairs of equal scores counted half. `None` without a pair.
    pub(in crate::evaluate) fn auroc(&self) -> Option<f64> {
        auroc(self.found())
    }

    /// The mean of the precisions at which further pictures of the class are found (scikit-learn's `average_precision_score`). `None`
    /// without a picture of the class.
    pub(in crate::evaluate) fn average_precision(&self) -> Option<f64> {
        average_precision(self.found(), self.totals()[0])
    }

    /// [`Ranking::auroc`] and [`Ranking::average_precision`] where each picture is there as often as `times` says of its index.
    pub(in crate::evaluate) fn resampled(&self, times: &[u32]) -> [Option<f64>; 2] {
        let found: Vec<Found> = self.found_of(|index| times[index as usize]).collect();
        let positives = found.last().map_or(0, |last| last.positives);
        [auroc(found.iter().copied()), average_precision(found.iter().copied(), positives)]
    }
}

fn auroc(found: impl Iterator<Item = Found>) -> Option<f64> {
    let (mut last, mut half_pairs) = ([0, 0], 0u128);
    for Found { positives, negatives, .. } in found {
        // New negatives lose against all earlier positives, and half against those of the same score.
        half_pairs += u128::from(negatives - last[1]) * u128::from(positives + last[0]);
        last = [positives, negatives];
    }
    let pairs = u128::from(last[0]) * u128::from(last[1]);
    (pairs > 0).then(|| half_pairs as f64 / (2 * pairs) as f64)
}

fn average_precision(found: impl Iterator<Item = Found>, total: u64) -> Option<f64> {
    let (mut last, mut sum) = (0, 0.0);
    for Found { positives, negatives, .. } in found {
        if positives > last {
            sum += (positives - last) as f64 * positives as f64 / (positives + negatives) as f64;
        }
        last = positives;
    }
    (total > 0).then(|| sum / total as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(pictures: &[(f64, bool)]) -> Ranking {
        Ranking::new((0..).zip(pictures).map(|(index, &(score, is_positive))| (index, score, is_positive)))
    }

    #[test]
    fn equal_scores_count_half_in_any_order() {
        let forth = [(0.9, true), (0.5, false), (0.5, true), (0.1, false)];
        let mut back = forth;
        back.reverse();
        for pictures in [forth, back] {
            assert_eq!(ranking(&pictures).auroc(), Some(0.875));
            assert_eq!(ranking(&pictures).average_precision(), Some((1.0 + 2.0 / 3.0) / 2.0));
        }
    }

    #[test]
    fn what_cannot_be_ranked_has_no_number() {
        assert_eq!(ranking(&[]).auroc(), None);
        assert_eq!((ranking(&[(0.5, true)]).auroc(), ranking(&[(0.5, true)]).average_precision()), (None, Some(1.0)));
        assert_eq!((ranking(&[(0.5, false)]).auroc(), ranking(&[(0.5, false)]).average_precision()), (None, None));
    }

    #[test]
    fn a_resample_is_as_if_pictures_were_given_that_often() {
        let pictures = [(0.9, true), (0.8, false), (0.8, true), (0.3, true), (0.2, false)];
        let times = [0, 2, 1, 3, 1];
        let repeated: Vec<_> = pictures.iter().zip(times).flat_map(|(picture, times)| vec![*picture; times as usize]).collect();
        let expected = [ranking(&repeated).auroc(), ranking(&repeated).average_precision()];
        assert_eq!(ranking(&pictures).resampled(&times), expected);
    }
}
