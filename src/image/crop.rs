//! Crops and borders, placed as in torchvision and Pillow.

use std::ops::Range;

use super::resize::Part;
use super::{Orientation, Picture};

/// The range of a centred crop of `wanted` pixels in `size`, and the number of zeros before it if it is larger.
///
/// torchvision's `CenterCrop`: Python's `round` (half to even) where it crops, floor where it pads.
fn centre(size: usize, wanted: usize) -> (Range<usize>, usize) {
    match size.checked_sub(wanted) {
        Some(room) => {
            let first = half(room);
            (first..first + wanted, 0)
        }
        None => (0..size, (wanted - size) / 2),
    }
}

/// Half of `pixels` as Python rounds it: half to even.
fn half(pixels: usize) -> usize {
    let half = pixels / 2;
    half + pixels % 2 * (half % 2)
}

/// The pixels of `size` that a crop of `wanted` from the centre of a canvas takes, and how many zeros come before them.
/// In the canvas, which is at least as large, `size` is centred as by Pillow's `ImageOps.pad`.
pub(super) fn window(size: usize, canvas: usize, wanted: usize) -> (Range<usize>, usize) {
    let before = half(canvas - size);
    let (crop, above) = centre(canvas, wanted);
    let first = crop.start.max(before);
    let end = crop.end.min(before + size);
    (first - before..end - before, above + first - crop.start)
}

impl Picture {
    /// A black picture of `height` x `width` pixels with this one `above` rows down and `left` columns in.
    pub(super) fn padded(self, above: usize, left: usize, height: usize, width: usize) -> Self {
        if (self.height, self.width) == (height, width) {
            return self;
        }
        let [element_row, element_wide_row] = [self.width, width].map(|pixels| pixels * self.channels);
        let mut samples = vec![0; height * element_wide_row];
        for (row, wide_row) in self.samples.chunks_exact(element_row).zip(samples.chunks_exact_mut(element_wide_row).skip(above)) {
            wide_row[left * self.channels..][..element_row].copy_from_slice(row);
        }
        Self { width, height, samples, ..self }
    }

    /// A part of this picture.
    pub(super) fn part(&self, part: &Part) -> Self {
        let element_row = self.width * self.channels;
        let columns = part.columns.start * self.channels..part.columns.end * self.channels;
        let rows = self.samples[part.rows.start * element_row..part.rows.end * element_row].chunks_exact(element_row);
        let samples = rows.flat_map(|row| &row[columns.clone()]).copied().collect();
        Self { height: part.rows.len(), width: part.columns.len(), samples, ..*self }
    }

    /// torchvision's `TenCrop`: the corners (upper left, upper right, lower left, lower right) and the centre, `height` x `width` pixels
    /// each, of this picture and then of its mirror image; `None` if the picture is smaller.
    pub(super) fn ten_crops(&self, height: usize, width: usize) -> Option<Vec<Self>> {
        let (below, right) = (self.height.checked_sub(height)?, self.width.checked_sub(width)?);
        let corners = [(0, 0), (0, right), (below, 0), (below, right), (half(below), half(right))];
        let mirrored = Self { orientation: self.orientation, ..self.seen(Orientation::MIRRORED) };
        let crops = [self, &mirrored].into_iter().flat_map(|picture| {
            corners.map(|(row, column)| picture.part(&Part { rows: row..row + height, columns: column..column + width }))
        });
        Some(crops.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_is_centred_as_python_rounds() {
        // int(round((size - wanted) / 2)) for differences 0 to 7.
        let firsts: Vec<usize> = (10..18).map(|size| centre(size, 10).0.start).collect();
        assert_eq!(firsts, [0, 0, 1, 2, 2, 2, 3, 4]);
        assert_eq!(centre(5, 8), (0..5, 1));
    }

    #[test]
    fn a_canvas_of_the_pictures_size_changes_nothing() {
        for (size, wanted) in [(10, 4), (11, 4), (4, 11), (7, 7)] {
            assert_eq!(window(size, size, wanted), centre(size, wanted));
        }
    }

    #[test]
    fn a_crop_of_any_size_meets_the_picture_on_its_canvas() {
        for canvas in 1..12 {
            for size in 1..=canvas {
                for wanted in 1..16 {
                    let (pixels, before) = window(size, canvas, wanted);
                    assert!(!pixels.is_empty() && pixels.end <= size && before + pixels.len() <= wanted, "{size} {canvas} {wanted}");
                }
            }
        }
    }
}
