//! How far probabilities are from the truth.

/// Sums of losses, each over all probabilities of a case: a picture of one class, or one class of a picture.
#[derive(Debug, Default)]
pub(in crate::evaluate) struct Losses {
    cases: u64,
    log: f64,
    squares: f64,
}

impl Losses {
    /// Adds a picture with these probabilities that is of one class. The squares of two classes are those of one probability twice, and
    /// are halved (scikit-learn's `brier_score_loss`).
    pub(in crate::evaluate) fn add_one(&mut self, probabilities: &[f64], class: usize) {
        let squares: f64 = probabilities.iter().enumerate().map(|(index, p)| (p - f64::from(u8::from(index == class))).powi(2)).sum();
        self.cases += 1;
        self.log += logarithmic(probabilities[class]);
        self.squares += if probabilities.len() == 2 { squares / 2.0 } else { squares };
    }

    /// Adds one class of a picture.
    pub(in crate::evaluate) fn add_each(&mut self, probability: f64, is_true: bool) {
        self.cases += 1;
        self.log += logarithmic(if is_true { probability } else { 1.0 - probability });
        self.squares += (probability - f64::from(u8::from(is_true))).powi(2);
    }

    /// The mean negative logarithm of the truth's probability; `None` without a case.
    pub(in crate::evaluate) fn log_loss(&self) -> Option<f64> {
        (self.cases > 0).then(|| self.log / self.cases as f64)
    }

    /// The mean square of the distance from the truth (G. W. Brier, 1950); `None` without a case.
    pub(in crate::evaluate) fn brier(&self) -> Option<f64> {
        (self.cases > 0).then(|| self.squares / self.cases as f64)
    }
}

/// The negative logarithm of a probability, which is clipped as in scikit-learn so that it is finite.
fn logarithmic(probability: f64) -> f64 {
    -probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certain_mistake_costs_much_and_not_everything() {
        let mut losses = Losses::default();
        assert_eq!((losses.log_loss(), losses.brier()), (None, None));
        losses.add_one(&[1.0, 0.0, 0.0], 2);
        assert_eq!((losses.log_loss(), losses.brier()), (Some(-f64::EPSILON.ln()), Some(2.0)));
    }
}
