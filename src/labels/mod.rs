//! From logits to names: probabilities, the best classes, label files.
//!
//! ```
//! use densenet_wgpu::labels::Legend;
//! use densenet_wgpu::preprocessing::Activation;
//!
//! let legend = Legend::new(Activation::Softmax).with_labels(["cat", "dog", "frog"].map(String::from).to_vec());
//! let best = legend.top_k(&[0.5, 3.0, -1.0], 2)?;
//! assert_eq!(best.iter().map(|class| class.label.as_str()).collect::<Vec<_>>(), ["dog", "cat"]);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod file;
mod legend;
mod named;
mod order;
mod probabilities;

pub use file::read_labels;
pub use legend::{Legend, RankedClass};
pub use named::{named, names, names_of};
pub use order::folder_order;
pub use probabilities::probabilities;
