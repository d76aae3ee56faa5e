//! What tells whether a tile is right on a device ([`tile`]), before its first use there; what was found is kept ([`verdicts`]).

mod fault;
mod specimen;
mod tile;
mod verdicts;

use crate::gpu::Pipelines;
use crate::kernels::Convolution;
use crate::plan::Step;

pub use fault::Fault;
pub(crate) use fault::words;
pub(super) use tile::Check;
pub(crate) use verdicts::Verdicts;

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
