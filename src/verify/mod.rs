//! A device held to the reference, layer by layer.
//!
//! The engine's plan is run step by step ([`Engine::walk`]), and whatever value of the graph a step completes is compared
//! with what the [`Reference`] makes of the same input: which shares neither lowering, nor plan, nor kernels with it, and
//! computes in 64-bit floats. Each runs on from its own results, so that the first layer that differs is where a device goes
//! wrong, and those behind it may differ because it did.
//!
//! [`self_test`] asks whether a device can be trusted at all, a [`Verification`] whether it computes one network as the reference
//! does.
//!
//! ```
//! use densenet_wgpu::{Gpu, Precision, verify};
//!
//! let gpu = Gpu::open(None)?;
//! verify::self_test(&gpu, Precision::F32)?; // an error where the device computes a small network wrongly
//! assert_eq!(verify::tolerance(Precision::F32), 1e-4);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod layer;
mod self_test;
mod tolerance;
mod verification;

pub use crate::engine::{Made, Walk, best_precision};
pub use crate::reference::Reference;
pub use layer::LayerCheck;
pub use self_test::self_test;
pub use tolerance::tolerance;
pub use verification::Verification;
