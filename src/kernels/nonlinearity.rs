//! `shaders/nonlinearity.wgsl`: what heads have in place of a ReLU.

use super::{Kernel, Layout, Precision, Region, Shader, Variant, shader_struct};
use crate::nonlinearity::Nonlinearity;

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        pixels: u32,
        image_pixels: u32,
        nonlinearity: u32,
        slope: f32,
    }
}

const WORKGROUP: usize = 64;

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    Precision::pairs().map(|[source, target]| variant(source, target)).collect()
}

fn variant(source: Precision, target: Precision) -> Variant {
    Variant::new(Shader::Nonlinearity).copies(source, target).size("WORKGROUP", WORKGROUP as u32)
}

/// Applies `nonlinearity` to each element of `source`, into `target` of the same shape.
pub(crate) fn kernel(source: Region, target: Region, nonlinearity: Nonlinearity) -> Kernel {
    let (number, slope) = match nonlinearity {
        Nonlinearity::LeakyRelu { slope } => (0, slope),
        Nonlinearity::Sigmoid => (1, 0.0),
        Nonlinearity::Silu => (2, 0.0),
        Nonlinearity::Tanh => (3, 0.0),
        Nonlinearity::Gelu => (4, 0.0),
        Nonlinearity::GeluTanh => (5, 0.0),
    };
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        pixels: source.pixels() as u32,
        image_pixels: source.shape.pixels() as u32,
        nonlinearity: number,
        slope,
    };
    Kernel::new(variant(source.precision, target.precision), &params, source.pixels().div_ceil(WORKGROUP), source.shape.channels)
}
