//! `shaders/conv3x3.wgsl`: the convolution by which a dense layer grows its block.

use super::{Convolution, Kernel, Layout, Shader, Tile, Types, Variant, floor, shader_struct};
use crate::shape::Window;

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        strips: u32,
        row_strips: u32,
        image_strips: u32,
        height: u32,
        in_channels: u32,
        out_channels: u32,
        weight_offset: u32,
        weight_row: u32,
        floor: f32,
    }
}

/// All channels by which a dense layer usually grows: each pixel is loaded once. Longer strips than four pixels are more
/// than Mesa's loop unrolling takes.
pub(super) const TILES: [Tile; 1] =
    [Tile { shader: Shader::Conv3x3, sizes: &[("WORKGROUP", 8), ("TILE_CHANNELS", 32), ("TILE_PIXELS", 4)] }];

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    TILES.into_iter().flat_map(|tile| Types::all().map(move |types| tile.variant(types))).collect()
}

/// Whether the shader computes this convolution: 3x3, of the same size.
pub(super) fn computes(convolution: &Convolution) -> bool {
    convolution.window == Window::square(3, 1, 1) && convolution.prologue.is_none()
}

/// The convolution with this tile.
pub(super) fn kernel(tile: Tile, convolution: &Convolution) -> Kernel {
    let Convolution { source, target, weights, relu, .. } = *convolution;
    let row_strips = source.shape.width.div_ceil(tile.size("TILE_PIXELS"));
    let image_strips = row_strips * source.shape.height;
    let strips = source.batch * image_strips;
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        strips: strips as u32,
        row_strips: row_strips as u32,
        image_strips: image_strips as u32,
        height: source.shape.height as u32,
        in_channels: source.shape.channels as u32,
        out_channels: target.shape.channels as u32,
        weight_offset: weights.quad_offset as u32,
        weight_row: weights.row_quads as u32,
        floor: floor(relu),
    };
    let channel_groups = target.shape.channels.div_ceil(tile.size("TILE_CHANNELS"));
    Kernel::new(tile.variant(convolution.types()), &params, strips.div_ceil(tile.size("WORKGROUP")), channel_groups)
}
