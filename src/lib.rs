//! Any trained DenseNet, on any GPU: WGSL compute shaders through wgpu, no CUDA and no Python.
//!
//! A [`Classifier`] is all of it in one object, from a picture to an answer:
//!
//! ```
//! # #[cfg(feature = "image")]
//! # fn main() -> densenet_wgpu::Result<()> {
//! use densenet_wgpu::{Classifier, ClassifierOptions};
//!
//! let classifier = Classifier::open("digits", ClassifierOptions::default())?; // or "runs/best.pth"; with the feature `hub` "densenet121"
//! let prediction = classifier.classify("examples/digits/7-1442-8.png")?;
//! assert_eq!(prediction.top_k(1)?[0].label, "7");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "image"))]
//! # fn main() {}
//! ```
//!
//! Beneath it are four nouns, in the order in which data flows through them:
//!
//! - [`Graph`]: what the network is. [`Config`] writes DenseNets with it; its verbs build any other, of what is in [`network`].
//! - [`Plan`]: what runs, in which order, and where in memory ([`planning`]). Pure data, made without a device; it prints itself.
//! - [`Engine`]: a plan on a device. [`Engine::run`] takes an [`Input`], pictures as numbers or as 8-bit
//!   [`Samples`](preprocessing::Samples), and returns logits.
//! - [`Reference`](verify::Reference): the same graph on the CPU, slow and obvious: what the engine is held to, layer by
//!   layer, by [`verify`].
//!
//! Beside them: [`Checkpoint`] is a trained network as a file holds it ([`checkpoint`]), [`Gpu`] an open device, of what
//! there is in [`devices`]; [`mod@image`] and [`preprocessing`] are the way in from pictures, [`labels`] out to names;
//! [`tuning`] makes it faster and [`profile`] says where the time goes. What is refused is an [`Error`] of some kind.
//!
//! ```
//! # #[cfg(feature = "image")]
//! # fn main() -> densenet_wgpu::Result<()> {
//! use densenet_wgpu::image::Picture;
//! use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
//!
//! let mut model = models::bundled("digits").expect("it is bundled")?; // or Checkpoint::open("best.pth")
//! let preprocessing = model.complete_description(None).preprocessing;
//! let input = preprocessing.apply(&Picture::open("examples/digits/7-1442-8.png")?)?;
//! let graph = model.graph(input.height, input.width)?;
//! let engine = Engine::new(&Gpu::open(None)?, &graph, &model.weights, EngineOptions::default())?;
//! let best = &model.postprocessing().top_k(&engine.run(Input::values(&input.values, [64, 64]))?, 1)?[0];
//! assert_eq!(best.label, "7");
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "image"))]
//! # fn main() {}
//! ```
//!
//! Nothing here prints. What the library is at (opening a device, reading a checkpoint, making pipelines, running) shows as
//! spans of the [`tracing`] crate, those of every run at the level of debugging.

mod activation;
mod arch;
mod cache;
#[cfg(feature = "image")]
mod classifier;
mod cores;
mod drawing;
mod engine;
mod environment;
mod error;
#[cfg(feature = "evaluate")]
pub mod evaluate;
#[cfg(feature = "fit")]
pub mod fit;
mod gpu;
mod graph;
mod guarded;
mod head;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(feature = "image")]
pub mod image;
mod kernels;
pub mod labels;
pub mod models;
mod nearest;
mod nonlinearity;
mod peak;
mod plan;
pub mod profile;
mod random;
mod reference;
mod samples;
mod shape;
pub mod verify;
mod vulkan_loader;
mod weights;
mod whole_file;

pub use arch::Config;
#[cfg(feature = "image")]
pub use classifier::{Classifier, ClassifierOptions, Prediction, Source};
pub use engine::{Engine, EngineOptions, Input, Run};
pub use error::{Error, Result};
pub use gpu::Gpu;
pub use graph::Graph;
pub use kernels::Precision;
pub use plan::Plan;
pub use weights::Checkpoint;

// Programs that hand over their own device need the same wgpu.
pub use wgpu;

/// What a [`Checkpoint`] holds and says about itself.
pub mod checkpoint {
    pub use crate::weights::{
        AssumedField, Assumption, Container, Description, Dialect, Dtype, FittedClass, HeadStep, Metadata, ModelCard, NewChannels, Origin,
        ReadOptions, StemDownsampling, Tensor, Weights, infer,
    };
}

/// What there is to run on, which of it is used, and where its caches lie.
pub mod devices {
    pub use crate::cache::Cache;
    #[cfg(feature = "image")]
    pub use crate::classifier::Device;
    pub use crate::gpu::{AdapterSummary, Software};
}

/// How a [`Plan`] is made, and what it consists of.
pub mod planning {
    pub use crate::plan::{PlanOptions, Step};
}

/// What a [`Graph`] is made of: operations, shapes, windows, and the stems and heads that DenseNets have.
pub mod network {
    pub use crate::arch::Stem;
    pub use crate::graph::{Conv, Node, Op, TensorSpec, Value};
    pub use crate::head::HeadLayer;
    pub use crate::nonlinearity::Nonlinearity;
    pub use crate::shape::{Shape, Window};
}

/// How a picture becomes a network's input, and its output an answer: in a model's own words, or by a preset's.
pub mod preprocessing {
    pub use crate::activation::Activation;
    pub use crate::samples::Samples;
    pub use crate::weights::{Filter, Preprocessing, Preset, Range, Resize, ResizeMode};
}

/// What [`Classifier`]s make of pictures beside their [`Prediction`]s: maps, what was seen, and the answers to many.
#[cfg(feature = "image")]
pub mod predictions {
    pub use crate::classifier::{ClassMaps, PictureSummary, Predictions, StreamOptions};
}

/// Which kernels compute convolutions: by rule, or as measured on a device.
pub mod tuning {
    pub use crate::engine::{Timing, Tuned, TuningProgress, check_tuning, device_tuning, forget_timings, forget_tuning};
    pub use crate::gpu::Fault;
    pub use crate::kernels::{Capabilities, Tile, Tuning, Workgroup};
}

/// What only the program `densenet`, the Python package and this project's tests use: no part of the interface, and under no promise of semantic
/// versioning.
#[doc(hidden)]
pub mod internal {
    #[cfg(feature = "image")]
    pub use crate::classifier::{DEFAULT_SIZE, FEATURES, engine_in_range, faulty_tiles, images_at_once, run_reference};
    pub use crate::environment::{DEVICE, device as device_in_environment};
    pub use crate::gpu::{BrokenClock, Pretence, opening};
    pub use crate::guarded::is_guarded;
    #[cfg(feature = "image")]
    pub use crate::image::resize::{Part, resize_part};
    pub use crate::kernels::{Constant, Convolution, Kernel, Region, Shader, StructLayout, Variant, WeightRows};
    pub use crate::nearest::{nearest, suggestion};
    pub use crate::plan::{Norm, NormRelu, Pack, PackedWeights};
    pub use crate::weights::sha256;
    pub use crate::whole_file::WholeFile;
}

// Unit tests open devices as those in `tests/` do.
#[cfg(test)]
extern crate self as densenet_wgpu;
#[cfg(test)]
#[expect(dead_code, reason = "tests of whole networks use the rest")]
#[path = "../tests/common/device.rs"]
mod device;

#[cfg(all(doctest, feature = "image"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(all(doctest, feature = "image"))]
#[doc = include_str!("../docs/embedding.md")]
struct Embedding;
