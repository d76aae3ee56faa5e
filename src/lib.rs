//! Any trained DenseNet, on any GPU: WGSL compute shaders through wgpu, no CUDA and no Python.

pub mod arch;
pub mod engine;
pub mod error;
pub mod gpu;
pub mod graph;
pub mod kernels;
pub mod plan;
pub mod reference;
pub mod shape;
pub mod weights;

pub use arch::{Config, Stem};
pub use engine::{Engine, EngineOptions};
pub use error::{Error, Result};
pub use gpu::{AdapterSummary, Gpu};
pub use graph::{Conv, Graph, Node, Op, TensorSpec, Value};
pub use plan::{Plan, PlanOptions};
pub use reference::Reference;
pub use shape::{Shape, Window};
pub use weights::{Checkpoint, Preprocessing, Tensor, Weights};
