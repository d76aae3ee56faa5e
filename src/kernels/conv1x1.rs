//! `shaders/conv1x1.wgsl`: the bottleneck and the transition, one matrix product over all pixels of all images.

use super::{Convolution, Dtypes, Kernel, LANES, Region, Shader, Variant, floor, has_all_lanes, shader_sizes, shader_struct};
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
        weight_norm: u32,
        prologue_floor: f32,
        floor: f32,
    }
}

shader_sizes! {
    workgroup: "WORKGROUP",
    tile_channels: "TILE_CHANNELS",
    tile_quads: "TILE_QUADS",
    tile_depth: "TILE_DEPTH",
}

impl Sizes {
    /// An invocation's sums are more than fit registers, but each load serves more of them: it pays on processors. Which is the
    /// faster is a matter of the compiler.
    pub(super) const ALL: [Self; 2] = [Self::of_tile([8, 64, 1, 2]), Self::of_tile([8, 32, 2, 4])];

    const fn is_sound(&self) -> bool {
        has_all_lanes(self.workgroup, self.tile_channels) && self.tile_depth <= LANES
    }

    /// Whether this is the one for a compiler that makes good code of deep tiles, or for another.
    pub(super) fn suits(self, takes_deep_tiles: bool) -> bool {
        let [shallow, deep] = Self::ALL;
        self == if takes_deep_tiles { deep } else { shallow }
    }

    /// The convolution with this tile.
    pub(super) fn kernel(self, convolution: &Convolution) -> Kernel {
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
            weight_norm: u32::from(prologue.is_some()),
            prologue_floor: floor(prologue.unwrap_or(false)),
            floor: floor(relu),
        };
        let variant = self.variant(convolution.dtypes());
        let pixel_groups = quads.div_ceil(self.workgroup * self.tile_quads);
        Kernel::new(variant, &params, pixel_groups, target.shape.channels.div_ceil(self.tile_channels)).channels_first()
    }

    fn variant(self, dtypes: Dtypes) -> Variant {
        Variant::new(Shader::Conv1x1).dtypes(dtypes).sizes(self.constants())
    }
}

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    Sizes::ALL.into_iter().flat_map(|sizes| Dtypes::all().map(move |dtypes| sizes.variant(dtypes))).collect()
}

/// Whether the shader computes this convolution: 1x1, between planes, also as [`Convolution::of_one_image`] of
/// a larger batch.
pub(super) fn computes(convolution: &Convolution) -> bool {
    let in_planes = |region: Region| region.is_planar() && region.element_image == region.shape.pixels();
    convolution.window == Window::square(1, 1, 0) && in_planes(convolution.source) && in_planes(convolution.target)
}
