//! `shaders/conv.wgsl`: any other convolution, among them the stem's.

use super::{Convolution, Kernel, Layout, Shader, Tile, Types, Variant, floor, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        strips: u32,
        row_strips: u32,
        image_strips: u32,
        in_channels: u32,
        out_channels: u32,
        src_height: u32,
        kernel_height: u32,
        kernel_width: u32,
        stride_y: u32,
        stride_x: u32,
        padding_y: u32,
        padding_x: u32,
        weight_offset: u32,
        weight_row: u32,
        floor: f32,
    }
}

pub(super) const TILES: [Tile; 1] = [Tile { shader: Shader::Conv, sizes: &[("WORKGROUP", 8), ("TILE_CHANNELS", 32), ("TILE_PIXELS", 4)] }];

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    TILES.into_iter().flat_map(|tile| Types::all().map(move |types| tile.variant(types))).collect()
}

/// The convolution with this tile.
pub(super) fn kernel(tile: Tile, convolution: &Convolution) -> Kernel {
    let Convolution { source, target, weights, window, relu, .. } = *convolution;
    let row_strips = target.shape.width.div_ceil(tile.size("TILE_PIXELS"));
    let image_strips = row_strips * target.shape.height;
    let strips = target.batch * image_strips;
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        strips: strips as u32,
        row_strips: row_strips as u32,
        image_strips: image_strips as u32,
        in_channels: source.shape.channels as u32,
        out_channels: target.shape.channels as u32,
        src_height: source.shape.height as u32,
        kernel_height: window.kernel[0] as u32,
        kernel_width: window.kernel[1] as u32,
        stride_y: window.stride[0] as u32,
        stride_x: window.stride[1] as u32,
        padding_y: window.padding[0] as u32,
        padding_x: window.padding[1] as u32,
        weight_offset: weights.quad_offset as u32,
        weight_row: weights.row_quads as u32,
        floor: floor(relu),
    };
    let channel_groups = target.shape.channels.div_ceil(tile.size("TILE_CHANNELS"));
    Kernel::new(tile.variant(convolution.types()), &params, strips.div_ceil(tile.size("WORKGROUP")), channel_groups)
}
