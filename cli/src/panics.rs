//! Panics are bugs to report, except those that the library turns into errors: of a picture's decoder, or of a lost device.

use densenet_wgpu::internal::is_guarded;

use crate::message;

/// Reports every panic from now on, except those that the library turns into errors.
pub(crate) fn report() {
    std::panic::set_hook(Box::new(|panic| {
        if !is_guarded() {
            message::error(&format!("internal error, please report it: {panic}"));
        }
    }));
}
