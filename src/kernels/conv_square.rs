//! `shaders/conv_square.wgsl`: convolutions of two square windows, each of which is compiled as a shader of its own: the 3x3 by
//! which a dense layer grows its block, and the stem's 7x7.

use super::{Convolution, Dtypes, Kernel, LANES, Layout, Shader, Strips, Variant, floor, has_all_lanes, shader_sizes, shader_struct};
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
    const SHORT: Self = Self::of_tile([8, 32, 4]);
    const LONG: Self = Self::of_tile([8, 32, 8]);
    /// Of which rows of 56, 28, 14 and 7 pixels are whole: those of pictures of 224x224.
    const SEVENTHS: Self = Self::of_tile([8, 32, 7]);

    /// All channels by which a dense layer usually grows: each pixel is loaded once. Longer strips share weights between more
    /// pixels, and leave fewer workgroups.
    pub(super) const OF_3X3: [Self; 3] = [Self::SHORT, Self::LONG, Self::SEVENTHS];

    pub(super) const OF_7X7: [Self; 1] = [Self::SHORT];

    const fn is_sound(&self) -> bool {
        has_all_lanes(self.workgroup, self.tile_channels) && self.tile_channels <= 4 * LANES && self.tile_pixels > 0
    }

    /// Whether this is the 3x3 tile for rows of `width` pixels, by a compiler that makes good code of deep tiles or by another.
    pub(super) fn suits(self, width: usize, takes_deep_tiles: bool) -> bool {
        let long = if width.is_multiple_of(Self::SEVENTHS.tile_pixels) { Self::SEVENTHS } else { Self::LONG };
        self == if takes_deep_tiles { long } else { Self::SHORT }
    }
}

/// A window that the shader is compiled for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Square {
    shader: Shader,
    window: Window,
    tiles: &'static [Sizes],
}

pub(super) const CONV3X3: Square = Square { shader: Shader::Conv3x3, window: Window::square(3, 1, 1), tiles: &Sizes::OF_3X3 };
pub(super) const CONV7X7: Square = Square { shader: Shader::Conv7x7, window: Window::square(7, 2, 3), tiles: &Sizes::OF_7X7 };

impl Square {
    /// Every variant a plan may contain.
    pub(super) fn variants(self) -> Vec<Variant> {
        self.tiles.iter().flat_map(|&sizes| Dtypes::all().map(move |dtypes| self.variant(sizes, dtypes))).collect()
    }

    /// Whether the shader computes this convolution with this window.
    pub(super) fn computes(self, convolution: &Convolution) -> bool {
        convolution.window == self.window && convolution.prologue.is_none()
    }

    /// The convolution with this tile.
    pub(super) fn kernel(self, sizes: Sizes, convolution: &Convolution) -> Kernel {
        let Convolution { source, target, weights, relu, .. } = *convolution;
        let strips = Strips::new(target, sizes.tile_pixels);
        let params = Params {
            src: source.layout(),
            dst: target.layout(),
            strips: strips.of_batch as u32,
            row_strips: strips.of_row as u32,
            image_strips: strips.of_image as u32,
            src_height: source.shape.height as u32,
            in_channels: source.shape.channels as u32,
            out_channels: target.shape.channels as u32,
            weight_offset: weights.quad_offset as u32,
            weight_row: weights.row_quads as u32,
            floor: floor(relu),
        };
        let channel_groups = target.shape.channels.div_ceil(sizes.tile_channels);
        Kernel::new(self.variant(sizes, convolution.dtypes()), &params, strips.of_batch.div_ceil(sizes.workgroup), channel_groups)
    }

    fn variant(self, sizes: Sizes, dtypes: Dtypes) -> Variant {
        let Window { kernel: [kernel, _], stride: [stride, _], .. } = self.window;
        let variant = Variant::new(self.shader).dtypes(dtypes).sizes(sizes.constants());
        variant.named("KERNEL", kernel as u32).named("STRIDE", stride as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_are_whole_in_rows_of_usual_pictures() {
        let chosen = |width, deep| {
            let suiting: Vec<usize> =
                Sizes::OF_3X3.into_iter().filter(|sizes| sizes.suits(width, deep)).map(|sizes| sizes.tile_pixels).collect();
            assert_eq!(suiting.len(), 1, "{width} pixels, {deep}: {suiting:?}");
            suiting[0]
        };
        assert_eq!([56, 28, 14, 7, 64, 32, 16, 8, 9].map(|width| chosen(width, true)), [7, 7, 7, 7, 8, 8, 8, 8, 8]);
        assert_eq!([56, 7, 64, 9].map(|width| chosen(width, false)), [4; 4]);
    }
}
