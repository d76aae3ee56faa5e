//! The confusion matrix.

use super::chart::short;
use crate::drawing::{Anchor, Drawing, PALE};
use crate::evaluate::evaluation::Evaluation;

/// Classes up to which cells have numbers, and rows names.
const READABLE: usize = 40;

/// Characters of a name, and the width of one in pixels.
const NAME_LENGTH: usize = 20;
const CHARACTER: f64 = 7.0;

/// The matrix of the classes that are there or were predicted; `None` where any number of classes may be true.
pub(super) fn plot(evaluation: &Evaluation) -> Option<String> {
    let rows = evaluation.confusion.as_ref()?;
    let is_there = |class: &usize| rows[*class].iter().any(|&count| count > 0) || rows.iter().any(|row| row[*class] > 0);
    let classes: Vec<usize> = (0..rows.len()).filter(is_there).collect();
    let is_readable = classes.len() <= READABLE;
    let side = if is_readable { 28.0 } else { (800.0 / classes.len() as f64).max(1.0) };
    let whole = side * classes.len() as f64;
    let name = |class: usize| short(&evaluation.labels[class], NAME_LENGTH);
    let longest = classes.iter().map(|&class| name(class).chars().count()).max().filter(|_| is_readable).unwrap_or(0);
    let [left, top] = [30.0, 44.0].map(|margin| margin + CHARACTER * longest as f64);
    let mut drawing = Drawing::new((left + whole + 20.0).max(280.0), top + whole + 20.0);
    drawing.text([20.0, 22.0], 14.0, Anchor::Start, "Confusion: rows are the truth");
    drawing.rectangle([left, top], [whole, whole], "#f4f4f4", "");
    drawing.line([left, top], [left + whole, top + whole], PALE);
    for (row, &truth) in classes.iter().enumerate() {
        let y = top + side * row as f64;
        let total: u64 = rows[truth].iter().sum();
        if is_readable {
            drawing.text([left - 8.0, y + side / 2.0 + 4.0], 11.0, Anchor::End, &name(truth));
            drawing.upward_text([left + side * (row as f64 + 0.5) + 4.0, top - 8.0], 11.0, Anchor::Start, &name(truth));
        }
        for (column, &predicted) in classes.iter().enumerate() {
            let count = rows[truth][predicted];
            if count == 0 {
                continue;
            }
            let x = left + side * column as f64;
            let share = count as f64 / total as f64;
            let title = format!("{} taken for {}: {count} of {total}", evaluation.labels[truth], evaluation.labels[predicted]);
            drawing.rectangle([x, y], [side, side], &shade(share, truth == predicted), &title);
            if is_readable {
                drawing.text([x + side / 2.0, y + side / 2.0 + 4.0], 10.0, Anchor::Middle, &count.to_string());
            }
        }
    }
    Some(drawing.finish())
}

/// A colour from white to blue for what is right, to red for what is wrong; dark letters can be read on it.
fn shade(share: f64, is_right: bool) -> String {
    let full = if is_right { [119.0, 170.0, 221.0] } else { [238.0, 136.0, 102.0] };
    let [r, g, b] = full.map(|full: f64| (255.0 - (255.0 - full) * (0.15 + 0.85 * share)).round() as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}
