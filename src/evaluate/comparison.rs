//! Two models on the same pictures.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use super::answers::{Answers, JudgedPicture, Known};
use super::evaluation::EvaluationOptions;
use super::metrics::{Interval, Ranking, resamples, spread};
use crate::error::{Error, Result};

/// Two models on the same pictures, with the keys of its JSON.
///
/// ```
/// use densenet_wgpu::evaluate::{Answers, ModelComparison, EvaluationOptions, JudgedPicture, Known};
/// use densenet_wgpu::preprocessing::Activation;
///
/// let answers = |right: &[bool]| {
///     let mut answers = Answers::new(vec!["cat".into(), "dog".into()], Activation::Softmax);
///     for (number, right) in right.iter().enumerate() {
///         let cat = if *right { 0.75 } else { 0.25 };
///         let picture = JudgedPicture { path: number.to_string().into(), known: Known::One(0), scores: vec![cat, 1.0 - cat] };
///         answers.push(picture).expect("it has all its scores");
///     }
///     answers
/// };
/// let first = answers(&[true, true, true, true, true, false]);
/// let second = answers(&[false, false, false, false, true, false]);
/// let comparison = ModelComparison::new(&first, &second, &EvaluationOptions::default())?;
/// let test = comparison.mcnemar.expect("each picture is of one class");
/// assert_eq!((test.only_first, test.only_second, test.p), (4, 0, 0.125));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelComparison {
    /// Pictures that both models judged.
    pub count: usize,
    /// Pictures that one of them judged alone, which are left out.
    pub only_one: usize,
    /// Whether their accuracies differ, where each picture is of one class.
    pub mcnemar: Option<McNemar>,
    /// Whether their areas under the ROC curve differ, for each class that both have, where any number of classes may be true, or there
    /// are two.
    pub auroc: Vec<AurocDifference>,
}

/// McNemar's test of whether two models are right equally often (Q. McNemar, *Psychometrika* 12, 1947).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct McNemar {
    /// Pictures that the first model alone has right.
    pub only_first: u64,
    /// Pictures that the second model alone has right.
    pub only_second: u64,
    /// How probable it is that they differ at least so much if both are right equally often: exactly, by the binomial distribution, and of
    /// more than a thousand such pictures by the χ² distribution with Edwards's correction.
    pub p: f64,
}

/// The areas under a class's ROC curves.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AurocDifference {
    /// The class.
    pub label: String,
    /// The first model's area.
    pub first: Option<f64>,
    /// The second model's area.
    pub second: Option<f64>,
    /// The second minus the first.
    pub difference: Option<f64>,
    /// The 95 % interval of the difference, by resamples of pictures: both models have the same in each.
    pub interval: Option<Interval>,
}

/// Pictures that one model alone has right, up to which the test is exact.
const EXACT: u64 = 1000;

impl McNemar {
    /// Of models that alone are right so many times.
    pub fn new(only_first: u64, only_second: u64) -> Self {
        let (total, fewer) = (only_first + only_second, only_first.min(only_second));
        let p = if total <= EXACT { binomial_tails(total, fewer) } else { chi_squared_tail(total, only_first.abs_diff(only_second)) };
        Self { only_first, only_second, p }
    }
}

/// How probable it is that of `total` fair coins at most `fewer` fall on one side.
fn binomial_tails(total: u64, fewer: u64) -> f64 {
    // The least term, 2^-1000, is a normal number.
    let mut term = (-(total as f64)).exp2();
    let mut sum = 0.0;
    for side in 0..=fewer {
        sum += term;
        term *= (total - side) as f64 / (side + 1) as f64;
    }
    (2.0 * sum).min(1.0)
}

/// How probable χ² with one degree of freedom is at least the corrected one.
fn chi_squared_tail(total: u64, difference: u64) -> f64 {
    let chi_squared = (difference.saturating_sub(1) as f64).powi(2) / total as f64;
    libm::erfc((chi_squared / 2.0).sqrt())
}

impl ModelComparison {
    /// Compares the second model with the first. Errors if there is no picture that both judged, or the truth of one differs.
    pub fn new(first: &Answers, second: &Answers, options: &EvaluationOptions) -> Result<Self> {
        let pairs = pairs(first, second);
        let only_one = first.pictures().len() + second.pictures().len() - 2 * pairs.len();
        if pairs.is_empty() {
            let found = format!("none among {} and {}", first.pictures().len(), second.pictures().len());
            return Err(Error::Input { expected: "pictures that both models judged".into(), found });
        }
        let is_of_one = first.is_of_each() == Some(false) && second.is_of_each() == Some(false);
        let has_aurocs = !is_of_one || first.labels().len() == 2;
        let auroc = if has_aurocs { aurocs(first, second, &pairs, options) } else { Vec::new() };
        Ok(Self { count: pairs.len(), only_one, mcnemar: is_of_one.then(|| mcnemar(&pairs)), auroc })
    }
}

/// A picture with both models' answers.
type Pair<'a> = [&'a JudgedPicture; 2];

/// Pictures of the same path, in the order of the first model's.
fn pairs<'a>(first: &'a Answers, second: &'a Answers) -> Vec<Pair<'a>> {
    let mut others: HashMap<&Path, Vec<&JudgedPicture>> = HashMap::new();
    second.pictures().iter().rev().for_each(|picture| others.entry(&picture.path).or_default().push(picture));
    first.pictures().iter().filter_map(|picture| Some([picture, others.get_mut(picture.path.as_path())?.pop()?])).collect()
}

fn mcnemar(pairs: &[Pair<'_>]) -> McNemar {
    let is_right = |picture: &JudgedPicture| picture.predicted().is_some_and(|class| picture.known == Known::One(class));
    let count = |alone: [bool; 2]| pairs.iter().filter(|pair| pair.map(is_right) == alone).count() as u64;
    McNemar::new(count([true, false]), count([false, true]))
}

/// The areas of the classes that both models have.
fn aurocs(first: &Answers, second: &Answers, pairs: &[Pair<'_>], options: &EvaluationOptions) -> Vec<AurocDifference> {
    let place = |label: &String| second.labels().iter().position(|other| other == label);
    let shared: Vec<[usize; 2]> = first.labels().iter().enumerate().filter_map(|(class, label)| Some([class, place(label)?])).collect();
    let ranking = |model: usize, class: usize| {
        let of_pair = |(number, pair): (u32, &Pair<'_>)| Some((number, pair[model].scores[class], pair[model].known.has(class)?));
        Ranking::new((0..).zip(pairs).filter_map(of_pair))
    };
    let rankings: Vec<[Ranking; 2]> = shared.iter().map(|&[of_first, of_second]| [ranking(0, of_first), ranking(1, of_second)]).collect();
    let difference = |[first, second]: [Option<f64>; 2]| Some(second? - first?);
    let measured = resamples(options.resamples, options.seed, pairs.len(), |times| {
        let auroc = |ranking: &Ranking| ranking.resampled(times)[0];
        rankings.iter().map(|[first, second]| difference([auroc(first), auroc(second)])).collect::<Vec<_>>()
    });
    let of_class = |(number, ([of_first, _], rankings)): (usize, (&[usize; 2], &[Ranking; 2]))| {
        let [of_model, of_other] = [rankings[0].auroc(), rankings[1].auroc()];
        AurocDifference {
            label: first.labels()[*of_first].clone(),
            first: of_model,
            second: of_other,
            difference: difference([of_model, of_other]),
            interval: spread(measured.iter().map(|of_classes| of_classes[number])),
        }
    };
    shared.iter().zip(&rankings).enumerate().map(of_class).collect()
}
