//! From logits to names: probabilities, the best classes, label files.
//!
//! ```
//! use densenet_wgpu::labels::Postprocessing;
//! use densenet_wgpu::preprocessing::Activation;
//!
//! let postprocessing = Postprocessing::new(Activation::Softmax).with_labels(["cat", "dog", "frog"].map(String::from).to_vec());
//! let best = postprocessing.top_k(&[0.5, 3.0, -1.0], 2)?;
//! assert_eq!(best.iter().map(|class| class.label.as_str()).collect::<Vec<_>>(), ["dog", "cat"]);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod averaging;
mod file;
mod named;
mod order;
mod postprocessing;
mod probabilities;
pub(crate) mod torchxrayvision;

pub use averaging::Averaging;
pub use file::read_labels;
pub use named::{named, names, names_of};
pub use order::image_folder_order;
pub use postprocessing::{Postprocessing, RankedClass};
pub use probabilities::probabilities;
