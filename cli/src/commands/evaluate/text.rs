//! An evaluation as text.
//!
//! ```text
//! digits on examples/digits: 40 pictures
//!
//! top-1               100.00 %  (100.00 to 100.00)
//! …
//!
//! class  precision  recall      F1  support   AUROC  average precision
//! 0         1.0000  1.0000  1.0000        4  1.0000             1.0000
//! ```

use densenet_wgpu::evaluate::{AurocDifference, ClassEvaluation, Evaluation, Interval, McNemar, OperatingPoint};

use super::outcome::{Compared, Outcome};
use crate::message::printable;
use crate::terminal::cell::{padded, width};
use crate::terminal::paint::{ASIDE, BAD, HEADING, paint};

/// Mistakes that are named.
const MISTAKES: usize = 5;

/// The gap between two columns.
const GAP: &str = "  ";

/// All of it.
pub(super) fn text(outcome: &Outcome) -> String {
    let Outcome { model, source, evaluation, failures, .. } = outcome;
    let pictures = if evaluation.count == 1 { "picture" } else { "pictures" };
    let mut text = paint(HEADING, &printable(&format!("{model} on {source}: {} {pictures}", evaluation.count)));
    if !failures.is_empty() {
        text += &format!(", {}", paint(BAD, &format!("{} failed", failures.len())));
    }
    text += "\n\n";
    text += &[overall(evaluation), "\n".into(), per_class(evaluation), operating_points(evaluation), mistakes(evaluation)].concat();
    text + &outcome.comparison.as_ref().map_or(String::new(), |compared| comparison(compared, model))
}

/// Whether the second model is better.
fn comparison(Compared { comparison, second }: &Compared, first: &str) -> String {
    let title = format!("{} compared with {first}, on {} pictures", second.model, comparison.count);
    let mut text = format!("\n{}\n{}", paint(HEADING, &printable(&title)), overall(&second.evaluation));
    if let Some(McNemar { only_first, only_second, p, .. }) = comparison.mcnemar {
        text += &format!("right alone: {only_first} and {only_second}; McNemar's test{GAP}p = {p:.4}\n");
    }
    let row = |AurocDifference { label, first, second, difference, interval, .. }: &AurocDifference| {
        let number = |number: &Option<f64>| number.map_or("none".to_owned(), |number| format!("{number:.4}"));
        let interval = interval.map_or(String::new(), |Interval { low, high, .. }| format!("{low:.4} to {high:.4}"));
        [printable(label), number(first), number(second), number(difference), interval]
    };
    if !comparison.auroc.is_empty() {
        let header = ["class", "AUROC", "the second's", "difference", "95 %"].map(str::to_owned);
        text += &table([header].into_iter().chain(comparison.auroc.iter().map(row)).collect());
    }
    text
}

/// The numbers of all classes together, those that there are.
fn overall(evaluation: &Evaluation) -> String {
    let top_k = evaluation.top_k.map(|top| (format!("top-{}", top.k), top.accuracy));
    let (name, of_k) = top_k.unwrap_or_default();
    let shares = [
        ("top-1", evaluation.top1, evaluation.top1_interval),
        ("top-5", evaluation.top5, None),
        (name.as_str(), of_k, None),
        ("balanced accuracy", evaluation.balanced_accuracy, evaluation.balanced_accuracy_interval),
    ];
    let numbers = [
        ("mean AUROC", evaluation.macro_auroc),
        ("mean average precision", evaluation.macro_average_precision),
        ("mean F1", evaluation.macro_f1),
        ("log loss", evaluation.log_loss),
        ("Brier score", evaluation.brier),
        ("calibration error", evaluation.ece),
    ];
    let share = |(name, share, interval): &(&str, Option<f64>, Option<Interval>)| {
        let interval = interval.map_or(String::new(), |Interval { low, high, .. }| {
            paint(ASIDE, &format!("{GAP}95 %: {:.2} to {:.2}", 100.0 * low, 100.0 * high))
        });
        share.map(|share| format!("{name:<22}{GAP}{:>7.2} %{interval}\n", 100.0 * share))
    };
    let number = |(name, number): &(&str, Option<f64>)| number.map(|number| format!("{name:<22}{GAP}{number:>9.4}\n"));
    shares.iter().filter_map(share).chain(numbers.iter().filter_map(number)).collect()
}

/// A table of the classes that are there or were predicted.
fn per_class(evaluation: &Evaluation) -> String {
    let is_shown = |class: &&ClassEvaluation| class.support > 0 || class.precision.is_some();
    let interval =
        |interval: Option<Interval>| interval.map_or(String::new(), |Interval { low, high, .. }| format!(" ({low:.3}-{high:.3})"));
    let number = |number: Option<f64>| number.map_or("none".to_owned(), |number| format!("{number:.4}"));
    let row = |class: &ClassEvaluation| {
        [
            printable(&class.label),
            number(class.precision),
            number(class.recall),
            number(class.f1),
            class.support.to_string(),
            number(class.auroc) + &interval(class.auroc_interval),
            number(class.average_precision) + &interval(class.average_precision_interval),
        ]
    };
    let header = ["class", "precision", "recall", "F1", "pictures", "AUROC", "average precision"].map(str::to_owned);
    let shown: Vec<&ClassEvaluation> = evaluation.per_class.iter().filter(is_shown).collect();
    let left_out = evaluation.per_class.len() - shown.len();
    let table = table([header].into_iter().chain(shown.into_iter().map(row)).collect());
    let left_out = if left_out > 0 { format!("{left_out} classes without pictures, which were never predicted\n") } else { String::new() };
    table + &left_out
}

/// A table of the thresholds worth choosing, if there are any.
fn operating_points(evaluation: &Evaluation) -> String {
    let of_class = |class: &ClassEvaluation| -> Vec<[String; 6]> {
        let point = |point: &OperatingPoint| {
            let numbers = [point.threshold, point.sensitivity, point.specificity, point.precision].map(|number| format!("{number:.4}"));
            let [threshold, sensitivity, specificity, precision] = numbers;
            [printable(&class.label), point.chosen_by.clone(), threshold, sensitivity, specificity, precision]
        };
        class.operating_points.iter().map(point).collect()
    };
    let points: Vec<[String; 6]> = evaluation.per_class.iter().flat_map(of_class).collect();
    if points.is_empty() {
        return String::new();
    }
    let header = ["class", "operating point", "from", "sensitivity", "specificity", "precision"].map(str::to_owned);
    String::from("\n") + &table([header].into_iter().chain(points).collect())
}

/// What was taken for what most often.
fn mistakes(evaluation: &Evaluation) -> String {
    let rows = evaluation.confusion.iter().flatten().enumerate();
    let cells = rows.flat_map(|(truth, row)| row.iter().enumerate().map(move |(predicted, &count)| (count, truth, predicted)));
    let mut wrong: Vec<(u64, usize, usize)> = cells.filter(|&(count, truth, predicted)| count > 0 && truth != predicted).collect();
    wrong.sort_by_key(|&(count, truth, predicted)| (std::cmp::Reverse(count), truth, predicted));
    if wrong.is_empty() {
        return String::new();
    }
    let name = |class: usize| printable(&evaluation.labels[class]);
    let line = |&(count, truth, predicted): &(u64, usize, usize)| format!("{count:>6} x {} taken for {}\n", name(truth), name(predicted));
    let lines: String = wrong.iter().take(MISTAKES).map(line).collect();
    format!("\n{}\n{lines}", paint(HEADING, "most frequent mistakes"))
}

/// Rows below a header: the first column aligned left, numbers right.
fn table<const COLUMNS: usize>(rows: Vec<[String; COLUMNS]>) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0));
    let line = |row: &[String; COLUMNS]| {
        let cell = |(column, (text, columns)): (usize, (&String, usize))| {
            if column == 0 { padded(text, columns) } else { format!("{GAP}{:blank$}{text}", "", blank = columns - width(text)) }
        };
        row.iter().zip(widths).enumerate().map(cell).collect::<String>().trim_end().to_owned()
    };
    let is_header = |(at, row): (usize, &[String; COLUMNS])| if at == 0 { paint(HEADING, &line(row)) } else { line(row) } + "\n";
    rows.iter().enumerate().map(is_header).collect()
}
