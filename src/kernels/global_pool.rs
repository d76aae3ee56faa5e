//! `shaders/global_pool.wgsl`: the mean of each channel, after a DenseNet's last batch norm and ReLU.

use super::{Dtypes, Kernel, Layout, Region, Shader, Variant, WeightRows, floor, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        images: u32,
        pixels: u32,
        weight_offset: u32,
        prologue_floor: f32,
    }
}

const WORKGROUP: usize = 32;

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    Dtypes::all().flat_map(|dtypes| [false, true].map(|prologue| variant(dtypes, prologue))).collect()
}

fn variant(dtypes: Dtypes, prologue: bool) -> Variant {
    Variant::new(Shader::GlobalPool).dtypes(dtypes).size("WORKGROUP", WORKGROUP as u32).flag("PROLOGUE", prologue)
}

/// Means of `source` into `target`. `prologue` is a batch norm before the mean and whether a ReLU follows it.
pub(crate) fn kernel(source: Region, target: Region, prologue: Option<(WeightRows, bool)>) -> Kernel {
    let (rows, relu) = prologue.unwrap_or_default();
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        images: source.batch as u32,
        pixels: source.shape.pixels() as u32,
        weight_offset: rows.quad_offset as u32,
        prologue_floor: floor(relu),
    };
    let dtypes = Dtypes::of(source, target, prologue.map(|(rows, _)| rows));
    Kernel::new(variant(dtypes, prologue.is_some()), &params, source.batch, source.shape.channels)
}
