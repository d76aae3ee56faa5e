//! `shaders/blur_pool.wgsl`: a blur at every other pixel, the picture mirrored at its outermost pixels.

use super::{Kernel, Layout, Precision, Region, Shader, Variant, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        pixels: u32,
        image_pixels: u32,
        src_height: u32,
    }
}

const WORKGROUP: usize = 64;

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    Precision::pairs().map(|[source, target]| variant(source, target)).collect()
}

fn variant(source: Precision, target: Precision) -> Variant {
    Variant::new(Shader::BlurPool).copies(source, target).size("WORKGROUP", WORKGROUP as u32)
}

/// Blurs `source`, of at least 2x2 pixels, into `target` of half its height and width, rounded up.
pub(crate) fn kernel(source: Region, target: Region) -> Kernel {
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        pixels: target.pixels() as u32,
        image_pixels: target.shape.pixels() as u32,
        src_height: source.shape.height as u32,
    };
    Kernel::new(variant(source.precision, target.precision), &params, target.pixels().div_ceil(WORKGROUP), target.shape.channels)
}
