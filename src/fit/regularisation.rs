//! How much to regularise, by cross-validation.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::examples::Examples;
use super::logistic::{Ending, minimise};
use super::loss::{Coefficients, Loss, Score};
use super::options::ClassWeight;
use super::targets::Targets;

/// How good a regularisation is on examples that were not learned from.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct CrossValidated {
    /// scikit-learn's `C`, of which a smaller one regularises more.
    pub regularisation: f64,
    /// The mean negative logarithm of the truth's probability, over all examples or all known findings.
    pub log_loss: f64,
    /// The share of the examples whose likeliest class is the truth; `None` of findings.
    pub top1: Option<f64>,
}

/// What is tried, from the most regularisation to the least: powers of ten.
const EXPONENTS: std::ops::RangeInclusive<i32> = -4..=6;

/// Losses that differ by less are the same: of these the most regularisation is taken.
const SAME: f64 = 1e-3;

/// So many times in a row less regularisation must be worse, before even less is not tried.
const WORSE: usize = 2;

/// Enough to tell one regularisation from the next.
const ENDING: Ending = Ending { gradient: 1e-3, steps: 100 };

/// The regularisations that are tried.
pub(super) fn candidates() -> Vec<f64> {
    EXPONENTS.map(|exponent| 10f64.powi(exponent)).collect()
}

/// Tries `candidates`, the most regularisation first: for each of the `folds` fits to the others and scores on it. Ends early where
/// less regularisation is ever worse. Tells `watch` how many were tried before each.
pub(super) fn cross_validate(
    examples: &Examples,
    targets: &Targets,
    folds: &[Vec<usize>],
    candidates: &[f64],
    class_weight: ClassWeight,
    mut watch: impl FnMut(usize),
) -> Vec<CrossValidated> {
    let others = |fold: usize| {
        let mut rows: Vec<usize> =
            folds.iter().enumerate().filter(|(other, _)| *other != fold).flat_map(|(_, rows)| rows).copied().collect();
        rows.sort_unstable();
        rows
    };
    let others: Vec<Vec<usize>> = (0..folds.len()).map(others).collect();
    let mut fitted = vec![Coefficients::zero(targets.outputs(), examples.columns); folds.len()];
    let mut tried: Vec<CrossValidated> = Vec::new();
    let mut worse = 0;
    for &regularisation in candidates {
        watch(tried.len());
        let fold = |((fitted, train), test): ((&mut Coefficients, &Vec<usize>), &Vec<usize>)| {
            // The fit for more regularisation is a good start.
            *fitted = minimise(&Loss::new(examples, targets, train, class_weight), regularisation, fitted, ENDING).coefficients;
            Loss::new(examples, targets, test, ClassWeight::Equal).score(fitted)
        };
        let scores: Vec<Score> = fitted.par_iter_mut().zip(&others).zip(folds).map(fold).collect();
        let score = Score::sum(scores);
        let best = tried.iter().map(|tried| tried.log_loss).fold(f64::INFINITY, f64::min);
        worse = if score.log_loss() > best { worse + 1 } else { 0 };
        tried.push(CrossValidated { regularisation, log_loss: score.log_loss(), top1: score.top1() });
        if worse == WORSE {
            break;
        }
    }
    tried
}

/// The best of those that were tried, the most regularisation first; of equal ones the first. `None` if there is none.
pub(super) fn best(tried: &[CrossValidated]) -> Option<CrossValidated> {
    let least = tried.iter().map(|tried| tried.log_loss).fold(f64::INFINITY, f64::min);
    tried.iter().find(|tried| tried.log_loss <= least + SAME).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_ones_the_strongest_is_best() {
        let of = |losses: &[f64]| {
            let tried = (0..).zip(losses).map(|(exponent, &log_loss)| CrossValidated {
                regularisation: 10f64.powi(exponent),
                log_loss,
                top1: None,
            });
            best(&tried.collect::<Vec<_>>()).map(|best| best.regularisation)
        };
        assert_eq!(of(&[0.5, 0.2, 0.1, 0.3]), Some(100.0));
        assert_eq!(of(&[0.5, 0.1009, 0.1, 0.3]), Some(10.0));
        assert_eq!((of(&[]), of(&[f64::NAN])), (None, None));
    }
}
