//! `shaders/common/strip.wgsl`: neighbouring pixels of a row that one invocation owns.

use super::Region;

/// How many strips a region has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strips {
    pub(super) of_row: usize,
    pub(super) of_image: usize,
    pub(super) of_batch: usize,
}

impl Strips {
    /// Those of `tile_pixels` each.
    pub(super) const fn new(target: Region, tile_pixels: usize) -> Self {
        let of_row = target.shape.width.div_ceil(tile_pixels);
        let of_image = of_row * target.shape.height;
        Self { of_row, of_image, of_batch: target.batch * of_image }
    }
}
