//! The kernels: for each shader its parameters, its tiles and its workgroups. No device is needed for any of it.
//!
//! `shaders/x.wgsl` is described by `src/kernels/x.rs`: a [`Params`](Kernel::params) struct laid out as the shader's,
//! and a function from regions to a [`Kernel`] ready to dispatch.
//!
//! A [`Tile`] is one way to compute a convolution; a [`Tuning`] chooses among them by what a device can do
//! ([`Capabilities`]) and by measurements on it.
//!
//! ```
//! use densenet_wgpu::internal::Shader;
//! use densenet_wgpu::tuning::Tile;
//! use densenet_wgpu::planning::PlanOptions;
//! use densenet_wgpu::{Config, Plan};
//!
//! let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default())?;
//! let (tile, convolution) = plan.steps()[0].tile.expect("the stem is a convolution");
//! assert_eq!(tile.shader(), Shader::ConvTiled); // which every WebGPU device runs
//! let others = Tile::all().filter(|tile| tile.computes(&convolution));
//! assert!(others.count() > 1);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

pub(crate) mod blur_pool;
mod capabilities;
mod constant;
pub(crate) mod conv;
pub(crate) mod conv1x1;
pub(crate) mod conv_matrix;
pub(crate) mod conv_square;
pub(crate) mod conv_tiled;
mod convolution;
pub(crate) mod copy;
mod dtypes;
mod floor;
pub(crate) mod fma;
pub(crate) mod global_pool;
mod kernel;
mod lanes;
pub(crate) mod linear;
pub(crate) mod nonlinearity;
pub(crate) mod norm_relu;
pub(crate) mod normalise;
pub(crate) mod pool;
mod precision;
mod region;
mod shader;
mod shader_sizes;
mod shader_struct;
mod split;
pub(crate) mod stream;
pub(crate) mod strip_pool;
mod strips;
mod tile;
mod tuning;
mod unroll;
mod variant;
mod variants;
mod weight_rows;
mod window;
mod workgroup;

pub use capabilities::Capabilities;
pub use constant::Constant;
pub use convolution::Convolution;
use dtypes::Dtypes;
use floor::NO_FLOOR;
pub(crate) use floor::floor;
pub use kernel::Kernel;
use lanes::{LANES, has_all_lanes};
pub use precision::Precision;
use region::Layout;
pub use region::Region;
pub use shader::Shader;
use shader_sizes::shader_sizes;
pub use shader_struct::StructLayout;
use shader_struct::shader_struct;
use strips::Strips;
pub use tile::Tile;
pub use tuning::Tuning;
pub use variant::Variant;
pub(crate) use weight_rows::CHANNEL_TILE;
pub use weight_rows::WeightRows;
pub use workgroup::Workgroup;
