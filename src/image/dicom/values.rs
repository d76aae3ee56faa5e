//! The samples of a frame, decoded.

use super::image_pixel::Photometric;

/// The samples of a frame.
pub(super) struct Values {
    /// `[rows, columns, channels]`: the stored bits, lowest at the bottom, without sign.
    pub(super) numbers: Vec<u16>,
    /// What they are, after what the encoding made of it.
    pub(super) photometric: Photometric,
}
