//! From a picture file to the network's input tensor.
//!
//! [`Picture`] decodes ([`Decoding`] within which limits), [`resize()`] resizes as Pillow does, and a model's
//! [`Preprocessing`](crate::preprocessing::Preprocessing) makes of it what the network takes. The way back is a [`Heatmap`]: where
//! in the picture a class was seen.
//!
//! ```
//! use densenet_wgpu::image::Picture;
//! use densenet_wgpu::preprocessing::Preprocessing;
//!
//! let picture = Picture::open("examples/digits/7-1442-8.png")?.upright(); // turned as its EXIF orientation says
//! let input = Preprocessing::torchvision(3).apply(&picture)?;
//! assert_eq!(input.values.len(), 3 * 224 * 224); // [C, H, W]
//! # Ok::<(), densenet_wgpu::Error>(())
//! ```

mod crop;
mod decode;
mod decoding;
#[cfg(feature = "dicom")]
mod dicom;
mod dicom_start;
mod figure;
mod foreign;
mod heatmap;
mod jpeg;
#[cfg(feature = "jpeg2000")]
mod jpeg2000;
mod orientation;
mod picture;
mod png;
mod prepared;
mod refusal;
pub(crate) mod resize;
mod sample_scaling;
mod text;
mod tiff;
mod view;

pub use decoding::{Decoding, is_decoding};
pub use heatmap::Heatmap;
pub use orientation::Orientation;
pub use picture::{Dicom, MAX_PIXELS, Picture};
pub use prepared::{PictureTensor, Prepared};
pub use resize::resize;
pub use sample_scaling::{SampleRange, SampleScaling};
pub use view::View;
