//! What a regression is to answer, and how wrong an answer is.

use super::examples::Examples;
use super::options::ClassWeight;
use crate::evaluate::Known;

/// The truth of each example, as a regression's outputs see it.
pub(super) enum Targets {
    /// Each example is of one class of several, each with an output: a softmax.
    Class {
        /// Their number.
        outputs: usize,
        /// For each example.
        classes: Vec<usize>,
    },
    /// Each output is on its own, a sigmoid: those of findings; of two classes the second, as in scikit-learn.
    Each {
        /// Their number.
        outputs: usize,
        /// `[examples, outputs]`; `None` if nobody knows.
        are: Vec<Option<bool>>,
        /// Whether it is one output for two classes.
        is_of_two: bool,
    },
}

/// For each output how much an example counts that is not of it, and one that is.
pub(super) type ClassWeights = Vec<[f64; 2]>;

impl Targets {
    pub(super) fn of(examples: &Examples) -> Self {
        let outputs = examples.classes.len();
        let is_of_two = outputs == 2 && examples.is_of_each() == Some(false);
        if examples.is_of_each() == Some(true) || is_of_two {
            let of = |known: &Known| match known {
                Known::One(class) => vec![Some(*class == 1)],
                Known::Each(each) => each.clone(),
            };
            let are = examples.known.iter().flat_map(of).collect();
            return Self::Each { outputs: if is_of_two { 1 } else { outputs }, are, is_of_two };
        }
        let class = |known: &Known| match known {
            Known::One(class) => Some(*class),
            Known::Each(_) => None,
        };
        Self::Class { outputs, classes: examples.known.iter().filter_map(class).collect() }
    }

    /// How many outputs the regression has.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Class { outputs, .. } | Self::Each { outputs, .. } => *outputs,
        }
    }

    /// How much each of the examples in `rows` counts: 1, or so that all classes count as much.
    pub(super) fn weights(&self, rows: &[usize], class_weight: ClassWeight) -> ClassWeights {
        let equal = vec![[1.0; 2]; self.outputs()];
        if class_weight == ClassWeight::Equal {
            return equal;
        }
        let balanced = |count: usize, total: usize, classes: usize| total as f64 / (classes * count.max(1)) as f64;
        match self {
            Self::Class { outputs, classes } => {
                let mut counts = vec![0; *outputs];
                rows.iter().for_each(|&row| counts[classes[row]] += 1);
                counts.iter().map(|&count| [1.0, balanced(count, rows.len(), *outputs)]).collect()
            }
            Self::Each { outputs, are, .. } => {
                let weights = |output: usize| {
                    let count = |is: bool| rows.iter().filter(|&&row| are[row * outputs + output] == Some(is)).count();
                    let counts = [false, true].map(count);
                    counts.map(|count| balanced(count, counts[0] + counts[1], 2))
                };
                (0..*outputs).map(weights).collect()
            }
        }
    }

    /// The loss of an example's logits, the negative logarithm of the truth's probability, which become its derivatives by them.
    pub(super) fn differentiate(&self, example: usize, logits: &mut [f64], weights: &[[f64; 2]]) -> f64 {
        match self {
            Self::Class { classes, .. } => {
                let class = classes[example];
                let weight = weights[class][1];
                let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let of_class = logits[class] - most;
                let mut sum = 0.0;
                for logit in &mut *logits {
                    *logit = (*logit - most).exp();
                    sum += *logit;
                }
                logits.iter_mut().for_each(|exponential| *exponential *= weight / sum);
                logits[class] -= weight;
                weight * (sum.ln() - of_class)
            }
            Self::Each { outputs, are, .. } => {
                let mut loss = 0.0;
                for (output, logit) in logits.iter_mut().enumerate() {
                    let Some(is) = are[example * outputs + output] else {
                        *logit = 0.0;
                        continue;
                    };
                    let weight = weights[output][usize::from(is)];
                    let against = if is { -*logit } else { *logit };
                    // ln(1 + exp(x)) without overflow.
                    loss += weight * (against.max(0.0) + (-against.abs()).exp().ln_1p());
                    *logit = weight * (sigmoid(*logit) - f64::from(u8::from(is)));
                }
                loss
            }
        }
    }

    /// In how many terms the loss of an example is a sum: one, or one for each known finding.
    pub(super) fn terms(&self, example: usize) -> usize {
        match self {
            Self::Class { .. } => 1,
            Self::Each { outputs, are, .. } => are[example * outputs..][..*outputs].iter().flatten().count(),
        }
    }

    /// Whether the likeliest class by these logits is the example's; `None` of findings.
    pub(super) fn is_right(&self, example: usize, logits: &[f64]) -> Option<bool> {
        match self {
            Self::Class { classes, .. } => {
                let best = (1..logits.len()).fold(0, |best, next| if logits[next] > logits[best] { next } else { best });
                Some(best == classes[example])
            }
            Self::Each { are, is_of_two, .. } => is_of_two.then(|| are[example] == Some(logits[0] > 0.0)),
        }
    }

    /// The probability of each class.
    pub(super) fn probabilities(&self, logits: &[f64]) -> Vec<f64> {
        match self {
            Self::Class { .. } => {
                let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let exponentials: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
                let sum: f64 = exponentials.iter().sum();
                exponentials.iter().map(|exponential| exponential / sum).collect()
            }
            Self::Each { is_of_two: true, .. } => vec![sigmoid(-logits[0]), sigmoid(logits[0])],
            Self::Each { .. } => logits.iter().map(|&logit| sigmoid(logit)).collect(),
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against differences of the loss.
    #[test]
    fn derivatives_are_those_of_the_loss() {
        let class = Targets::Class { outputs: 3, classes: vec![2] };
        let each = Targets::Each { outputs: 3, are: vec![Some(true), None, Some(false)], is_of_two: false };
        let weights = [[0.5, 2.0], [1.0, 1.0], [3.0, 0.25]];
        for targets in [class, each] {
            let at = [0.3, -1.2, 2.0];
            let loss = |logits: [f64; 3]| targets.differentiate(0, &mut logits.clone(), &weights);
            let mut derivatives = at;
            targets.differentiate(0, &mut derivatives, &weights);
            for output in 0..3 {
                const STEP: f64 = 1e-6;
                let moved = |by: f64| {
                    let mut logits = at;
                    logits[output] += by;
                    loss(logits)
                };
                let expected = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
                assert!((derivatives[output] - expected).abs() < 1e-8, "{output}: {} {expected}", derivatives[output]);
            }
        }
    }

    #[test]
    fn large_logits_overflow_nothing() {
        let targets = Targets::Each { outputs: 2, are: vec![Some(true), Some(false)], is_of_two: false };
        let mut logits = [-1000.0, 1000.0];
        assert_eq!(targets.differentiate(0, &mut logits, &[[1.0; 2]; 2]), 2000.0);
        assert_eq!(logits, [-1.0, 1.0]);
        let targets = Targets::Class { outputs: 2, classes: vec![0] };
        assert_eq!(targets.differentiate(0, &mut [-1000.0, 1000.0], &[[1.0; 2]; 2]), 2000.0);
    }
}
