//! What becomes of panics: they are bugs to report, except where a bug in a decoder costs one picture its row.

use densenet_wgpu::image::is_decoding;

use super::message;

/// Tells of every panic from now on, except of those that the library makes errors of, which have rows.
pub(crate) fn tell() {
    std::panic::set_hook(Box::new(|panic| {
        if !is_decoding() {
            message::error(&format!("internal error, please report it: {panic}"));
        }
    }));
}
