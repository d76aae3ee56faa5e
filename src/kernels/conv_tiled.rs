//! `shaders/conv_tiled.wgsl`: any convolution on any GPU, as a matrix product through workgroup memory.

use super::{Convolution, Kernel, Layout, Shader, Tile, Types, Variant, floor, shader_struct};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        pixels: u32,
        image_pixels: u32,
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
        prologue_floor: f32,
        floor: f32,
    }
}

const fn tile(sizes: &'static [(&'static str, u32); 6]) -> Tile {
    Tile { shader: Shader::ConvTiled, sizes }
}

macro_rules! sizes {
    ($channels:literal x $pixels:literal x $depth:literal, $thread_channels:literal x $thread_pixels:literal, $slices:literal) => {
        tile(&[
            ("TILE_CHANNELS", $channels),
            ("TILE_PIXELS", $pixels),
            ("TILE_DEPTH", $depth),
            ("THREAD_CHANNELS", $thread_channels),
            ("THREAD_PIXELS", $thread_pixels),
            ("SLICES", $slices),
        ])
    };
}

/// Large tiles for large batches, wide ones for a dense layer's few channels, slices for small pictures, and one that is
/// not deep, for the stem.
pub(super) const TILES: [Tile; 8] = [
    sizes!(128 x 64 x 8, 8 x 8, 1),
    sizes!(64 x 64 x 16, 8 x 4, 1),
    sizes!(64 x 64 x 16, 4 x 4, 1),
    sizes!(32 x 128 x 16, 4 x 8, 1),
    sizes!(32 x 64 x 16, 4 x 4, 1),
    sizes!(32 x 32 x 16, 4 x 4, 4),
    sizes!(32 x 16 x 8, 4 x 4, 8),
    sizes!(64 x 64 x 4, 4 x 4, 1),
];

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    let variants = |tile: Tile| Types::all().flat_map(move |types| [false, true].map(|prologue| variant(tile, types, prologue)));
    TILES.into_iter().flat_map(variants).collect()
}

pub(super) fn variant(tile: Tile, types: Types, prologue: bool) -> Variant {
    tile.variant(types).flag("PROLOGUE", prologue)
}

/// The convolution with this tile.
pub(super) fn kernel(tile: Tile, convolution: &Convolution) -> Kernel {
    let variant = variant(tile, convolution.types(), convolution.prologue.is_some());
    let [pixel_groups, channel_groups] = groups(tile, convolution);
    Kernel::new(variant, &params(convolution), pixel_groups, channel_groups)
}

/// The parameters of this convolution.
pub(super) fn params(convolution: &Convolution) -> Params {
    let Convolution { source, target, weights, window, prologue, relu } = *convolution;
    Params {
        src: source.layout(),
        dst: target.layout(),
        pixels: target.pixels() as u32,
        image_pixels: target.shape.pixels() as u32,
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
        prologue_floor: floor(prologue.unwrap_or(false)),
        floor: floor(relu),
    }
}

/// Workgroups along pixels and along channels.
pub(super) fn groups(tile: Tile, convolution: &Convolution) -> [usize; 2] {
    let target = convolution.target;
    [target.pixels().div_ceil(tile.size("TILE_PIXELS")), target.shape.channels.div_ceil(tile.size("TILE_CHANNELS"))]
}

/// [`Tile::cost`].
pub(super) fn cost(tile: Tile, convolution: &Convolution, invocations: f64) -> f64 {
    let size = |name| tile.size(name) as f64;
    let loads = 1.0 / size("THREAD_CHANNELS") + 1.0 / size("THREAD_PIXELS");
    let threads = size("TILE_CHANNELS") / size("THREAD_CHANNELS") * size("TILE_PIXELS") / size("THREAD_PIXELS") * size("SLICES");
    let groups: usize = groups(tile, convolution).iter().product();
    multiply_adds(tile, convolution) * (1.0 + 2.0 * loads) / (groups as f64 * threads / invocations).min(1.0)
}

/// Multiply-adds of one tap, those on padding too.
pub(super) fn multiply_adds(tile: Tile, convolution: &Convolution) -> f64 {
    let groups: usize = groups(tile, convolution).iter().product();
    let depth = tile.size("TILE_DEPTH") * tile.size("SLICES");
    let padded_depth = convolution.source.shape.channels.div_ceil(depth) * depth;
    (groups * tile.size("TILE_CHANNELS") * tile.size("TILE_PIXELS") * padded_depth) as f64
}
