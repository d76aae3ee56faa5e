//! `shaders/copy.wgsl`: from one layout into another.

use super::{Kernel, Region, Shader, Variant, params};

params! {
    /// The shader's parameters.
    struct Params {
        pixels: u32,
        image_pixels: u32,
        src_offset: u32,
        src_plane: u32,
        src_image: u32,
        dst_offset: u32,
        dst_plane: u32,
        dst_image: u32,
    }
}

const WORKGROUP: usize = 64;

/// The only variant.
pub fn variant() -> Variant {
    Variant::new(Shader::Copy).size("WORKGROUP", WORKGROUP as u32)
}

/// Copies `source` to `target`, of the same shape.
pub fn kernel(source: Region, target: Region) -> Kernel {
    let params = Params {
        pixels: source.pixels() as u32,
        image_pixels: source.shape.pixels() as u32,
        src_offset: source.element_offset as u32,
        src_plane: source.element_plane as u32,
        src_image: source.element_image as u32,
        dst_offset: target.element_offset as u32,
        dst_plane: target.element_plane as u32,
        dst_image: target.element_image as u32,
    };
    Kernel::new(variant(), &params, source.pixels().div_ceil(WORKGROUP), source.shape.channels)
}
