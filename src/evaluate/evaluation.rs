//! How good answers are.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::Serialize;

use super::answers::{Answers, JudgedPicture, Known};
use super::metrics::{
    Confusion, Counts, Interval, Losses, OperatingPoint, Ranking, ReliabilityBin, expected_calibration_error, rank, reliability, resamples,
    spread,
};
use crate::activation::Activation;

/// Options of an [`Evaluation`]. The default has no intervals and Youden's operating point alone.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct EvaluationOptions {
    /// Another number of likeliest classes of which one may be the truth, beside 1 and 5.
    pub top_k: Option<usize>,
    /// Resamples of the pictures for the 95 % intervals; 0 for none.
    pub resamples: usize,
    /// The seed of the resamples.
    pub seed: u64,
    /// Least sensitivities for which there are operating points.
    pub sensitivities: Vec<f64>,
}

impl EvaluationOptions {
    /// Sets another number of likeliest classes of which one may be the truth.
    #[must_use]
    pub fn with_top_k(self, top_k: usize) -> Self {
        Self { top_k: Some(top_k), ..self }
    }

    /// Sets the number of resamples.
    #[must_use]
    pub fn with_resamples(self, resamples: usize) -> Self {
        Self { resamples, ..self }
    }

    /// Sets the seed of the resamples.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets the least sensitivities for which there are operating points.
    #[must_use]
    pub fn with_sensitivities(self, sensitivities: Vec<f64>) -> Self {
        Self { sensitivities, ..self }
    }
}

/// How good answers are, with the keys of its JSON. A number that does not exist is `None`, null in JSON: one of a single class where
/// any number may be true, one of probabilities where a model has none, one of a class without pictures. Numbers are scikit-learn's.
///
/// Its example is that of [`Answers`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Evaluation {
    /// Pictures.
    pub count: usize,
    /// The share of pictures whose likeliest class is the truth.
    pub top1: Option<f64>,
    /// The share of pictures of whose five likeliest classes one is the truth; `None` also if there are fewer classes.
    pub top5: Option<f64>,
    /// The same for the number of classes that was asked for.
    pub top_k: Option<TopK>,
    /// The mean recall of the classes that have pictures.
    pub balanced_accuracy: Option<f64>,
    /// The mean negative logarithm of the truth's probability: of pictures if softmax made the probabilities and each picture has one
    /// class, else of all classes of all pictures.
    pub log_loss: Option<f64>,
    /// The mean square of the distance from the truth, of the same cases: of pictures summed over classes, and halved if there are two.
    pub brier: Option<f64>,
    /// The expected calibration error in fifteen bins of equal width: of the likeliest class, or of all classes of all pictures.
    pub ece: Option<f64>,
    /// The names of the classes.
    pub labels: Vec<String>,
    /// How often each class was predicted, `[true class][predicted class]`.
    pub confusion: Option<Vec<Vec<u64>>>,
    /// Each class against all others.
    pub per_class: Vec<ClassEvaluation>,
    /// The mean F1 of the classes that have one.
    pub macro_f1: Option<f64>,
    /// The mean AUROC of the classes that have one.
    pub macro_auroc: Option<f64>,
    /// The mean average precision of the classes that have one.
    pub macro_average_precision: Option<f64>,
    /// The 95 % interval of `top1`.
    pub top1_interval: Option<Interval>,
    /// The 95 % interval of `balanced_accuracy`.
    pub balanced_accuracy_interval: Option<Interval>,
    /// Whether probabilities are right as often as they say.
    pub reliability: Option<Vec<ReliabilityBin>>,
    /// Classes of pictures of which it is not known whether they are true.
    pub unknown: usize,
}

/// The share of pictures of whose `k` likeliest classes one is the truth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TopK {
    /// How many classes.
    pub k: usize,
    /// The share; `None` if there are fewer classes.
    pub accuracy: Option<f64>,
}

/// One class against all others. Where any number of classes may be true, a class counts as predicted from a probability of a half on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassEvaluation {
    /// Its name.
    pub label: String,
    /// The share of the pictures for which it was predicted that are of it.
    pub precision: Option<f64>,
    /// The share of its pictures for which it was predicted.
    pub recall: Option<f64>,
    /// The harmonic mean of both.
    pub f1: Option<f64>,
    /// Its pictures.
    pub support: u64,
    /// The area under the ROC curve of its scores.
    pub auroc: Option<f64>,
    /// The average precision of its scores.
    pub average_precision: Option<f64>,
    /// The share of pictures of others for which it was not predicted.
    pub specificity: Option<f64>,
    /// The 95 % interval of `auroc`, if any number of classes may be true, or there are two.
    pub auroc_interval: Option<Interval>,
    /// The 95 % interval of `average_precision`, likewise.
    pub average_precision_interval: Option<Interval>,
    /// Thresholds worth choosing, of the same cases.
    pub operating_points: Vec<OperatingPoint>,
}

impl Answers {
    /// How good the answers are.
    pub fn evaluate(&self, options: &EvaluationOptions) -> Evaluation {
        let classes = self.labels().len();
        let singles = self.singles();
        let confusion =
            (!singles.is_empty()).then(|| Confusion::new(classes, singles.iter().map(|single| [single.truth, single.predicted])));
        let counts = confusion.as_ref().map_or_else(|| self.threshold_counts(), |confusion| Some(confusion.counts()));
        let rankings: Vec<Ranking> = (0..classes).into_par_iter().map(|class| Ranking::new(self.of_class(class))).collect();
        let has_intervals = self.is_of_each() == Some(true) || classes <= 2;
        let spreads = self.spreads(&singles, if has_intervals { &rankings } else { &[] }, options);

        let (losses, pairs) = self.losses();
        let reliability = (self.activation() != Activation::None && !pairs.is_empty()).then(|| reliability(pairs));
        let within = |k: usize| mean(singles.iter().map(|single| f64::from(u8::from(single.rank < k)))).filter(|_| k <= classes);
        let per_class: Vec<ClassEvaluation> = rankings
            .iter()
            .enumerate()
            .map(|(class, ranking)| {
                let counts = counts.as_ref().map(|counts| counts[class]);
                let of_counts = |of: fn(&Counts) -> Option<f64>| counts.as_ref().and_then(of);
                let [auroc_interval, average_precision_interval] = spreads.of_classes.get(class).copied().unwrap_or_default();
                ClassEvaluation {
                    label: self.labels()[class].clone(),
                    precision: of_counts(Counts::precision),
                    recall: of_counts(Counts::recall),
                    f1: of_counts(Counts::f1),
                    support: ranking.totals()[0],
                    auroc: ranking.auroc(),
                    average_precision: ranking.average_precision(),
                    specificity: of_counts(Counts::specificity),
                    auroc_interval,
                    average_precision_interval,
                    operating_points: if has_intervals { OperatingPoint::all(ranking, &options.sensitivities) } else { Vec::new() },
                }
            })
            .collect();
        Evaluation {
            count: self.pictures().len(),
            top1: within(1),
            top5: within(5),
            top_k: options.top_k.map(|k| TopK { k, accuracy: within(k) }),
            balanced_accuracy: confusion.as_ref().and_then(|confusion| mean(confusion.counts().iter().filter_map(Counts::recall))),
            log_loss: losses.log_loss(),
            brier: losses.brier(),
            ece: reliability.as_deref().and_then(expected_calibration_error),
            labels: self.labels().to_vec(),
            confusion: confusion.map(|confusion| confusion.rows),
            macro_f1: mean(per_class.iter().filter_map(|class| class.f1)),
            macro_auroc: mean(per_class.iter().filter_map(|class| class.auroc)),
            macro_average_precision: mean(per_class.iter().filter_map(|class| class.average_precision)),
            per_class,
            top1_interval: spreads.top1,
            balanced_accuracy_interval: spreads.balanced_accuracy,
            reliability,
            unknown: self.pictures().iter().map(|picture| (0..classes).filter(|&class| picture.known.has(class).is_none()).count()).sum(),
        }
    }

    /// What was predicted for each picture that is of one class.
    pub(super) fn singles(&self) -> Vec<Single> {
        let single = |picture: &JudgedPicture| match picture.known {
            Known::One(truth) => Some(Single { truth, predicted: picture.predicted()?, rank: rank(&picture.scores, truth) }),
            Known::Each(_) => None,
        };
        self.pictures().iter().filter_map(single).collect()
    }

    /// For each class what a threshold of a half finds; `None` without probabilities.
    fn threshold_counts(&self) -> Option<Vec<Counts>> {
        let of_class = |class: usize| {
            let mut counts = Counts::default();
            self.of_class(class).for_each(|(_, score, is_true)| counts.add(is_true, score >= 0.5));
            counts
        };
        (self.activation() != Activation::None).then(|| (0..self.labels().len()).map(of_class).collect())
    }

    /// The losses, and for each case a probability and whether it was right; nothing without probabilities.
    fn losses(&self) -> (Losses, Vec<(f64, bool)>) {
        let (mut losses, mut pairs) = (Losses::default(), Vec::new());
        if self.activation() == Activation::None {
            return (losses, pairs);
        }
        for picture in self.pictures() {
            match (&picture.known, self.activation(), picture.predicted()) {
                (Known::One(class), Activation::Softmax, Some(predicted)) => {
                    losses.add_one(&picture.scores, *class);
                    pairs.push((picture.scores[predicted], predicted == *class));
                }
                _ => {
                    let known = picture.scores.iter().enumerate().filter_map(|(class, &score)| Some((score, picture.known.has(class)?)));
                    known.for_each(|(score, is_true)| {
                        losses.add_each(score, is_true);
                        pairs.push((score, is_true));
                    });
                }
            }
        }
        (losses, pairs)
    }

    /// The intervals of all numbers that have one, from the same resamples.
    fn spreads(&self, singles: &[Single], rankings: &[Ranking], options: &EvaluationOptions) -> Spreads {
        let measured = resamples(options.resamples, options.seed, self.pictures().len(), |times| {
            let of_classes: Vec<[Option<f64>; 2]> = rankings.iter().map(|ranking| ranking.resampled(times)).collect();
            (accuracies(singles, times, self.labels().len()), of_classes)
        });
        let of_class = |class: usize| [0, 1].map(|number| spread(measured.iter().map(|(_, of_classes)| of_classes[class][number])));
        Spreads {
            top1: spread(measured.iter().map(|(accuracies, _)| accuracies[0])),
            balanced_accuracy: spread(measured.iter().map(|(accuracies, _)| accuracies[1])),
            of_classes: (0..rankings.len()).map(of_class).collect(),
        }
    }
}

/// What was predicted for a picture that is of one class.
pub(super) struct Single {
    pub(super) truth: usize,
    pub(super) predicted: usize,
    /// How many classes are likelier than the truth.
    rank: usize,
}

/// Intervals; none for what has none.
struct Spreads {
    top1: Option<Interval>,
    balanced_accuracy: Option<Interval>,
    /// Of AUROC and average precision.
    of_classes: Vec<[Option<Interval>; 2]>,
}

/// The share of right predictions and the mean recall, where each picture is there as often as `times` says.
fn accuracies(singles: &[Single], times: &[u32], classes: usize) -> [Option<f64>; 2] {
    if singles.is_empty() {
        return [None; 2];
    }
    let mut found = vec![[0u64; 2]; classes];
    for (single, &times) in singles.iter().zip(times) {
        let [right, all] = &mut found[single.truth];
        *right += if single.truth == single.predicted { u64::from(times) } else { 0 };
        *all += u64::from(times);
    }
    let right: u64 = found.iter().map(|[right, _]| right).sum();
    let recalls = found.iter().filter(|[_, all]| *all > 0).map(|&[right, all]| right as f64 / all as f64);
    [Some(right as f64 / singles.len() as f64), mean(recalls)]
}

/// The mean; `None` of nothing.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}
