//! Values that flags take, each read from its text.

mod activation;
mod architecture;
mod count;
mod known;
mod range;
mod resize;
mod size;

pub(crate) use activation::ActivationName;
pub(crate) use architecture::Architecture;
pub(crate) use count::Count;
pub(crate) use known::{LABELS, MODELS, PRESETS};
pub(crate) use range::Range;
pub(crate) use resize::Resizing;
pub(crate) use size::Size;
