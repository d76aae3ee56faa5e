//! `shaders/pool.wgsl`: maximum and mean over a window; the transition's takes its batch norm and ReLU in.

use super::{Dtypes, Kernel, Layout, NO_FLOOR, Region, Shader, Variant, WeightRows, floor, shader_struct, window};
use crate::shape::Window;

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        window: window::Params,
        pixels: u32,
        image_pixels: u32,
        weight_offset: u32,
        prologue_floor: f32,
        lowest: f32,
    }
}

const WORKGROUP: usize = 64;

/// What is taken of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// The maximum; padding never wins.
    Max,
    /// The mean; padding counts as zeros.
    Mean,
}

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    let kinds = [(Pooling::Max, false), (Pooling::Max, true), (Pooling::Mean, false), (Pooling::Mean, true)];
    Dtypes::all().flat_map(|dtypes| kinds.map(|(pooling, prologue)| variant(dtypes, pooling, prologue))).collect()
}

fn variant(dtypes: Dtypes, pooling: Pooling, prologue: bool) -> Variant {
    let variant = Variant::new(Shader::Pool).dtypes(dtypes).size("WORKGROUP", WORKGROUP as u32);
    variant.flag("MEAN", pooling == Pooling::Mean).flag("PROLOGUE", prologue)
}

/// Pools `source` into `target`. `prologue` is a batch norm before the pooling and whether a ReLU follows it.
pub(crate) fn kernel(source: Region, target: Region, pooling: Pooling, window: Window, prologue: Option<(WeightRows, bool)>) -> Kernel {
    let (rows, relu) = prologue.unwrap_or_default();
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        window: window::Params::new(window, source),
        pixels: target.pixels() as u32,
        image_pixels: target.shape.pixels() as u32,
        weight_offset: rows.quad_offset as u32,
        prologue_floor: floor(relu),
        lowest: NO_FLOOR,
    };
    let variant = variant(Dtypes::of(source, target, prologue.map(|(rows, _)| rows)), pooling, prologue.is_some());
    Kernel::new(variant, &params, target.pixels().div_ceil(WORKGROUP), target.shape.channels)
}
