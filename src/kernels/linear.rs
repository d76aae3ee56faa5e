//! `shaders/linear.wgsl`: the classifier.

use super::{Dtypes, Kernel, Layout, Region, Shader, Variant, WeightRows, floor, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        images: u32,
        in_features: u32,
        out_features: u32,
        weight_offset: u32,
        weight_row: u32,
        floor: f32,
    }
}

const WORKGROUP: usize = 64;

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    Dtypes::all().map(variant).collect()
}

fn variant(dtypes: Dtypes) -> Variant {
    Variant::new(Shader::Linear).dtypes(dtypes).size("WORKGROUP", WORKGROUP as u32)
}

/// Multiplies `source`, of 1x1 pixels, into `target`.
pub(crate) fn kernel(source: Region, target: Region, weights: WeightRows, relu: bool) -> Kernel {
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        images: source.batch as u32,
        in_features: source.shape.channels as u32,
        out_features: target.shape.channels as u32,
        weight_offset: weights.quad_offset as u32,
        weight_row: weights.row_quads as u32,
        floor: floor(relu),
    };
    let variant = variant(Dtypes::of(source, target, Some(weights)));
    Kernel::new(variant, &params, source.batch, target.shape.channels.div_ceil(4).div_ceil(WORKGROUP))
}
