//! Adapters and devices: which there are, which one is used, and how its failures become errors.
//!
//! ```
//! use densenet_wgpu::Gpu;
//!
//! for adapter in Gpu::adapters() {
//!     println!("{}: {} ({}, {})", adapter.index, adapter.name, adapter.kind, adapter.backend);
//! }
//! let gpu = Gpu::open(Some("0"))?; // the best; `Some("radeon")` and `Some("0000:01:00.0")` choose by name and PCI address
//! assert_eq!(gpu.summary(), &Gpu::adapters()[0]);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod adapter;
mod compile;
mod device;
mod errors;
mod failure;
mod fault;
mod identity;
mod open;
mod pace;
mod pci;
mod pipeline_cache;
mod pipelines;
mod pretence;
mod request;
mod software;
mod summary;
mod verdicts;
#[cfg(not(target_family = "wasm"))]
mod worker;

pub use adapter::opening;
pub use device::Gpu;
pub use fault::Fault;
pub(crate) use pace::Units;
pub(crate) use pipelines::Pipelines;
pub use pretence::{BrokenClock, Pretence};
pub use software::Software;
pub use summary::AdapterSummary;
pub(crate) use verdicts::Verdicts;
/// `Send`, except in a browser, where futures that wait for a device stay on their thread.
#[cfg(feature = "image")]
pub(crate) use wgpu::WasmNotSend;
