//! `shaders/conv7x7.wgsl`: the stem's convolution.

use super::{Convolution, Kernel, LANES, Layout, Shader, Types, Variant, floor, has_all_lanes, shader_sizes, shader_struct};
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
        in_channels: u32,
        out_channels: u32,
        weight_offset: u32,
        weight_row: u32,
        floor: f32,
    }
}

shader_sizes! {
    workgroup: "WORKGROUP",
    tile_channels: "TILE_CHANNELS",
    tile_pixels: "TILE_PIXELS",
}

impl Sizes {
    pub(super) const ALL: [Self; 1] = [Self::of_tile([8, 32, 4])];

    const fn is_sound(&self) -> bool {
        has_all_lanes(self.workgroup, self.tile_channels) && self.tile_channels <= 4 * LANES && self.tile_pixels.is_multiple_of(4)
    }

    /// The convolution with this tile.
    pub(super) fn kernel(self, convolution: &Convolution) -> Kernel {
        let Convolution { source, target, weights, relu, .. } = *convolution;
        let row_strips = target.shape.width.div_ceil(self.tile_pixels);
        let image_strips = row_strips * target.shape.height;
        let strips = target.batch * image_strips;
        let params = Params {
            src: source.layout(),
            dst: target.layout(),
            strips: strips as u32,
            row_strips: row_strips as u32,
            image_strips: image_strips as u32,
            src_height: source.shape.height as u32,
            in_channels: source.shape.channels as u32,
            out_channels: target.shape.channels as u32,
            weight_offset: weights.quad_offset as u32,
            weight_row: weights.row_quads as u32,
            floor: floor(relu),
        };
        let channel_groups = target.shape.channels.div_ceil(self.tile_channels);
        Kernel::new(self.variant(convolution.types()), &params, strips.div_ceil(self.workgroup), channel_groups)
    }

    fn variant(self, types: Types) -> Variant {
        Variant::new(Shader::Conv7x7).types(types).sizes(self.constants())
    }
}

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    Sizes::ALL.into_iter().flat_map(|sizes| Types::all().map(move |types| sizes.variant(types))).collect()
}

/// Whether the shader computes this convolution: 7x7, at stride 2.
pub(super) fn computes(convolution: &Convolution) -> bool {
    convolution.window == Window::square(7, 2, 3) && convolution.prologue.is_none()
}
