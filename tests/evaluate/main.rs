//! Evaluations are scikit-learn's, number by number.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../common/mod.rs"]
mod common;
mod numbers;
