//! DenseNets as graphs, with the layer names of torchvision.
//!
//! Huang, Liu, van der Maaten, Weinberger: *Densely Connected Convolutional Networks*, CVPR 2017
//! (section 3; table 1 for the ImageNet variants, section 4.2 for CIFAR).
//!
//! ```
//! use densenet_wgpu::network::Stem;
//! use densenet_wgpu::Config;
//!
//! // The paper's DenseNet-BC for CIFAR: 100 layers, growth rate 12.
//! let config = Config::imagenet(12, &[16, 16, 16], 24).with_stem(Stem::Cifar).with_classes(Some(10));
//! let graph = config.graph(32, 32)?;
//! assert_eq!(graph.parameters(), 769_162);
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod config;
mod densenet;
mod published;
mod stem;

pub use config::Config;
pub use stem::Stem;
