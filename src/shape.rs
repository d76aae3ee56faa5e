//! Shapes of one image's tensors, and the only padding arithmetic there is.
//!
//! ```
//! use densenet_wgpu::network::{Shape, Window};
//!
//! let picture = Shape::new(3, 224, 224);
//! let [height, width] = Window::square(7, 2, 3).slide(picture.height, picture.width).expect("it fits");
//! assert_eq!([height, width], [112, 112]);
//! ```

use std::fmt;

/// The shape of one image's tensor: channels, height, width. The batch is no part of it.
///
/// ```
/// use densenet_wgpu::network::Shape;
///
/// let shape = Shape::new(3, 2, 4);
/// assert_eq!((shape.pixels(), shape.elements(), shape.to_string().as_str()), (8, 24, "3x2x4"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Channels.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

impl Shape {
    /// A shape of `channels` planes of `height` x `width` pixels.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }

    /// Pixels in one plane.
    pub const fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Elements of one image.
    pub const fn elements(&self) -> usize {
        self.channels * self.pixels()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

/// A sliding window: kernel, stride and zero padding, each as (vertical, horizontal).
///
/// Arithmetic as in PyTorch's `Conv2d` with `dilation = 1` and pooling with `ceil_mode = False`.
///
/// ```
/// use densenet_wgpu::network::Window;
///
/// let wide = Window { kernel: [1, 5], stride: [1, 2], padding: [0, 2] };
/// assert_eq!(wide.slide(8, 8), Some([8, 4]));
/// assert_eq!(Window::square(3, 1, 0).slide(2, 2), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Rows and columns the window covers.
    pub kernel: [usize; 2],
    /// Rows and columns between two positions.
    pub stride: [usize; 2],
    /// Rows and columns added on each side.
    pub padding: [usize; 2],
}

impl Window {
    /// A square window.
    pub const fn square(kernel: usize, stride: usize, padding: usize) -> Self {
        Self { kernel: [kernel; 2], stride: [stride; 2], padding: [padding; 2] }
    }

    /// Height and width after the window has slid over `height` x `width`; `None` where it fits nowhere.
    pub fn slide(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let along = |size: usize, axis: usize| {
            let room = (size + 2 * self.padding[axis]).checked_sub(self.kernel[axis])?;
            Some(room / self.stride[axis] + 1)
        };
        Some([along(height, 0)?, along(width, 1)?])
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kernel, stride] = [self.kernel, self.stride].map(|[v, h]| if v == h { v.to_string() } else { format!("({v},{h})") });
        write!(f, "{}x{} stride {stride}", self.kernel[0], self.kernel[1])?;
        let _ = kernel;
        match self.padding {
            [0, 0] => Ok(()),
            [v, h] if v == h => write!(f, " padding {v}"),
            [v, h] => write!(f, " padding ({v},{h})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_slide_as_pytorch_says() {
        assert_eq!(Window::square(7, 2, 3).slide(224, 224), Some([112, 112]));
        assert_eq!(Window::square(3, 2, 1).slide(112, 112), Some([56, 56]));
        assert_eq!(Window::square(2, 2, 0).slide(7, 5), Some([3, 2]));
        assert_eq!(Window::square(2, 2, 0).slide(1, 1), None);
        assert_eq!(Window { kernel: [3, 1], stride: [1, 2], padding: [1, 0] }.slide(5, 5), Some([5, 3]));
    }
}
