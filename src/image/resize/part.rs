//! A part of a picture.

use std::ops::Range;

/// The part of a resized picture to compute: rows and columns of the result.
///
/// ```
/// use densenet_wgpu::image::{Picture, resize};
/// use densenet_wgpu::internal::{Part, resize_part};
/// use densenet_wgpu::preprocessing::Filter;
///
/// let picture = Picture::new(8, 8, 1, (0..64).collect())?;
/// let whole = resize(&picture, 4, 4, Filter::Bicubic);
/// let corner = resize_part(&picture, 4, 4, &Part { rows: 0..2, columns: 0..2 }, Filter::Bicubic);
/// assert_eq!(corner.samples(), [whole.samples()[0], whole.samples()[1], whole.samples()[4], whole.samples()[5]]);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Rows, from the top.
    pub rows: Range<usize>,
    /// Columns, from the left.
    pub columns: Range<usize>,
}
