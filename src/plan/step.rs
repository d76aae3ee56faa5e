//! One step of a plan.

use crate::graph::Value;
use crate::kernels::{Convolution, Kernel, Region, Tile};

/// One dispatch.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
/// let stem = &plan.steps()[0];
/// assert_eq!(stem.layers, ["features.conv0", "features.norm0", "features.relu0"]); // one kernel
/// assert_eq!((stem.name.as_str(), stem.module()), ("features.conv0", "features"));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Step {
    /// The layer it is named after: its convolution's where it has one.
    pub name: String,
    /// Every layer it computes, in the graph's order.
    pub layers: Vec<String>,
    /// What is dispatched.
    #[doc(hidden)]
    pub kernel: Kernel,
    /// The tile and what it computes, where this is a convolution.
    #[doc(hidden)]
    pub tile: Option<(Tile, Convolution)>,
    /// What it reads.
    #[doc(hidden)]
    pub source: Region,
    /// What it writes.
    #[doc(hidden)]
    pub target: Region,
    /// The weights it reads, an index into [`Plan::packs`](super::Plan::packs).
    #[doc(hidden)]
    pub pack: Option<usize>,
    /// Floating point operations of convolutions and linear layers: two a multiply-add, none for anything else.
    pub flops: u64,
    /// Bytes read and written, each once: source, target and weights.
    pub bytes: u64,
    /// Values of the graph that are whole in memory once this step has run, and where.
    #[doc(hidden)]
    pub values: Vec<(Value, Region)>,
}

impl Step {
    /// The part of the network that it is in, by its name: `features.denseblock1`.
    pub fn module(&self) -> &str {
        module(&self.name)
    }
}

/// The first two parts of a name that has more, the first of one that has two, else the name.
fn module(name: &str) -> &str {
    let mut dots = name.match_indices('.').map(|(at, _)| at);
    match (dots.next(), dots.next()) {
        (Some(_), Some(second)) => &name[..second],
        (Some(first), None) => &name[..first],
        (None, _) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_what_a_person_would_call_one() {
        for (name, expected) in [
            ("features.denseblock1.denselayer2.conv1", "features.denseblock1"),
            ("features.denseblock1.concat", "features.denseblock1"),
            ("features.conv0", "features"),
            ("classifier", "classifier"),
        ] {
            assert_eq!(module(name), expected);
        }
    }
}
