//! What becomes of panics: they are bugs to report, except where a bug in a decoder costs one picture its row, or a
//! device is lost.

use densenet_wgpu::internal::is_guarded;

use crate::message;

/// Tells of every panic from now on, except of those that the library makes errors of, which have rows.
pub(crate) fn tell() {
    std::panic::set_hook(Box::new(|panic| {
        if !is_guarded() {
            message::error(&format!("internal error, please report it: {panic}"));
        }
    }));
}
