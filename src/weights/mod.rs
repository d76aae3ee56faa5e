//! Named tensors, the files they come from, and the architecture that their shapes show.
//!
//! [`Checkpoint::open`] reads a file of any [`Container`] and [`Dialect`]; [`Checkpoint::complete_description`] completes what the file does
//! not say of pictures and classes from a [`Preset`]; [`Checkpoint::save`] writes it all as one safetensors file.
//!
//! ```
//! use densenet_wgpu::checkpoint::{Container, Dialect};
//! use densenet_wgpu::Checkpoint;
//!
//! let model = Checkpoint::open("models/digits.safetensors")?;
//! assert_eq!(model.weights.tensor("features.conv0.weight")?.shape[1], 3); // channels of the picture
//! let origin = model.origin.as_ref().expect("it is from a file");
//! assert_eq!((origin.container, origin.dialect), (Container::Safetensors, Dialect::Torchvision));
//! println!("{}: {}, {} parameters", model.name, model.config, model.weights.parameters());
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod assumption;
mod checkpoint;
mod container;
mod dialect;
mod identity;
mod infer;
mod origin;
mod preprocessing;
mod read_options;
mod tensors;

pub use assumption::{AssumedField, Assumption};
pub use checkpoint::{Checkpoint, Description, FittedClass, Metadata, ModelCard};
pub use container::{Container, Dtype};
pub use dialect::Dialect;
pub use identity::sha256;
pub use infer::infer;
pub use origin::Origin;
pub(crate) use preprocessing::Stated;
pub use preprocessing::{Filter, Preprocessing, Preset, Range, Resize, ResizeMode};
pub use read_options::{HeadStep, NewChannels, ReadOptions, StemDownsampling};
pub use tensors::{Tensor, Weights};
