//! `shaders/copy.wgsl`: from one layout into another.

use super::{Kernel, Layout, Region, Shader, Variant, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        pixels: u32,
        image_pixels: u32,
    }
}

const WORKGROUP: usize = 64;

/// The only variant.
pub fn variant() -> Variant {
    Variant::new(Shader::Copy).size("WORKGROUP", WORKGROUP as u32)
}

/// Copies `source` to `target`, of the same shape.
pub fn kernel(source: Region, target: Region) -> Kernel {
    let params =
        Params { src: source.layout(), dst: target.layout(), pixels: source.pixels() as u32, image_pixels: source.shape.pixels() as u32 };
    Kernel::new(variant(), &params, source.pixels().div_ceil(WORKGROUP), source.shape.channels)
}
