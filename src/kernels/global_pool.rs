//! `shaders/global_pool.wgsl`: the mean of each channel, after a DenseNet's last batch norm and ReLU.

use super::{Kernel, Region, Shader, Variant, WeightRows, floor, params};

params! {
    /// The shader's parameters.
    struct Params {
        images: u32,
        channels: u32,
        height: u32,
        width: u32,
        src_offset: u32,
        src_plane: u32,
        src_image: u32,
        dst_offset: u32,
        dst_plane: u32,
        dst_image: u32,
        weight_offset: u32,
        prologue_floor: f32,
    }
}

const WORKGROUP: usize = 64;

/// Every variant a plan may contain.
pub fn variants() -> Vec<Variant> {
    [false, true].map(variant).to_vec()
}

fn variant(prologue: bool) -> Variant {
    Variant::new(Shader::GlobalPool).size("WORKGROUP", WORKGROUP as u32).flag("PROLOGUE", prologue)
}

/// Means of `source` into `target`. `prologue` is a batch norm before the mean and whether a ReLU follows it.
pub fn kernel(source: Region, target: Region, prologue: Option<(WeightRows, bool)>) -> Kernel {
    let (rows, relu) = prologue.unwrap_or_default();
    let params = Params {
        images: source.batch as u32,
        channels: source.shape.channels as u32,
        height: source.shape.height as u32,
        width: source.shape.width as u32,
        src_offset: source.element_offset as u32,
        src_plane: source.element_plane as u32,
        src_image: source.element_image as u32,
        dst_offset: target.element_offset as u32,
        dst_plane: target.element_plane as u32,
        dst_image: target.element_image as u32,
        weight_offset: rows.quad_offset as u32,
        prologue_floor: floor(relu),
    };
    Kernel::new(variant(prologue.is_some()), &params, source.batch, source.shape.channels.div_ceil(WORKGROUP))
}
