//! `shaders/conv1x1.wgsl`: the bottleneck and the transition, one matrix product over all pixels of all images.

use super::{Convolution, Kernel, Shader, Tile, Types, Variant, floor, shader_struct};
use crate::shape::Window;

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

/// An invocation's sums are more than fit registers, but each load serves more of them: it pays on processors.
pub(super) const TILES: [Tile; 1] =
    [Tile { shader: Shader::Conv1x1, sizes: &[("WORKGROUP", 8), ("TILE_CHANNELS", 32), ("TILE_QUADS", 1)] }];

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    let variants = |tile: Tile| Types::all().flat_map(move |types| [false, true].map(|prologue| variant(tile, types, prologue)));
    TILES.into_iter().flat_map(variants).collect()
}

fn variant(tile: Tile, types: Types, prologue: bool) -> Variant {
    tile.variant(types).flag("PROLOGUE", prologue)
}

/// Whether the shader computes this convolution: 1x1, between planes.
pub(super) fn computes(convolution: &Convolution) -> bool {
    convolution.window == Window::square(1, 1, 0) && convolution.source.is_planar() && convolution.target.is_planar()
}

/// The convolution with this tile.
pub(super) fn kernel(tile: Tile, convolution: &Convolution) -> Kernel {
    let Convolution { source, target, weights, prologue, relu, .. } = *convolution;
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
    let variant = variant(tile, convolution.types(), prologue.is_some());
    let pixel_groups = quads.div_ceil(tile.size("WORKGROUP") * tile.size("TILE_QUADS"));
    Kernel::new(variant, &params, pixel_groups, target.shape.channels.div_ceil(tile.size("TILE_CHANNELS")))
}
