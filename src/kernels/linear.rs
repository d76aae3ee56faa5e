//! `shaders/linear.wgsl`: the classifier.

use super::{Kernel, Region, Shader, Variant, WeightRows, floor, params};

params! {
    /// The shader's parameters.
    struct Params {
        images: u32,
        in_features: u32,
        out_features: u32,
        src_offset: u32,
        src_plane: u32,
        src_image: u32,
        dst_offset: u32,
        dst_plane: u32,
        dst_image: u32,
        weight_offset: u32,
        weight_row: u32,
        floor: f32,
    }
}

const WORKGROUP: usize = 64;

/// The only variant.
pub fn variant() -> Variant {
    Variant::new(Shader::Linear).size("WORKGROUP", WORKGROUP as u32)
}

/// Multiplies `source`, of 1x1 pixels, into `target`.
pub fn kernel(source: Region, target: Region, weights: WeightRows, relu: bool) -> Kernel {
    let params = Params {
        images: source.batch as u32,
        in_features: source.shape.channels as u32,
        out_features: target.shape.channels as u32,
        src_offset: source.element_offset as u32,
        src_plane: source.element_plane as u32,
        src_image: source.element_image as u32,
        dst_offset: target.element_offset as u32,
        dst_plane: target.element_plane as u32,
        dst_image: target.element_image as u32,
        weight_offset: weights.quad_offset as u32,
        weight_row: weights.row_quads as u32,
        floor: floor(relu),
    };
    Kernel::new(variant(), &params, source.batch, target.shape.channels.div_ceil(4).div_ceil(WORKGROUP))
}
