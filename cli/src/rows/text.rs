//! A human-readable row of `classify`.
//!
//! ```text
//! cat.jpg
//!   92.31 %  ██████████████████▌   Egyptian cat  class 285  logit   14.2207
//!    5.08 %  █                     tabby         class 281  logit   11.3207
//! ```
//!
//! On a terminal probabilities have bars, and lines are at most as wide as the terminal: labels are cut, and if that is not enough,
//! the class's number and the logit are left out. Elsewhere there are no bars, and nothing is cut.

use densenet_wgpu::labels::RankedClass;

use super::answer::{Answer, Outcome};
use crate::message::printable;
use crate::terminal::Terminal;
use crate::terminal::cell::{cut, padded, width};
use crate::terminal::paint::{ASIDE, BAD, BAR, HEADING, paint};

/// Columns of a bar, if there is room.
const BAR_WIDTH: usize = 20;
/// Columns below which a bar is useless.
const LEAST_BAR_WIDTH: usize = 8;
/// Columns of a label that take precedence over bar, number and logit.
const LEAST_LABEL_WIDTH: usize = 16;
/// The gap between two columns.
const GAP: &str = "  ";

/// One class of a row, column by column.
struct Line {
    /// `None` if the model has none.
    probability: Option<f64>,
    label: String,
    /// Empty if the label is the number.
    class: String,
    logit: String,
}

/// The row of one input.
pub(super) fn row(path: &str, outcome: &Outcome, terminal: Option<Terminal>) -> String {
    let head = paint(HEADING, &printable(path)) + "\n";
    match outcome {
        Err(error) => format!("{head}{GAP}{} {}\n", paint(BAD, "error:"), printable(error)),
        Ok(Answer { top, notes }) => {
            let notes: String = notes.iter().map(|note| format!("{GAP}{} {note}\n", paint(ASIDE, "note:"))).collect();
            head + &lines(top.iter().map(Line::new).collect(), terminal) + &notes
        }
    }
}

fn lines(lines: Vec<Line>, terminal: Option<Terminal>) -> String {
    let widest = |of: fn(&Line) -> &str| lines.iter().map(|line| width(of(line))).max().unwrap_or(0);
    let widths = [widest(|line| &line.label), widest(|line| &line.class), widest(|line| &line.logit)];
    let probable = lines.first().is_some_and(|line| line.probability.is_some());
    let layout = Layout::new(widths, probable, terminal);
    lines.iter().map(|line| layout.line(line) + "\n").collect()
}

impl Line {
    fn new(ranked: &RankedClass) -> Self {
        let RankedClass { index, label, logit, probability } = ranked;
        let class = if *label == index.to_string() { String::new() } else { format!("class {index}") };
        Self { probability: *probability, label: printable(label), class, logit: format!("logit {logit:>9.4}") }
    }
}

/// The width of each column; 0 for one that is left out.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    bar: usize,
    label: usize,
    class: usize,
    logit: usize,
    is_utf8: bool,
}

impl Layout {
    fn new([label, class, logit]: [usize; 3], probable: bool, terminal: Option<Terminal>) -> Self {
        let Some(Terminal { columns, is_utf8 }) = terminal else {
            return Self { bar: 0, label, class, logit, is_utf8: false };
        };
        let least = label.min(LEAST_LABEL_WIDTH);
        let percent = if probable { GAP.len() + "100.00 %".len() } else { 0 };
        let mut left = columns.saturating_sub(percent + GAP.len() + least);
        let mut fit = |wanted: usize| {
            let room = wanted > 0 && left >= GAP.len() + wanted;
            left -= if room { GAP.len() + wanted } else { 0 };
            if room { wanted } else { 0 }
        };
        let bar = fit(if probable { LEAST_BAR_WIDTH } else { 0 });
        let (logit, class) = (fit(logit), fit(class));
        let longer = (label - least).min(left);
        let bar = if bar > 0 { BAR_WIDTH.min(bar + left - longer) } else { 0 };
        // A terminal that is too narrow even for that has a label of one column.
        let label = (least + longer).min(columns.saturating_sub(percent + GAP.len())).max(1);
        Self { bar, label, class, logit, is_utf8 }
    }

    fn line(&self, line: &Line) -> String {
        let mut text = String::new();
        if let Some(probability) = line.probability {
            text += &format!("{GAP}{:>6.2} %", 100.0 * probability);
            if self.bar > 0 {
                text += GAP;
                text += &paint(BAR, &bar(probability, self.bar, self.is_utf8));
            }
        }
        text += GAP;
        text += &padded(&cut(&line.label, self.label, if self.is_utf8 { "…" } else { ".." }), self.label);
        for (column, width) in [(&line.class, self.class), (&line.logit, self.logit)] {
            if width > 0 {
                text += GAP;
                text += &paint(ASIDE, &padded(column, width));
            }
        }
        text
    }
}

/// A bar for a `part` of 1 of this number of columns, to an eighth of a column.
fn bar(part: f64, columns: usize, is_utf8: bool) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let part = part.clamp(0.0, 1.0);
    let drawn = if is_utf8 {
        let eighths = (part * (8 * columns) as f64).round() as usize;
        "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
    } else {
        "#".repeat((part * columns as f64).round() as usize)
    };
    padded(&drawn, columns)
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use densenet_wgpu::labels::Postprocessing;
    use densenet_wgpu::preprocessing::Activation;

    use super::*;

    fn postprocessing(activation: Activation, labels: &[&str]) -> Postprocessing {
        Postprocessing::new(activation).with_labels(labels.iter().map(ToString::to_string).collect())
    }

    fn shown(postprocessing: &Postprocessing, top: &[(usize, f64)], terminal: Option<Terminal>) -> String {
        let class = |&(index, probability): &(usize, f64)| RankedClass {
            index,
            label: postprocessing.label(index),
            logit: 14.2207 - index as f32,
            probability: (postprocessing.activation != Activation::None).then_some(probability),
        };
        strip_str(&row("cat.jpg", &Ok(Answer { top: top.iter().map(class).collect(), notes: &[] }), terminal)).to_string()
    }

    const CATS: [&str; 3] = ["Egyptian cat", "tabby", "black-and-tan coonhound"];

    #[test]
    fn elsewhere_than_on_a_terminal_all_is_there_and_nothing_is_drawn() {
        let text = shown(&postprocessing(Activation::Softmax, &CATS), &[(0, 0.9231), (2, 0.0508)], None);
        let expected = "\
cat.jpg
   92.31 %  Egyptian cat             class 0  logit   14.2207
    5.08 %  black-and-tan coonhound  class 2  logit   12.2207
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_terminal_has_bars_and_cuts_labels() {
        let postprocessing = postprocessing(Activation::Softmax, &CATS);
        let at = |columns| shown(&postprocessing, &[(0, 0.9231), (2, 0.0508)], Some(Terminal { columns, is_utf8: true }));
        let expected = "\
cat.jpg
   92.31 %  ██████████████████▌   Egyptian cat             class 0  logit   14.2207
    5.08 %  █                     black-and-tan coonhound  class 2  logit   12.2207
";
        assert_eq!(at(200), expected);
        let expected = "\
cat.jpg
   92.31 %  ███████▍  Egyptian cat           logit   14.2207
    5.08 %  ▍         black-and-tan coonho…  logit   12.2207
";
        assert_eq!(at(60), expected);
        let expected = "\
cat.jpg
   92.31 %  ███████▍  Egyptian cat
    5.08 %  ▍         black-and-tan coo…
";
        assert_eq!(at(40).lines().map(str::trim_end).collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>());
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for labels in [&CATS, &["猫", "虎斑貓", "黑褐獵浣熊犬黑褐獵浣熊犬黑褐獵浣熊犬"], &["0", "1", "2"]] {
            for activation in [Activation::Softmax, Activation::Sigmoid, Activation::None] {
                for (columns, is_utf8) in (16..120).flat_map(|columns| [(columns, true), (columns, false)]) {
                    let text =
                        shown(&postprocessing(activation, labels), &[(0, 0.9), (1, 0.8), (2, 0.0)], Some(Terminal { columns, is_utf8 }));
                    let widths: Vec<usize> = text.lines().skip(1).map(width).collect();
                    assert!(widths.iter().all(|&width| width == widths[0] && width <= columns), "{columns}:\n{text}");
                    let label = labels.map(width).into_iter().max().unwrap().min(LEAST_LABEL_WIDTH);
                    let room = columns >= 10 + GAP.len() + LEAST_BAR_WIDTH + GAP.len() + label;
                    assert_eq!(text.contains('█'), is_utf8 && activation != Activation::None && room, "{columns}:\n{text}");
                }
            }
        }
    }

    #[test]
    fn bars_are_drawn_to_an_eighth() {
        assert_eq!([0.0, 0.5, 0.51, 1.0, 1.0 + 1e-9].map(|part| bar(part, 4, true)), ["    ", "██  ", "██  ", "████", "████"]);
        assert_eq!(bar(17.0 / 32.0, 4, true), "██▏ ");
        assert_eq!([0.1, 0.2, 0.9].map(|part| bar(part, 4, false)), ["    ", "#   ", "####"]);
    }
}
