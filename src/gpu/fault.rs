//! Why a kernel, a precision or a device is not used: each cause under its own name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was found wrong with a tile on a device ([`Engine::faults`](crate::Engine::faults)). What fits behind its name is its text.
///
/// ```
/// use densenet_wgpu::tuning::Fault;
///
/// let fault = Fault::Compilation("X3511: unable to unroll loop".into());
/// assert_eq!(fault.to_string(), "does not compile (X3511: unable to unroll loop)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Fault {
    /// The device's shader compiler does not take it; what it says.
    Compilation(String),
    /// The device does not run it; what its driver says.
    Execution(String),
    /// It computes something else: what, and where.
    Difference(String),
    /// Processes ended while it was tried, which nothing else explains.
    Lost,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compilation(words) => write!(f, "does not compile ({words})"),
            Self::Execution(words) => write!(f, "does not run ({words})"),
            Self::Difference(words) => write!(f, "computes wrongly ({words})"),
            Self::Lost => f.write_str("ended every process that tried it"),
        }
    }
}
