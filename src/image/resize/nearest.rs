//! Resizing to the nearest pixel as Pillow does it (`src/libImaging/Geometry.c`).

use std::ops::Range;

use super::part::Part;
use crate::image::Picture;

/// A part of `picture` resized to `height` x `width` pixels, each a copy of the nearest.
pub(super) fn nearest(picture: &Picture, height: usize, width: usize, part: &Part) -> Picture {
    // Pillow adds the scale up from pixel to pixel; multiplying instead would round differently.
    let positions = |from: usize, to: usize, wanted: &Range<usize>| -> Vec<usize> {
        let scale = from as f64 / to as f64;
        let added = std::iter::successors(Some(scale * 0.5), |position| Some(position + scale));
        added.map(|position| (position as usize).min(from - 1)).take(wanted.end).skip(wanted.start).collect()
    };
    let rows = positions(picture.height, height, &part.rows);
    let columns = positions(picture.width, width, &part.columns);
    let pixel = |&y: &usize, &x: &usize| {
        let at = (y * picture.width + x) * picture.channels;
        &picture.samples[at..at + picture.channels]
    };
    let samples = rows.iter().flat_map(|y| columns.iter().flat_map(move |x| pixel(y, x))).copied().collect();
    Picture { width: columns.len(), height: rows.len(), samples, ..*picture }
}
