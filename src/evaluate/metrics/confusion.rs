//! What was taken for what.

/// How often each class was predicted for pictures of each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::evaluate) struct Confusion {
    /// `[true class][predicted class]`.
    pub(in crate::evaluate) rows: Vec<Vec<u64>>,
}

/// A class, found or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::evaluate) struct Counts {
    pub(in crate::evaluate) true_positives: u64,
    pub(in crate::evaluate) false_positives: u64,
    pub(in crate::evaluate) false_negatives: u64,
    pub(in crate::evaluate) true_negatives: u64,
}

impl Confusion {
    /// Of pairs of a true and a predicted class.
    pub(in crate::evaluate) fn new(classes: usize, pairs: impl IntoIterator<Item = [usize; 2]>) -> Self {
        let mut rows = vec![vec![0; classes]; classes];
        pairs.into_iter().for_each(|[truth, predicted]| rows[truth][predicted] += 1);
        Self { rows }
    }

    /// The counts of each class.
    pub(in crate::evaluate) fn counts(&self) -> Vec<Counts> {
        let total: u64 = self.rows.iter().flatten().sum();
        let columns = (0..self.rows.len()).map(|class| self.rows.iter().map(|row| row[class]).sum::<u64>());
        let of_class = |(class, (row, predicted)): (usize, (&Vec<u64>, u64))| {
            let (true_positives, support) = (row[class], row.iter().sum::<u64>());
            Counts {
                true_positives,
                false_positives: predicted - true_positives,
                false_negatives: support - true_positives,
                true_negatives: total + true_positives - predicted - support,
            }
        };
        self.rows.iter().zip(columns).enumerate().map(of_class).collect()
    }
}

impl Counts {
    /// Adds a picture.
    pub(in crate::evaluate) fn add(&mut self, is_true: bool, is_predicted: bool) {
        let count = match (is_true, is_predicted) {
            (true, true) => &mut self.true_positives,
            (false, true) => &mut self.false_positives,
            (true, false) => &mut self.false_negatives,
            (false, false) => &mut self.true_negatives,
        };
        *count += 1;
    }

    /// Pictures of the class.
    pub(in crate::evaluate) fn support(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// The share of pictures for which the class was predicted that are of it; `None` if it never was.
    pub(in crate::evaluate) fn precision(&self) -> Option<f64> {
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    /// The share of pictures of the class for which it was predicted; `None` if there are none.
    pub(in crate::evaluate) fn recall(&self) -> Option<f64> {
        share(self.true_positives, self.support())
    }

    /// The share of pictures of others for which the class was not predicted; `None` if there are none.
    pub(in crate::evaluate) fn specificity(&self) -> Option<f64> {
        share(self.true_negatives, self.true_negatives + self.false_positives)
    }

    /// The harmonic mean of precision and recall; `None` if the class neither is there nor was predicted.
    pub(in crate::evaluate) fn f1(&self) -> Option<f64> {
        share(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)
    }
}

/// A part of a whole; `None` of nothing.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_counted_against_all_others() {
        let confusion = Confusion::new(3, [[0, 0], [0, 1], [1, 1], [1, 1]]);
        assert_eq!(confusion.rows, [[1, 1, 0], [0, 2, 0], [0, 0, 0]]);
        let counts = confusion.counts();
        assert_eq!(counts[0], Counts { true_positives: 1, false_positives: 0, false_negatives: 1, true_negatives: 2 });
        assert_eq!((counts[0].precision(), counts[0].recall(), counts[0].f1()), (Some(1.0), Some(0.5), Some(2.0 / 3.0)));
        assert_eq!((counts[1].specificity(), counts[1].support()), (Some(0.5), 2));
        assert_eq!((counts[2].precision(), counts[2].recall(), counts[2].f1()), (None, None, None));
    }
}
