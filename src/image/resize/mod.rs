//! Resizing as Pillow, OpenCV, TensorFlow and PyTorch do it.

mod antialias;
mod interpolate;
mod nearest;
mod part;

use super::Picture;
use crate::weights::Filter;
use antialias::{BICUBIC, BILINEAR, LANCZOS, antialiased};
use interpolate::interpolated;
use nearest::nearest;
pub use part::Part;

/// `picture` resized to `height` x `width` pixels: Pillow's `Image.resize((width, height), filter)`, or what the [`Filter`] says.
///
/// # Panics
/// If `height` or `width` is 0.
pub fn resize(picture: &Picture, height: usize, width: usize, filter: Filter) -> Picture {
    resize_part(picture, height, width, &Part { rows: 0..height, columns: 0..width }, filter)
}

/// A part of what [`resize`] returns, without computing the rest.
///
/// # Panics
/// If the part is empty or reaches beyond `height` x `width`.
pub fn resize_part(picture: &Picture, height: usize, width: usize, part: &Part, filter: Filter) -> Picture {
    assert!(!part.rows.is_empty() && part.rows.end <= height, "rows {:?} of {height}", part.rows);
    assert!(!part.columns.is_empty() && part.columns.end <= width, "columns {:?} of {width}", part.columns);
    let same_size = (height, width) == (picture.height, picture.width);
    match filter {
        _ if same_size => nearest(picture, height, width, part),
        Filter::Nearest => nearest(picture, height, width, part),
        Filter::Bilinear => antialiased(picture, height, width, part, &BILINEAR),
        Filter::Bicubic => antialiased(picture, height, width, part, &BICUBIC),
        Filter::Lanczos => antialiased(picture, height, width, part, &LANCZOS),
        Filter::Linear | Filter::Cubic | Filter::Area | Filter::AdaptiveArea => interpolated(picture, height, width, part, filter),
    }
}
