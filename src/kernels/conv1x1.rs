//! `shaders/conv1x1.wgsl`: the bottleneck and the transition, one matrix product over all pixels of all images.

use super::{CHANNEL_TILE, Kernel, Region, Shader, Variant, WeightRows, floor, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        quads: u32,
        in_channels: u32,
        out_channels: u32,
        src_offset: u32,
        src_plane: u32,
        dst_offset: u32,
        dst_plane: u32,
        weight_offset: u32,
        weight_row: u32,
        prologue_floor: f32,
        floor: f32,
    }
}

const WORKGROUP: usize = 32;

/// Quads an invocation owns: two where there are enough pixels to keep every invocation busy.
const TILE_QUADS: [usize; 2] = [1, 2];

/// Below this many quads a tile of two leaves most of a workgroup idle.
const FEW_QUADS: usize = 2 * WORKGROUP;

fn variant(tile_quads: usize, prologue: bool) -> Variant {
    Variant::new(Shader::Conv1x1)
        .size("WORKGROUP", WORKGROUP as u32)
        .size("TILE_CHANNELS", CHANNEL_TILE as u32)
        .size("TILE_QUADS", tile_quads as u32)
        .flag("PROLOGUE", prologue)
}

/// Every variant a plan may contain.
pub fn variants() -> Vec<Variant> {
    TILE_QUADS.iter().flat_map(|&tile| [false, true].map(|prologue| variant(tile, prologue))).collect()
}

/// Convolves `source` into `target`, both planar. `prologue` is the ReLU of a batch norm before the convolution,
/// where there is one.
pub fn kernel(source: Region, target: Region, weights: WeightRows, prologue: Option<bool>, relu: bool) -> Kernel {
    let quads = source.pixels().div_ceil(4);
    let params = Params {
        quads: quads as u32,
        in_channels: source.shape.channels as u32,
        out_channels: target.shape.channels as u32,
        src_offset: (source.element_offset / 4) as u32,
        src_plane: (source.element_plane / 4) as u32,
        dst_offset: (target.element_offset / 4) as u32,
        dst_plane: (target.element_plane / 4) as u32,
        weight_offset: weights.quad_offset as u32,
        weight_row: weights.row_quads as u32,
        prologue_floor: floor(prologue.unwrap_or(false)),
        floor: floor(relu),
    };
    let tile_quads = if quads <= FEW_QUADS { TILE_QUADS[0] } else { TILE_QUADS[1] };
    let variant = variant(tile_quads, prologue.is_some());
    Kernel::new(variant, &params, quads.div_ceil(WORKGROUP * tile_quads), target.shape.channels.div_ceil(CHANNEL_TILE))
}
