//! The loss of a regression on examples, and its gradient.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSlice;

use super::examples::Examples;
use super::options::ClassWeight;
use super::targets::{ClassWeights, Targets};

/// What a regression multiplies features by and adds, or derivatives by them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coefficients {
    /// `[outputs, columns]`.
    pub(super) weights: Array2<f64>,
    /// `[outputs]`.
    pub(super) biases: Array1<f64>,
}

impl Coefficients {
    pub(super) fn zero(outputs: usize, columns: usize) -> Self {
        Self { weights: Array2::zeros((outputs, columns)), biases: Array1::zeros(outputs) }
    }

    fn add(&mut self, other: &Self) {
        self.weights += &other.weights;
        self.biases += &other.biases;
    }

    /// The logits of examples, `[examples, outputs]`.
    fn logits(&self, features: &ArrayView2<f64>) -> Array2<f64> {
        let mut logits = Array2::zeros((features.nrows(), self.biases.len()));
        logits += &self.biases;
        general_mat_mul(1.0, features, &self.weights.t(), 1.0, &mut logits);
        logits
    }
}

/// The loss on some of the examples.
pub(super) struct Loss<'a> {
    examples: &'a Examples,
    targets: &'a Targets,
    rows: &'a [usize],
    weights: ClassWeights,
}

/// Parts of the examples that are summed on their own. The number of cores must not change a sum.
const PARTS: usize = 16;

/// Examples that are multiplied at once: a mebibyte of features, which stays in a core's cache.
const AT_ONCE: usize = 128;

/// How good logits are on some examples.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Score {
    pub(super) loss: f64,
    pub(super) terms: usize,
    pub(super) right: Option<usize>,
    pub(super) examples: usize,
}

impl<'a> Loss<'a> {
    /// That on the examples of `rows`.
    pub(super) fn new(examples: &'a Examples, targets: &'a Targets, rows: &'a [usize], class_weight: ClassWeight) -> Self {
        Self { examples, targets, rows, weights: targets.weights(rows, class_weight) }
    }

    /// How many examples there are.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn outputs(&self) -> usize {
        self.targets.outputs()
    }

    pub(super) fn columns(&self) -> usize {
        self.examples.columns
    }

    /// The sum of the examples' losses, and its derivatives.
    pub(super) fn differentiate(&self, at: &Coefficients) -> (f64, Coefficients) {
        let zero = || (0.0, Coefficients::zero(self.outputs(), self.columns()));
        let parts = self.in_parts(zero, |(loss, gradient), rows, features| {
            let mut logits = at.logits(features);
            for (&row, mut logits) in rows.iter().zip(logits.outer_iter_mut()) {
                // A row of a matrix in row-major order is a slice.
                *loss += logits.as_slice_mut().map_or(0.0, |logits| self.targets.differentiate(row, logits, &self.weights));
            }
            general_mat_mul(1.0, &logits.t(), features, 1.0, &mut gradient.weights);
            gradient.biases += &logits.sum_axis(Axis(0));
        });
        parts.into_iter().fold(zero(), |(loss, mut gradient), (part, of_part)| {
            gradient.add(&of_part);
            (loss + part, gradient)
        })
    }

    /// How good the regression is.
    pub(super) fn score(&self, at: &Coefficients) -> Score {
        let parts = self.in_parts(Score::default, |score, rows, features| {
            let mut logits = at.logits(features);
            for (&row, mut logits) in rows.iter().zip(logits.outer_iter_mut()) {
                let Some(logits) = logits.as_slice_mut() else { continue };
                if let Some(is_right) = self.targets.is_right(row, logits) {
                    *score.right.get_or_insert(0) += usize::from(is_right);
                }
                score.loss += self.targets.differentiate(row, logits, &self.weights);
                score.terms += self.targets.terms(row);
            }
            score.examples += rows.len();
        });
        parts.into_iter().fold(Score::default(), Score::plus)
    }

    /// The probability of each class for each example.
    pub(super) fn probabilities(&self, at: &Coefficients) -> Vec<Vec<f64>> {
        let parts = self.in_parts(Vec::new, |all: &mut Vec<Vec<f64>>, _, features| {
            all.extend(at.logits(features).outer_iter().map(|logits| self.targets.probabilities(&logits.to_vec())));
        });
        parts.concat()
    }

    /// Mean and variance of each feature.
    pub(super) fn moments(&self) -> [Array1<f64>; 2] {
        let zero = || [Array1::<f64>::zeros(self.columns()), Array1::zeros(self.columns())];
        let parts = self.in_parts(zero, |[sums, squares], _, features| {
            *sums += &features.sum_axis(Axis(0));
            *squares += &features.mapv(|x| x * x).sum_axis(Axis(0));
        });
        let add = |[a, b]: [Array1<f64>; 2], [c, d]: &[Array1<f64>; 2]| [a + c, b + d];
        let count = self.count().max(1) as f64;
        let [means, squares] = parts.iter().fold(zero(), add).map(|sums| sums / count);
        let variances = (squares - means.mapv(|mean| mean * mean)).mapv(|variance| variance.max(0.0));
        [means, variances]
    }

    /// What `visit` makes of the examples in [parts](PARTS), given some of them and their features `[examples, columns]` at a time.
    fn in_parts<T: Send>(&self, new: impl Fn() -> T + Sync, visit: impl Fn(&mut T, &[usize], &ArrayView2<f64>) + Sync) -> Vec<T> {
        let part = |rows: &[usize]| {
            let mut result = new();
            let mut features = Array2::zeros((AT_ONCE.min(rows.len()), self.columns()));
            for rows in rows.chunks(AT_ONCE) {
                for (&row, mut features) in rows.iter().zip(features.outer_iter_mut()) {
                    features.iter_mut().zip(self.examples.row(row)).for_each(|(to, from)| *to = f64::from(*from));
                }
                let (features, _) = features.view().split_at(Axis(0), rows.len());
                visit(&mut result, rows, &features);
            }
            result
        };
        self.rows.par_chunks(self.rows.len().div_ceil(PARTS).max(1)).with_max_len(1).map(part).collect()
    }
}

impl Score {
    fn plus(self, other: Self) -> Self {
        Self {
            loss: self.loss + other.loss,
            terms: self.terms + other.terms,
            right: self.right.map_or(other.right, |right| Some(right + other.right.unwrap_or(0))),
            examples: self.examples + other.examples,
        }
    }

    /// The scores of several parts of the examples together.
    pub(super) fn sum(scores: impl IntoIterator<Item = Self>) -> Self {
        scores.into_iter().fold(Self::default(), Self::plus)
    }

    /// The mean loss of a term.
    pub(super) fn log_loss(&self) -> f64 {
        self.loss / self.terms.max(1) as f64
    }

    /// The share of the examples whose likeliest class is the truth; `None` of findings.
    pub(super) fn top1(&self) -> Option<f64> {
        self.right.map(|right| right as f64 / self.examples.max(1) as f64)
    }
}
