//! The numbers that say how good answers are, as scikit-learn computes them.

mod bootstrap;
mod calibration;
mod confusion;
mod interval;
mod losses;
mod operating_point;
mod rank;
mod ranking;

pub(super) use bootstrap::{resamples, spread};
pub use calibration::ReliabilityBin;
pub(super) use calibration::{expected_calibration_error, reliability};
pub(super) use confusion::{Confusion, Counts};
pub use interval::Interval;
pub(super) use losses::Losses;
pub use operating_point::OperatingPoint;
pub(super) use rank::rank;
pub(super) use ranking::{Found, Ranking};
