//! Why a DICOM file is not read.

use std::fmt::Display;

use crate::error::Error;
use crate::image::refusal::AS_PNG;

pub(super) fn refused(expected: impl Display, found: impl Display) -> Error {
    Error::picture(format!("DICOM: expected {expected}, found {found}; {AS_PNG}"))
}
