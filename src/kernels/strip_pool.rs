//! `shaders/strip_pool.wgsl`: the pools of a DenseNet's stem and transitions.

use super::pool::Pooling;
use super::{Dtypes, Kernel, Layout, NO_FLOOR, Region, Shader, Strips, Variant, WeightRows, floor, shader_struct};
use crate::shape::Window;

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        strips: u32,
        row_strips: u32,
        image_strips: u32,
        src_height: u32,
        padding_y: u32,
        padding_x: u32,
        weight_offset: u32,
        prologue_floor: f32,
        lowest: f32,
    }
}

const WORKGROUP: usize = 32;
const TILE_PIXELS: usize = 4;

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    let kinds = [(Pooling::Max, false), (Pooling::Mean, false), (Pooling::Mean, true)];
    Dtypes::all().flat_map(|dtypes| kinds.map(|(pooling, prologue)| variant(dtypes, pooling, prologue))).collect()
}

fn variant(dtypes: Dtypes, pooling: Pooling, prologue: bool) -> Variant {
    let variant = Variant::new(Shader::StripPool).dtypes(dtypes).size("WORKGROUP", WORKGROUP as u32);
    let variant = variant.size("TILE_PIXELS", TILE_PIXELS as u32).size("KERNEL", side(pooling) as u32);
    variant.flag("MEAN", pooling == Pooling::Mean).flag("PROLOGUE", prologue)
}

/// Pixels along a side of the window: that of a stem's maximum, and that of a transition's mean.
const fn side(pooling: Pooling) -> usize {
    match pooling {
        Pooling::Max => 3,
        Pooling::Mean => 2,
    }
}

/// Whether the shader pools over this window, where no norm comes before a maximum.
pub(crate) fn computes(pooling: Pooling, window: Window) -> bool {
    window.kernel == [side(pooling); 2] && window.stride == [2; 2]
}

/// Pools `source` into `target`. `prologue` is a batch norm before the pooling and whether a ReLU follows it.
pub(crate) fn kernel(source: Region, target: Region, pooling: Pooling, window: Window, prologue: Option<(WeightRows, bool)>) -> Kernel {
    let (rows, relu) = prologue.unwrap_or_default();
    let strips = Strips::new(target, TILE_PIXELS);
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        strips: strips.of_batch as u32,
        row_strips: strips.of_row as u32,
        image_strips: strips.of_image as u32,
        src_height: source.shape.height as u32,
        padding_y: window.padding[0] as u32,
        padding_x: window.padding[1] as u32,
        weight_offset: rows.quad_offset as u32,
        prologue_floor: floor(relu),
        lowest: NO_FLOOR,
    };
    let variant = variant(Dtypes::of(source, target, prologue.map(|(rows, _)| rows)), pooling, prologue.is_some());
    Kernel::new(variant, &params, strips.of_batch.div_ceil(WORKGROUP), target.shape.channels)
}
