//! The page.

use super::shown_mistake::ShownMistake;
use crate::drawing::escaped;
use crate::evaluate::evaluation::{ClassEvaluation, Evaluation};
use crate::evaluate::metrics::Interval;

const STYLE: &str = "\
body { font: 15px/1.5 'DejaVu Sans', Verdana, sans-serif; color: #222; max-width: 1000px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 }
th, td { padding: 2px 12px; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
svg { max-width: 100%; height: auto }
figure { display: inline-block; margin: 0 1em 1.5em 0; vertical-align: top; max-width: 420px }
figure img { image-rendering: pixelated; max-height: 240px; margin-right: 4px }
figcaption { font-size: 13px; overflow-wrap: anywhere }
small { color: #666 }";

/// The whole page. It asks for nothing from outside, and is told not to.
pub(super) fn page(title: &str, evaluation: &Evaluation, plots: &[(&str, String)], mistakes: &[ShownMistake]) -> String {
    let title = escaped(title);
    let plots: String = plots.iter().map(|(name, svg)| format!("<section id=\"{name}\">\n{}</section>\n", inline(svg))).collect();
    let shown: String = mistakes
        .iter()
        .map(|mistake| {
            let pictures: String = mistake.pictures.iter().map(|address| format!("<img src=\"{address}\" alt=\"\">")).collect();
            let [caption, path] = [&mistake.caption, &mistake.path].map(|text| escaped(text));
            format!("<figure>{pictures}<figcaption>{caption}<br><small>{path}</small></figcaption></figure>\n")
        })
        .collect();
    let worst = if mistakes.is_empty() { String::new() } else { format!("<h2>Worst mistakes</h2>\n{shown}") };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n{}{plots}<h2>Classes</h2>\n{}{worst}</body>\n</html>\n",
        overall(evaluation),
        per_class(evaluation),
    )
}

/// An SVG as a part of the page, where it needs no namespace.
fn inline(svg: &str) -> String {
    svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1)
}

/// The numbers of all classes together, those that there are.
fn overall(evaluation: &Evaluation) -> String {
    let rows = [
        ("top-1", evaluation.top1, evaluation.top1_interval),
        ("top-5", evaluation.top5, None),
        ("balanced accuracy", evaluation.balanced_accuracy, evaluation.balanced_accuracy_interval),
        ("mean AUROC", evaluation.macro_auroc, None),
        ("mean average precision", evaluation.macro_average_precision, None),
        ("mean F1", evaluation.macro_f1, None),
        ("log loss", evaluation.log_loss, None),
        ("Brier score", evaluation.brier, None),
        ("calibration error", evaluation.ece, None),
    ];
    let row = |(name, number, interval): (&str, Option<f64>, Option<Interval>)| {
        number.map(|number| format!("<tr><td>{name}</td><td>{number:.4}</td><td>{}</td></tr>\n", range(interval)))
    };
    let rows: String = rows.into_iter().filter_map(row).collect();
    let count = evaluation.count;
    format!("<table>\n<tr><th>{count} pictures</th><th></th><th>95 % interval</th></tr>\n{rows}</table>\n")
}

/// A table of all classes.
fn per_class(evaluation: &Evaluation) -> String {
    let number = |number: Option<f64>| number.map_or("none".to_owned(), |number| format!("{number:.4}"));
    let row = |class: &ClassEvaluation| {
        let ClassEvaluation { label, precision, recall, f1, support, auroc, average_precision, auroc_interval, .. } = class;
        let [precision, recall, f1, auroc, average_precision] =
            [precision, recall, f1, auroc, average_precision].map(|value| number(*value));
        let cells = [escaped(label), precision, recall, f1, support.to_string(), auroc, range(*auroc_interval), average_precision];
        format!("<tr>{}</tr>\n", cells.map(|cell| format!("<td>{cell}</td>")).concat())
    };
    let names = ["class", "precision", "recall", "F1", "pictures", "AUROC", "95 % interval", "average precision"];
    let header = names.map(|name| format!("<th>{name}</th>")).concat();
    format!("<table>\n<tr>{header}</tr>\n{}</table>\n", evaluation.per_class.iter().map(row).collect::<String>())
}

fn range(interval: Option<Interval>) -> String {
    interval.map_or(String::new(), |Interval { low, high }| format!("{low:.4} to {high:.4}"))
}
