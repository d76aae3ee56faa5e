//! `shaders/conv.wgsl`: any other convolution, among them the stem's.

use super::{CHANNEL_TILE, Kernel, Layout, Region, Shader, Variant, WeightRows, floor, shader_struct};
use crate::shape::Window;

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

const WORKGROUP: usize = 32;
const TILE_PIXELS: usize = 8;

/// Every variant a plan may contain.
pub fn variants() -> Vec<Variant> {
    vec![variant()]
}

fn variant() -> Variant {
    Variant::new(Shader::Conv)
        .size("WORKGROUP", WORKGROUP as u32)
        .size("TILE_CHANNELS", CHANNEL_TILE as u32)
        .size("TILE_PIXELS", TILE_PIXELS as u32)
}

/// Convolves `source` into `target` with `window`.
pub fn kernel(source: Region, target: Region, weights: WeightRows, window: Window, relu: bool) -> Kernel {
    let row_strips = target.shape.width.div_ceil(TILE_PIXELS);
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
    Kernel::new(variant(), &params, strips.div_ceil(WORKGROUP), target.shape.channels.div_ceil(CHANNEL_TILE))
}
