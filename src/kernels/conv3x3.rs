//! `shaders/conv3x3.wgsl`: the convolution by which a dense layer grows its block.

use super::{Kernel, Layout, Region, Shader, Variant, WeightRows, floor, shader_struct};

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

const WORKGROUP: usize = 32;
const TILE_CHANNELS: usize = 4;
/// Divides the widths of a 224 pixel network's maps: 56, 28, 14 and 7.
const TILE_PIXELS: usize = 7;
const TILE_ROWS: usize = 2;

/// Every variant a plan may contain.
pub fn variants() -> Vec<Variant> {
    vec![variant()]
}

fn variant() -> Variant {
    Variant::new(Shader::Conv3x3)
        .size("WORKGROUP", WORKGROUP as u32)
        .size("TILE_CHANNELS", TILE_CHANNELS as u32)
        .size("TILE_PIXELS", TILE_PIXELS as u32)
        .size("TILE_ROWS", TILE_ROWS as u32)
}

/// Convolves `source` into `target`, of the same height and width.
pub fn kernel(source: Region, target: Region, weights: WeightRows, relu: bool) -> Kernel {
    let shape = source.shape;
    let row_strips = shape.width.div_ceil(TILE_PIXELS);
    let image_strips = row_strips * shape.height.div_ceil(TILE_ROWS);
    let strips = source.batch * image_strips;
    let params = Params {
        src: source.layout(),
        dst: target.layout(),
        strips: strips as u32,
        row_strips: row_strips as u32,
        image_strips: image_strips as u32,
        height: shape.height as u32,
        in_channels: shape.channels as u32,
        out_channels: target.shape.channels as u32,
        weight_offset: weights.quad_offset as u32,
        weight_row: weights.row_quads as u32,
        floor: floor(relu),
    };
    Kernel::new(variant(), &params, strips.div_ceil(WORKGROUP), target.shape.channels.div_ceil(TILE_CHANNELS))
}
