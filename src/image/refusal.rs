//! Why a picture is not read.

use std::fmt::Display;

use crate::error::Error;

/// What to do with a picture that is not read here.
pub(super) const AS_PNG: &str = "convert it to PNG or JPEG first";

pub(super) fn unreadable(error: std::io::Error) -> Error {
    Error::picture(format!("cannot be read: {error}"))
}

pub(super) fn unsupported(what: impl Display) -> Error {
    Error::picture(format!("this kind of picture is not supported ({what}); {AS_PNG}"))
}

pub(super) fn damaged(how: impl Display) -> Error {
    Error::picture(format!("the picture is damaged or cut off ({how})"))
}
