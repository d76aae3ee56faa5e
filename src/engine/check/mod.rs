//! What tells whether a tile is right on a device, before its first use there.

mod specimen;
mod tile;

use crate::gpu::{Pipelines, Verdicts};
use crate::kernels::Convolution;
use crate::plan::Step;

pub(super) use tile::Check;

/// What verdicts call the step's tile.
pub(super) fn label(step: &Step, convolution: &Convolution, pipelines: &Pipelines) -> String {
    let checks = if pipelines.has_checks() { " with checks" } else { "" };
    let prologue = if convolution.prologue.is_some() { " after norm" } else { "" };
    format!("{}{checks}, {}{prologue}", step.kernel.variant, convolution.window)
}

/// Whether nothing is left to check before the step's kernel is compiled.
pub(super) fn is_trusted(step: &Step, pipelines: &Pipelines, verdicts: &Verdicts) -> bool {
    step.tile.is_none_or(|(_, convolution)| verdicts.of(&label(step, &convolution, pipelines)) == Some(Ok(())))
}
