//! Any trained DenseNet, on any GPU: WGSL compute shaders through wgpu, no CUDA and no Python.
//!
//! Four nouns, in the order in which data flows through them:
//!
//! - [`Graph`]: what the network is. [`Config`] writes DenseNets with it; its verbs build any other.
//! - [`Plan`]: what runs, in which order, and where in memory. Pure data, made without a device; it prints itself.
//! - [`Engine`]: a plan on a device. [`Engine::run`] takes images as numbers, as 8-bit [`Samples`] or in a buffer of the
//!   device ([`engine::Input`]), and returns logits.
//! - [`Reference`]: the same graph on the CPU, slow and obvious: what the engine is held to,
//!   layer by layer, by a [`Verification`].
//!
//! Beside them: [`Checkpoint`] is a trained network as a file holds it, [`Gpu`] an open device, [`Cache`] what
//! makes its next start faster, [`mod@image`] and [`labels`] the way in from pictures and out to names.
//!
//! ```
//! use densenet_wgpu::{Engine, EngineOptions, Gpu, engine::Input, image::Picture, models};
//!
//! let mut model = models::bundled("digits").expect("it is bundled")?; // or Checkpoint::open("best.pth")
//! let preprocessing = model.describe(None).preprocessing;
//! let input = preprocessing.apply(&Picture::open("examples/digits/7-1442-8.png")?)?;
//! let graph = model.graph(input.height, input.width)?;
//! let engine = Engine::new(&Gpu::open(None)?, &graph, &model.weights, EngineOptions::default())?;
//! let best = model.legend().top_k(&engine.run(Input::values(&input.values, [64, 64]))?, 1)?[0];
//! assert_eq!(model.legend().label(best.index), "7");
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```
//!
//! Nothing here prints. What the library is at (opening a device, reading a checkpoint, making pipelines, running) shows as
//! spans of the [`tracing`] crate, those of every run at the level of debugging.

pub mod arch;
pub mod cache;
mod drawing;
pub mod engine;
mod environment;
pub mod error;
pub mod gpu;
pub mod graph;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(feature = "image")]
pub mod image;
pub mod kernels;
pub mod labels;
pub mod models;
pub mod nearest;
pub mod peak;
pub mod plan;
pub mod profile;
pub mod reference;
pub mod samples;
pub mod shape;
pub mod verify;
pub mod weights;
pub mod whole_file;

pub use arch::{Config, Stem};
pub use cache::Cache;
pub use engine::{Engine, EngineOptions, Run, best_precision};
pub use error::{Error, Result};
pub use gpu::{AdapterSummary, Gpu};
pub use graph::{Conv, Graph, Node, Op, TensorSpec, Value};
pub use kernels::{Precision, Tile, Tuning};
pub use peak::Peak;
pub use plan::{Plan, PlanOptions};
pub use profile::Profile;
pub use reference::Reference;
pub use samples::Samples;
pub use shape::{Shape, Window};
pub use verify::Verification;
pub use weights::{Checkpoint, Preprocessing, Preset, Tensor, Weights};

// Programs that hand over their own device need the same wgpu.
pub use wgpu;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct Embedding;
