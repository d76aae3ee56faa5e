//! Compares a device with the reference, layer by layer.
//!
//! The engine's plan runs step by step ([`Engine::walk`](crate::Engine::walk)), and each value of the graph that a step completes is
//! compared with the result of the [`Reference`] for the same input, which shares neither lowering, plan nor kernels with the engine, and
//! computes in 64-bit floats. Each continues from its own results, so the first layer that differs is where the device goes wrong; later
//! layers may differ as a consequence.
//!
//! [`self_test`] checks whether a device can be trusted at all, a [`Verification`] whether it computes a given network like the reference.
//!
//! ```
//! use densenet_wgpu::{Gpu, Precision, verify};
//!
//! let gpu = Gpu::open(None)?;
//! verify::self_test(&gpu, Precision::F32)?; // an error where the device computes a small network wrongly
//! assert_eq!(verify::tolerance(Precision::F32), 1e-4);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod accuracy;
mod layer;
mod self_test;
mod tolerance;
mod verification;

pub use crate::engine::{ComputedValue, Walk};
pub use crate::reference::Reference;
pub use accuracy::best_precision;
pub use layer::LayerCheck;
pub use self_test::self_test;
pub use tolerance::tolerance;
pub use verification::Verification;
