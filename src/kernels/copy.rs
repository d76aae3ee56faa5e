//! `shaders/copy.wgsl`: from one layout into another.

use super::{Kernel, Layout, Precision, Region, Shader, Variant, shader_struct};

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

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    Precision::pairs().map(|[source, target]| variant(source, target)).collect()
}

fn variant(source: Precision, target: Precision) -> Variant {
    Variant::new(Shader::Copy).copies(source, target).size("WORKGROUP", WORKGROUP as u32)
}

/// Copies `source` to `target`, of the same shape.
pub(crate) fn kernel(source: Region, target: Region) -> Kernel {
    let params =
        Params { src: source.layout(), dst: target.layout(), pixels: source.pixels() as u32, image_pixels: source.shape.pixels() as u32 };
    Kernel::new(variant(source.precision, target.precision), &params, source.pixels().div_ceil(WORKGROUP), source.shape.channels)
}
