//! A heatmap as a figure: the picture under its map, a colour bar with values, and a caption.

use super::heatmap::{blend, colours};
use super::text::{char_width, line_height, wrapped, write};
use super::{Heatmap, MAX_PIXELS, Orientation, Picture, View};
use crate::error::{Error, Result};

/// The minimum of the short side of a picture in its figure, in pixels, unless the long side would exceed [`LONG_SIDE`].
const SHORT_SIDE: usize = 256;
const LONG_SIDE: usize = 1024;

/// The minimum width of a figure, in characters.
const COLUMNS: usize = 30;

/// Maximum number of lines of each part of the caption.
const LINES: usize = 3;

/// Columns of a figure for each step of the font size.
const WIDTH_PER_SCALE: usize = 800;

/// The colour around the picture.
const BACKGROUND: u8 = 24;

impl Heatmap {
    /// The map over `picture`, as by [`Heatmap::overlay`], above a colour bar with values and a `caption`, each part of which starts a
    /// line.
    ///
    /// The picture keeps its size; one whose short side has fewer than 256 pixels is enlarged by an integer factor. The area beside a
    /// narrow picture is dark grey. The colours in the bar are those of the map over dark parts of the picture. Errors if the figure would
    /// have more pixels than [`MAX_PIXELS`].
    pub fn figure(&self, picture: &Picture, view: View, caption: &[String]) -> Result<Picture> {
        let factor = factor(picture);
        let shown = [picture.height * factor, picture.width * factor];
        let width = shown[1].max((COLUMNS + 1) * char_width(1));
        let scale = (width / WIDTH_PER_SCALE).max(1);
        let (line, margin) = (line_height(scale), char_width(scale) / 2);
        let columns = (width - 2 * margin) / char_width(scale);
        let lines: Vec<String> = caption.iter().flat_map(|part| wrapped(part, columns, LINES)).collect();

        let bar = [shown[0] + margin, line];
        let height = bar[0] + bar[1] + margin + (1 + lines.len()) * line + margin;
        if height as u64 * width as u64 > MAX_PIXELS {
            return Err(Error::picture(format!("a heatmap of {width}x{height} would be too large; expected at most {MAX_PIXELS} pixels")));
        }
        let mut figure = enlarged(picture, factor, height, width);
        let [top, left, seen_height, seen_width] = [view.top, view.left, view.height, view.width].map(|side| side * factor as f64);
        let view = View { top, left, height: seen_height, width: seen_width };
        self.cover(&mut figure, shown, view);
        self.draw_bar(&mut figure, bar, margin, scale);
        for (index, text) in lines.iter().enumerate() {
            write(&mut figure, text, [bar[0] + bar[1] + margin + (1 + index) * line, margin], scale);
        }
        Ok(figure)
    }

    /// Draws the colours from left to right in `[top, height]` rows, and below them the values of both ends, and 0 if it is between them
    /// and there is room.
    fn draw_bar(&self, figure: &mut Picture, [top, height]: [usize; 2], margin: usize, scale: usize) {
        let [first, last] = [margin, figure.width - margin - 1];
        let below = top + height;
        let Some([least, most]) = self.range() else {
            return write(figure, "no finite value", [below, margin], scale);
        };
        let colours = colours();
        let is_flat = least == most;
        for x in first..=last {
            let share = if is_flat { 0.0 } else { (x - first) as f64 / (last - first) as f64 };
            let colour = colours[(share * 255.0).round() as usize].map(|colour| blend(BACKGROUND, colour));
            for y in top..below {
                let at = (y * figure.width + x) * 3;
                figure.samples[at..at + 3].copy_from_slice(&colour);
            }
        }
        let width = |text: &str| text.chars().count() * char_width(scale);
        let (low, high) = (number(least), number(most) + " logit");
        if is_flat {
            return write(figure, &high, [below, margin], scale);
        }
        let left_of_high = last + 1 - width(&high).min(last + 1);
        write(figure, &low, [below, margin], scale);
        write(figure, &high, [below, left_of_high], scale);
        if least < 0.0 && most > 0.0 {
            let share = -f64::from(least) / (f64::from(most) - f64::from(least));
            let zero = first + (share * (last - first) as f64).round() as usize;
            let (left, gap) = (zero.saturating_sub(char_width(scale) / 2), char_width(scale));
            if left >= margin + width(&low) + gap && left + 2 * gap <= left_of_high {
                write(figure, "0", [below, left], scale);
            }
        }
    }
}

/// The factor by which a picture is enlarged.
fn factor(picture: &Picture) -> usize {
    let (short, long) = (picture.height.min(picture.width), picture.height.max(picture.width));
    SHORT_SIDE.div_ceil(short).min(LONG_SIDE / long).max(1)
}

/// `picture` in three channels, each pixel `factor` times as high and as wide, in the upper left corner of `height` x
/// `width` pixels of background.
fn enlarged(picture: &Picture, factor: usize, height: usize, width: usize) -> Picture {
    let mut samples = vec![BACKGROUND; height * width * 3];
    let rows = picture.samples.chunks_exact(picture.width * picture.channels);
    for (rows, source) in samples.chunks_exact_mut(width * 3 * factor).zip(rows) {
        for row in rows.chunks_exact_mut(width * 3) {
            for (pixels, pixel) in row.chunks_exact_mut(3 * factor).zip(source.chunks_exact(picture.channels)) {
                let colour = if let &[r, g, b, ..] = pixel { [r, g, b] } else { [pixel[0]; 3] };
                pixels.as_chunks_mut::<3>().0.fill(colour);
            }
        }
    }
    Picture { width, height, channels: 3, samples, orientation: Orientation::UPRIGHT, sample_scaling: None, is_cut_off: false, dicom: None }
}

/// A value of the map, shortened for the bar.
fn number(value: f32) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if (0.01..10_000.0).contains(&size) => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(height: usize, width: usize) -> Picture {
        Picture::new(height, width, 1, (0..height * width).map(|at| at as u8).collect()).unwrap()
    }

    #[test]
    fn small_pictures_are_shown_larger() {
        for ([height, width], expected) in [
            ([8, 8], 32),
            ([64, 64], 4),
            ([224, 224], 2),
            ([256, 300], 1),
            ([10, 500], 2),
            ([10, 5000], 1),
            ([1, 1], 256),
            ([3000, 2000], 1),
        ] {
            assert_eq!(factor(&picture(height, width)), expected, "{height}x{width}");
        }
    }

    #[test]
    fn a_figure_is_the_overlay_and_more() {
        let map = Heatmap::new(2, 3, vec![0.5, -1.0, 2.0, 0.0, 0.25, 1.0]).unwrap();
        for [height, width] in [[300, 400], [400, 40], [256, 1030]] {
            let picture = picture(height, width);
            // One inside the picture, one beyond it on every side.
            for view in
                [View { top: 20.5, left: 3.0, height: 200.0, width: 30.0 }, View { top: -9.0, left: -9.0, height: 500.0, width: 1100.0 }]
            {
                let figure = map.figure(&picture, view, &["label".into()]).unwrap();
                let overlay = map.overlay(&picture, view);
                assert_eq!(factor(&picture), if width == 40 { 2 } else { 1 });
                if width > 40 {
                    let rows = figure.samples().chunks_exact(figure.width() * 3).zip(overlay.samples().chunks_exact(width * 3));
                    assert!(rows.into_iter().all(|(figure, overlay)| figure[..width * 3] == *overlay), "{height}x{width} {view:?}");
                } else {
                    // Beside a narrow picture nothing is coloured.
                    let rows = figure.samples().chunks_exact(figure.width() * 3).take(2 * height);
                    assert!(rows.into_iter().all(|row| row[2 * width * 3..].iter().all(|&sample| sample == BACKGROUND)));
                }
            }
        }
    }

    #[test]
    fn every_map_has_a_figure() {
        let view = View { top: 0.0, left: 0.0, height: 8.0, width: 8.0 };
        for values in [vec![1.0; 4], vec![f32::NAN; 4], vec![f32::MIN, f32::MAX, 0.0, 1.0], vec![-1e-30, 1e-30, 0.0, f32::INFINITY]] {
            let long = ["a label ".repeat(100), String::new(), "終".to_owned()];
            let figure = Heatmap::new(2, 2, values).unwrap().figure(&picture(8, 8), view, &long).unwrap();
            assert!(figure.height() > 256 && figure.width() == 256, "{}x{}", figure.width(), figure.height());
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, -1.234, 9999.0, 1e-5, -3e30].map(number), ["0", "-1.23", "9999.00", "1.0e-5", "-3.0e30"]);
    }
}
