//! Pictures of lines, boxes and words, as SVG.

use std::fmt::{Display, Write};

/// An SVG under construction. Lengths are in pixels, from the upper left.
#[derive(Debug)]
pub(crate) struct Drawing {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text's position is in it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

pub(crate) const INK: &str = "#222222";
pub(crate) const PALE: &str = "#bbbbbb";

impl Drawing {
    /// An empty white picture.
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    fn element(&mut self, element: impl Display, title: &str) {
        // Writing to a `String` cannot fail.
        let _ = match title {
            "" => writeln!(self.body, "<{element}/>"),
            title => writeln!(self.body, "<{element}><title>{}</title></{}>", escaped(title), first_word(&element.to_string())),
        };
    }

    /// A filled box; whoever points at it sees `title`.
    pub(crate) fn rectangle(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], fill: &str, title: &str) {
        self.element(format_args!(r#"rect x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" fill="{fill}""#), title);
    }

    /// A filled, see-through circle.
    pub(crate) fn circle(&mut self, [x, y]: [f64; 2], radius: f64, fill: &str, title: &str) {
        let look = r##"fill-opacity="0.7" stroke="#ffffff" stroke-width="0.5""##;
        self.element(format_args!(r#"circle cx="{x:.2}" cy="{y:.2}" r="{radius:.2}" fill="{fill}" {look}"#), title);
    }

    /// A straight line.
    pub(crate) fn line(&mut self, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2], stroke: &str) {
        self.element(format_args!(r#"line x1="{x1:.2}" y1="{y1:.2}" x2="{x2:.2}" y2="{y2:.2}" stroke="{stroke}""#), "");
    }

    /// Straight lines from point to point; whoever points at them sees `title`.
    #[cfg(feature = "evaluate")]
    pub(crate) fn polyline(&mut self, points: &[[f64; 2]], stroke: &str, title: &str) {
        let points = points.iter().map(|[x, y]| format!("{x:.2},{y:.2}")).collect::<Vec<_>>().join(" ");
        let look = r#"fill="none" stroke-width="1.5" stroke-linejoin="round""#;
        self.element(format_args!(r#"polyline points="{points}" stroke="{stroke}" {look}"#), title);
    }

    /// A line of text, whose foot is at `y`.
    pub(crate) fn text(&mut self, at: [f64; 2], size: f64, anchor: Anchor, text: &str) {
        self.turned_text(at, size, anchor, text, "");
    }

    /// A line of text that is read from below, whose foot is at `x`.
    #[cfg(feature = "evaluate")]
    pub(crate) fn upward_text(&mut self, [x, y]: [f64; 2], size: f64, anchor: Anchor, text: &str) {
        self.turned_text([x, y], size, anchor, text, &format!(r#" transform="rotate(-90 {x:.2} {y:.2})""#));
    }

    fn turned_text(&mut self, [x, y]: [f64; 2], size: f64, anchor: Anchor, text: &str, turn: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        let _ = writeln!(
            self.body,
            r#"<text x="{x:.2}" y="{y:.2}" font-size="{size}" fill="{INK}" text-anchor="{anchor}"{turn}>{text}</text>"#
        );
    }

    /// The file.
    pub(crate) fn finish(self) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"DejaVu Sans, Verdana, sans-serif\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
        )
    }
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// `text` as XML can hold it, and HTML.
pub(crate) fn escaped(text: &str) -> String {
    let allowed = text.chars().filter(|&c| !c.is_control() || c == '\n');
    allowed.fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        let mut drawing = Drawing::new(10.0, 10.0);
        drawing.text([0.0, 0.0], 8.0, Anchor::Start, "a < b & \"c\"\u{7}");
        drawing.rectangle([0.0, 0.0], [1.0, 1.0], INK, "<script>");
        let svg = drawing.finish();
        assert!(svg.contains(">a &lt; b &amp; &quot;c&quot;</text>") && svg.contains("<title>&lt;script&gt;</title></rect>"), "{svg}");
    }
}
