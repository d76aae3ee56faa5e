//! How good a model is on pictures of which the truth is known.
//!
//! [`Answers`] are what the model said of the pictures, and what is true of them; an [`Evaluation`] is what follows: accuracy, precision
//! and recall, areas under curves, calibration, with 95 % intervals. A [`ModelComparison`] is of two models.

mod answers;
mod comparison;
mod evaluation;
mod metrics;

pub use answers::{Answers, JudgedPicture, Known};
pub use comparison::{AurocDifference, McNemar, ModelComparison};
pub use evaluation::{ClassEvaluation, Evaluation, EvaluationOptions, TopK};
pub use metrics::{Interval, OperatingPoint, ReliabilityBin};
