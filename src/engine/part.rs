//! Some of a batch, on its way.

use std::time::Instant;

use super::readback::Readback;
use crate::gpu::Units;

/// Some of a batch's images on their way.
#[derive(Debug)]
pub(super) struct Part {
    /// All outputs, one after the other.
    pub(super) readback: Readback,
    /// Elements of each output.
    pub(super) elements: Vec<usize>,
    /// What computes it, and how much that is, in floating point operations.
    pub(super) units: Units,
    pub(super) flops: u64,
    /// When the host began with it, where it has a clock.
    pub(super) begun: Option<Instant>,
    /// When the host was done with what, where there is a clock.
    pub(super) submitted: Option<Submitted>,
}

/// When the host was done with what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Submitted {
    pub(super) uploaded: Instant,
    pub(super) encoded: Instant,
    pub(super) submitted: Instant,
}
