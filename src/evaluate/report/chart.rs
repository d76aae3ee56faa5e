//! A square with axes from 0 to 1.

use crate::drawing::{Anchor, Drawing, INK, PALE};

/// Tol's bright colours, which people with any colour vision can distinguish.
pub(super) const COLOURS: [&str; 6] = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"];

/// The size of the drawing, in pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 40.0;
const SIDE: f64 = 310.0;

/// How far a curve goes, in pixels, before it has another point.
const STEP: f64 = 0.5;

/// A drawing with axes.
pub(super) struct Chart {
    pub(super) drawing: Drawing,
}

impl Chart {
    /// Empty axes with their names.
    pub(super) fn new(title: &str, across: &str, up: &str) -> Self {
        let mut drawing = Drawing::new(WIDTH, HEIGHT);
        drawing.text([LEFT, TOP - 18.0], 14.0, Anchor::Start, title);
        for tenth in (0..=10).step_by(2) {
            let share = f64::from(tenth) / 10.0;
            let ([x, _], [_, y]) = (at(share, 0.0), at(0.0, share));
            drawing.line([x, TOP], [x, TOP + SIDE], PALE);
            drawing.line([LEFT, y], [LEFT + SIDE, y], PALE);
            drawing.text([x, TOP + SIDE + 15.0], 11.0, Anchor::Middle, &format!("{share:.1}"));
            drawing.text([LEFT - 6.0, y + 4.0], 11.0, Anchor::End, &format!("{share:.1}"));
        }
        drawing.text([LEFT + SIDE / 2.0, TOP + SIDE + 34.0], 12.0, Anchor::Middle, across);
        drawing.upward_text([18.0, TOP + SIDE / 2.0], 12.0, Anchor::Middle, up);
        Self { drawing }
    }

    /// The line on which both are equal.
    pub(super) fn diagonal(&mut self) {
        self.drawing.line(at(0.0, 0.0), at(1.0, 1.0), PALE);
    }

    /// A curve through points from 0 to 1; those nearer than half a pixel are left out.
    pub(super) fn curve(&mut self, points: impl IntoIterator<Item = [f64; 2]>, colour: &str, title: &str) {
        let mut kept: Vec<[f64; 2]> = Vec::new();
        let mut last = None;
        for [x, y] in points {
            let point = at(x, y);
            match kept.last() {
                Some(before) if (point[0] - before[0]).abs() < STEP && (point[1] - before[1]).abs() < STEP => last = Some(point),
                _ => {
                    kept.push(point);
                    last = None;
                }
            }
        }
        kept.extend(last);
        self.drawing.polyline(&kept, colour, title);
    }

    /// A box between two points from 0 to 1.
    pub(super) fn rectangle(&mut self, [left, bottom]: [f64; 2], [right, top]: [f64; 2], colour: &str, title: &str) {
        let ([x, y], [end, foot]) = (at(left, top), at(right, bottom));
        self.drawing.rectangle([x, y], [end - x, foot - y], colour, title);
    }

    /// Lines of text beside the axes, each after a box of its colour, if it has one.
    pub(super) fn legend(&mut self, lines: &[(&str, String)]) {
        for (number, (colour, text)) in lines.iter().enumerate() {
            let y = TOP + 14.0 + 20.0 * number as f64;
            if !colour.is_empty() {
                self.drawing.rectangle([LEFT + SIDE + 20.0, y - 9.0], [10.0, 10.0], colour, "");
            }
            self.drawing.text([LEFT + SIDE + 36.0, y], 12.0, Anchor::Start, text);
        }
    }

    /// The SVG.
    pub(super) fn finish(mut self) -> String {
        self.drawing.line(at(0.0, 0.0), at(1.0, 0.0), INK);
        self.drawing.line(at(0.0, 0.0), at(0.0, 1.0), INK);
        self.drawing.finish()
    }
}

/// Where a point from 0 to 1 is.
fn at(x: f64, y: f64) -> [f64; 2] {
    [LEFT + x * SIDE, TOP + (1.0 - y) * SIDE]
}

/// A name that fits beside a chart.
pub(super) fn short(name: &str, most: usize) -> String {
    if name.chars().count() <= most { name.to_owned() } else { name.chars().take(most - 1).chain(['…']).collect() }
}
