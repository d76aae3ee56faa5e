//! `shaders/common/window.wgsl`: a window that moves over a source picture.

use super::{Region, shader_struct};
use crate::shape::Window;

shader_struct! {
    /// A [`Window`] over the pictures of a [`Region`], as shaders see it.
    struct Params {
        src_height: u32,
        src_width: u32,
        kernel_height: u32,
        kernel_width: u32,
        stride_y: u32,
        stride_x: u32,
        padding_y: u32,
        padding_x: u32,
    }
}

impl Params {
    pub(super) const fn new(window: Window, source: Region) -> Self {
        Self {
            src_height: source.shape.height as u32,
            src_width: source.shape.width as u32,
            kernel_height: window.kernel[0] as u32,
            kernel_width: window.kernel[1] as u32,
            stride_y: window.stride[0] as u32,
            stride_x: window.stride[1] as u32,
            padding_y: window.padding[0] as u32,
            padding_x: window.padding[1] as u32,
        }
    }
}
