//! ROC and precision-recall curves.

use super::chart::{COLOURS, Chart, short};
use crate::evaluate::answers::Answers;
use crate::evaluate::evaluation::{ClassEvaluation, Evaluation};
use crate::evaluate::metrics::{Found, Ranking};

/// The ROC curves of the classes with the smallest areas; `None` if no class has one.
pub(super) fn roc(answers: &Answers, evaluation: &Evaluation) -> Option<String> {
    let classes = hardest(evaluation, |class| class.auroc);
    let mut chart = Chart::new(&title("ROC", &classes, evaluation), "1 - specificity", "sensitivity");
    chart.diagonal();
    let point = |found: Found, [positives, negatives]: [f64; 2]| [found.negatives as f64 / negatives, found.positives as f64 / positives];
    draw(chart, answers, evaluation, &classes, Some([0.0, 0.0]), point)
}

/// The precision-recall curves of the classes with the smallest average precisions; `None` if no class has one.
pub(super) fn precision_recall(answers: &Answers, evaluation: &Evaluation) -> Option<String> {
    let classes = hardest(evaluation, |class| class.average_precision.filter(|_| class.auroc.is_some()));
    let chart = Chart::new(&title("Precision and recall", &classes, evaluation), "recall", "precision");
    let point = |found: Found, [positives, _]: [f64; 2]| {
        [found.positives as f64 / positives, found.positives as f64 / (found.positives + found.negatives) as f64]
    };
    draw(chart, answers, evaluation, &classes, None, point)
}

/// The classes with the smallest areas, and these.
fn hardest(evaluation: &Evaluation, area: impl Fn(&ClassEvaluation) -> Option<f64>) -> Vec<(usize, f64)> {
    // Of two that exclude each other the curves say the same.
    let first = usize::from(evaluation.labels.len() == 2 && evaluation.confusion.is_some());
    let areas = evaluation.per_class.iter().enumerate().skip(first);
    let mut areas: Vec<(usize, f64)> = areas.filter_map(|(class, of_class)| Some((class, area(of_class)?))).collect();
    areas.sort_by(|a, b| a.1.total_cmp(&b.1));
    areas.truncate(COLOURS.len());
    areas
}

fn title(name: &str, classes: &[(usize, f64)], evaluation: &Evaluation) -> String {
    let all = evaluation.per_class.iter().filter(|class| class.auroc.is_some()).count();
    let are_all = classes.len() == all || evaluation.labels.len() == 2;
    if are_all { name.to_owned() } else { format!("{name}: the {} of {all} classes with the smallest areas", classes.len()) }
}

/// Draws a curve for each class, from `begin` through what each threshold finds.
fn draw(
    mut chart: Chart,
    answers: &Answers,
    evaluation: &Evaluation,
    classes: &[(usize, f64)],
    begin: Option<[f64; 2]>,
    point: impl Fn(Found, [f64; 2]) -> [f64; 2],
) -> Option<String> {
    let mut legend = Vec::new();
    for (&(class, area), colour) in classes.iter().zip(COLOURS) {
        let ranking = Ranking::new(answers.of_class(class));
        let totals = ranking.totals().map(|total| total as f64);
        let label = &evaluation.labels[class];
        chart.curve(begin.into_iter().chain(ranking.found().map(|found| point(found, totals))), colour, label);
        legend.push((colour, format!("{} {area:.3}", short(label, 24))));
    }
    chart.legend(&legend);
    (!classes.is_empty()).then(|| chart.finish())
}
