//! The samples of a frame, decoded.

use super::image_pixel::Photometric;

/// The samples of a frame.
pub(super) struct Values {
    /// `[rows, columns, channels]`: the stored bits, shifted to the bottom, without sign.
    pub(super) numbers: Vec<u16>,
    /// Their meaning after decoding.
    pub(super) photometric: Photometric,
}
