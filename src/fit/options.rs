//! Options of a fit.

/// How a head is fitted. The default holds out a fifth of the examples, with seed 0 and five folds.
///
/// ```
/// use densenet_wgpu::fit::{ClassWeight, FitOptions};
///
/// let options = FitOptions::default().with_holdout(0.1).with_class_weight(ClassWeight::Balanced);
/// assert_eq!((options.holdout, options.seed, options.folds), (0.1, 0, 5));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FitOptions {
    /// The share of the examples that is held out, from 0 to less than 1: nothing is learned from them.
    pub holdout: f64,
    /// Which examples are held out, and which fold each of the others is in.
    pub seed: u64,
    /// Folds of the cross-validation, at least 2; fewer if a class has fewer examples.
    pub folds: usize,
    /// How much the examples of each class count.
    pub class_weight: ClassWeight,
    /// The regularisation, instead of the best one by cross-validation: scikit-learn's `C`, of which a smaller one regularises more.
    pub regularisation: Option<f64>,
}

/// How much the examples of a class count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClassWeight {
    /// Each example as much as any other.
    #[default]
    Equal,
    /// All examples of a class together as much as those of any other: scikit-learn's `balanced`.
    Balanced,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { holdout: 0.2, seed: 0, folds: 5, class_weight: ClassWeight::Equal, regularisation: None }
    }
}

impl FitOptions {
    /// Sets the share that is held out.
    #[must_use]
    pub fn with_holdout(self, holdout: f64) -> Self {
        Self { holdout, ..self }
    }

    /// Sets the seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets the number of folds.
    #[must_use]
    pub fn with_folds(self, folds: usize) -> Self {
        Self { folds, ..self }
    }

    /// Sets how much the examples of each class count.
    #[must_use]
    pub fn with_class_weight(self, class_weight: ClassWeight) -> Self {
        Self { class_weight, ..self }
    }

    /// Sets the regularisation.
    #[must_use]
    pub fn with_regularisation(self, regularisation: f64) -> Self {
        Self { regularisation: Some(regularisation), ..self }
    }
}
