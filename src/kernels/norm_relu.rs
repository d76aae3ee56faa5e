//! `shaders/norm_relu.wgsl`: batch norm, ReLU or both, where nothing else could take them in.

use super::{Kernel, Region, Shader, Variant, WeightRows, floor, params};

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
        weight_offset: u32,
        floor: f32,
    }
}

const WORKGROUP: usize = 64;

/// Every variant a plan may contain.
pub fn variants() -> Vec<Variant> {
    [false, true].map(variant).to_vec()
}

fn variant(norm: bool) -> Variant {
    Variant::new(Shader::NormRelu).size("WORKGROUP", WORKGROUP as u32).flag("NORM", norm)
}

/// Normalises (with `norm`) and rectifies (with `relu`) `source` into `target`.
pub fn kernel(source: Region, target: Region, norm: Option<WeightRows>, relu: bool) -> Kernel {
    let params = Params {
        pixels: source.pixels() as u32,
        image_pixels: source.shape.pixels() as u32,
        src_offset: source.element_offset as u32,
        src_plane: source.element_plane as u32,
        src_image: source.element_image as u32,
        dst_offset: target.element_offset as u32,
        dst_plane: target.element_plane as u32,
        dst_image: target.element_image as u32,
        weight_offset: norm.unwrap_or_default().quad_offset as u32,
        floor: floor(relu),
    };
    Kernel::new(variant(norm.is_some()), &params, source.pixels().div_ceil(WORKGROUP), source.shape.channels)
}
