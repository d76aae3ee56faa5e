//! `shaders/conv.wgsl`: any other convolution, among them the stem's.

use super::{
    Convolution, Dtypes, Kernel, LANES, Layout, Shader, Strips, Variant, floor, has_all_lanes, shader_sizes, shader_struct, window,
};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        window: window::Params,
        strips: u32,
        row_strips: u32,
        image_strips: u32,
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
        let Convolution { source, target, weights, window, relu, .. } = *convolution;
        let strips = Strips::new(target, self.tile_pixels);
        let params = Params {
            src: source.layout(),
            dst: target.layout(),
            window: window::Params::new(window, source),
            strips: strips.of_batch as u32,
            row_strips: strips.of_row as u32,
            image_strips: strips.of_image as u32,
            in_channels: source.shape.channels as u32,
            out_channels: target.shape.channels as u32,
            weight_offset: weights.quad_offset as u32,
            weight_row: weights.row_quads as u32,
            floor: floor(relu),
        };
        let channel_groups = target.shape.channels.div_ceil(self.tile_channels);
        Kernel::new(self.variant(convolution.dtypes()), &params, strips.of_batch.div_ceil(self.workgroup), channel_groups)
    }

    fn variant(self, dtypes: Dtypes) -> Variant {
        Variant::new(Shader::Conv).dtypes(dtypes).sizes(self.constants())
    }
}

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    Sizes::ALL.into_iter().flat_map(|sizes| Dtypes::all().map(move |dtypes| sizes.variant(dtypes))).collect()
}

/// Whether the shader computes this convolution: any without a prologue.
pub(super) fn computes(convolution: &Convolution) -> bool {
    convolution.prologue.is_none()
}
