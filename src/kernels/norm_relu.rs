//! `shaders/norm_relu.wgsl`: batch norm, ReLU or both, where nothing else could take them in.

use super::{Dtypes, Kernel, Layout, Region, Shader, Variant, WeightRows, floor, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        pixels: u32,
        image_pixels: u32,
        weight_offset: u32,
        floor: f32,
    }
}

const WORKGROUP: usize = 64;

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    Dtypes::all().flat_map(|dtypes| [false, true].map(|norm| variant(dtypes, norm))).collect()
}

fn variant(dtypes: Dtypes, norm: bool) -> Variant {
    Variant::new(Shader::NormRelu).dtypes(dtypes).size("WORKGROUP", WORKGROUP as u32).flag("NORM", norm)
}

/// Normalises (with `norm`) and rectifies (with `relu`) `source` into `target`.
pub(crate) fn kernel(source: Region, target: Region, norm: Option<WeightRows>, relu: bool) -> Kernel {
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        pixels: source.pixels() as u32,
        image_pixels: source.shape.pixels() as u32,
        weight_offset: norm.unwrap_or_default().quad_offset as u32,
        floor: floor(relu),
    };
    Kernel::new(
        variant(Dtypes::of(source, target, norm), norm.is_some()),
        &params,
        source.pixels().div_ceil(WORKGROUP),
        source.shape.channels,
    )
}
