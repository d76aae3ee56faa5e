//! The decoder, and what it says.

use hayro_jpeg2000::{DecodeError, DecodeSettings, FormatError, MarkerError};

use crate::error::Error;
use crate::image::refusal::{damaged, unsupported};

/// Palettes are looked up; what is missing is an error, not grey.
pub(super) fn settings() -> DecodeSettings {
    DecodeSettings { resolve_palette_indices: true, strict: true, target_resolution: None }
}

/// The library's error for the decoder's.
pub(super) fn refusal(error: DecodeError) -> Error {
    match error {
        DecodeError::Format(FormatError::Unsupported) | DecodeError::Marker(MarkerError::Unsupported) => unsupported(error),
        error => damaged(error),
    }
}
