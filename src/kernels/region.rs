//! Where tensors lie in memory.

use super::{Precision, shader_struct};
use crate::shape::Shape;

/// Where a batch of tensors lies in a buffer: element `(n, c, y, x)` at `offset + n * image + c * plane + y * width + x`.
///
/// ```
/// use densenet_wgpu::planning::PlanOptions;
/// use densenet_wgpu::{Config, Plan};
///
/// let plan = Plan::new(&Config::densenet121().graph(224, 224)?, PlanOptions::default().with_batch(2))?;
/// let stem = plan.steps()[0].target;
/// assert_eq!((stem.shape.to_string().as_str(), stem.batch, stem.pixels()), ("64x112x112", 2, 2 * 112 * 112));
/// assert_eq!(stem.bytes(), 4 * 2 * 64 * 112 * 112);
/// assert!(stem.is_planar());
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Region {
    /// Index of the activation buffer.
    pub buffer: usize,
    /// First element.
    pub element_offset: usize,
    /// Elements from one channel to the next.
    pub element_plane: usize,
    /// Elements from one image to the next.
    pub element_image: usize,
    /// One image's shape.
    pub shape: Shape,
    /// Images.
    pub batch: usize,
    /// The dtype of its elements.
    pub precision: Precision,
}

impl Region {
    /// Pixels of one channel in all images.
    pub const fn pixels(&self) -> usize {
        self.batch * self.shape.pixels()
    }

    /// Whether each channel is one run of every image's pixels that starts at a multiple of four elements.
    pub const fn is_planar(&self) -> bool {
        (self.batch == 1 || self.element_image == self.shape.pixels())
            && self.element_plane.is_multiple_of(4)
            && self.element_offset.is_multiple_of(4)
    }

    /// The region as shaders see it.
    pub(super) const fn layout(&self) -> Layout {
        Layout {
            offset: self.element_offset as u32,
            plane: self.element_plane as u32,
            image: self.element_image as u32,
            width: self.shape.width as u32,
        }
    }

    /// Bytes the region's elements take.
    pub const fn bytes(&self) -> u64 {
        (self.batch * self.shape.elements() * self.precision.bytes()) as u64
    }
}

shader_struct! {
    /// A [`Region`] as shaders see it.
    struct Layout {
        offset: u32,
        plane: u32,
        image: u32,
        width: u32,
    }
}
