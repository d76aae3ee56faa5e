//! Logistic regression: the minimum of scikit-learn's objective, `C * sum(losses) + 0.5 * sum(weights²)`, by L-BFGS.

use std::sync::{Mutex, PoisonError};

use argmin::core::{CostFunction, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use ndarray::{Array1, ArrayView1, ArrayView2, Axis};

use super::loss::{Coefficients, Loss};

/// Pairs of steps and changes that L-BFGS remembers, as scipy's does.
const MEMORY: usize = 10;

/// Attempts from the best point so far: a line search may fail where rounding hides the descent.
const ATTEMPTS: usize = 4;

/// Where the search ended.
pub(super) struct Minimum {
    pub(super) coefficients: Coefficients,
    /// `C * sum(losses) + 0.5 * sum(weights²)` there.
    pub(super) objective: f64,
    /// Whether the gradient is as small as was asked for.
    pub(super) is_converged: bool,
}

/// When the search ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    /// The length of the gradient of the mean loss, in variables of about the same curvature.
    pub(super) gradient: f64,
    /// Steps.
    pub(super) steps: u64,
}

/// Searches the minimum for this regularisation, scikit-learn's `C`, from `start` on.
pub(super) fn minimise(loss: &Loss, regularisation: f64, start: &Coefficients, ending: Ending) -> Minimum {
    let search = Search::new(loss, regularisation);
    let mut point = search.point_of(start);
    let mut is_converged = false;
    for _ in 0..ATTEMPTS {
        let before = search.evaluate(&point);
        is_converged = before.length() <= ending.gradient;
        if is_converged {
            break;
        }
        let line_search = MoreThuenteLineSearch::new();
        // Steps end by the gradient alone, or where a step changes nothing.
        let solver = LBFGS::new(line_search, MEMORY).with_tolerance_grad(ending.gradient).and_then(|s| s.with_tolerance_cost(0.0));
        let Ok(solver) = solver else { break };
        // However it ends, the best point is known.
        let _ = Executor::new(&search, solver).configure(|state| state.param(point.clone()).max_iters(ending.steps)).run();
        let best = search.best();
        if best.value >= before.value {
            break;
        }
        point.clone_from(&best.point);
        is_converged = best.length() <= ending.gradient;
        if is_converged {
            break;
        }
    }
    let coefficients = search.coefficients_of(&point);
    let objective = search.evaluate(&point).value * regularisation * loss.count() as f64;
    Minimum { coefficients, objective, is_converged }
}

/// The objective as a function of variables that have about the same curvature: weights by a scale for each feature, of features from
/// which their means are taken. The minimum is the same, and is found in fewer steps.
struct Search<'a> {
    loss: &'a Loss<'a>,
    regularisation: f64,
    means: Array1<f64>,
    scales: Array1<f64>,
    bias_scale: f64,
    /// What was evaluated last, which is asked for in two calls, and the best so far.
    last_and_best: Mutex<[Option<Evaluated>; 2]>,
}

/// The objective at a point, divided by `C` and the number of examples.
#[derive(Clone)]
struct Evaluated {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

impl Evaluated {
    /// The gradient's length.
    fn length(&self) -> f64 {
        self.gradient.iter().map(|x| x * x).sum::<f64>().sqrt()
    }
}

impl<'a> Search<'a> {
    fn new(loss: &'a Loss, regularisation: f64) -> Self {
        let [means, variances] = loss.moments();
        // The curvature of the loss by a logit where all classes are as likely.
        let share = 1.0 / loss.outputs().max(2) as f64;
        let by_logit = share * (1.0 - share);
        let by_penalty = 1.0 / (regularisation * loss.count() as f64);
        let scales = variances.mapv(|variance| 1.0 / (by_logit * variance + by_penalty).sqrt());
        Self { loss, regularisation, means, scales, bias_scale: 1.0 / by_logit.sqrt(), last_and_best: Mutex::default() }
    }

    fn coefficients_of(&self, point: &[f64]) -> Coefficients {
        let (outputs, columns) = (self.loss.outputs(), self.loss.columns());
        let mut found = Coefficients::zero(outputs, columns);
        let (weights, biases) = point.split_at(outputs * columns);
        found.weights.iter_mut().zip(weights).for_each(|(to, from)| *to = *from);
        found.weights *= &self.scales;
        found.biases = &(&ArrayView1::from(biases) * self.bias_scale) - &found.weights.dot(&self.means);
        found
    }

    fn point_of(&self, coefficients: &Coefficients) -> Vec<f64> {
        let biases = (&coefficients.biases + &coefficients.weights.dot(&self.means)) / self.bias_scale;
        (&coefficients.weights / &self.scales).iter().copied().chain(biases).collect()
    }

    fn evaluate(&self, point: &[f64]) -> Evaluated {
        let mut last_and_best = self.last_and_best.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last_and_best[0].as_ref().filter(|last| last.point == point) {
            return last.clone();
        }
        let coefficients = self.coefficients_of(point);
        let (loss, Coefficients { mut weights, biases }) = self.loss.differentiate(&coefficients);
        let count = self.loss.count() as f64;
        let penalty = 1.0 / self.regularisation;
        let squares: f64 = coefficients.weights.iter().map(|weight| weight * weight).sum();
        weights -= &outer(biases.view(), self.means.view());
        weights.scaled_add(penalty, &coefficients.weights);
        weights *= &self.scales;
        let evaluated = Evaluated {
            point: point.to_vec(),
            value: (loss + 0.5 * penalty * squares) / count,
            gradient: weights.iter().copied().chain(biases * self.bias_scale).map(|it| it / count).collect(),
        };
        if last_and_best[1].as_ref().is_none_or(|best| evaluated.value < best.value) {
            last_and_best[1] = Some(evaluated.clone());
        }
        last_and_best[0] = Some(evaluated.clone());
        evaluated
    }

    /// The best point so far. There is one: the search begins with an evaluation.
    fn best(&self) -> Evaluated {
        let last_and_best = self.last_and_best.lock().unwrap_or_else(PoisonError::into_inner);
        last_and_best[1].clone().unwrap_or(Evaluated { point: Vec::new(), value: f64::INFINITY, gradient: Vec::new() })
    }
}

/// The products of each of `a` with each of `b`, `[a, b]`.
fn outer(a: ArrayView1<f64>, b: ArrayView1<f64>) -> ndarray::Array2<f64> {
    let [a, b]: [ArrayView2<f64>; 2] = [a.insert_axis(Axis(1)), b.insert_axis(Axis(0))];
    a.dot(&b)
}

impl CostFunction for &Search<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        Ok(self.evaluate(point).value)
    }
}

impl Gradient for &Search<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Vec<f64>) -> Result<Vec<f64>, argmin::core::Error> {
        Ok(self.evaluate(point).gradient)
    }
}
