//! `shaders/conv_tiled.wgsl`: any convolution on any GPU, as a matrix product through workgroup memory.

use std::mem::offset_of;
use std::ops::Range;

use super::{Convolution, Dtypes, Kernel, Layout, Shader, Variant, Workgroup, floor, shader_sizes, shader_struct, window};

shader_struct! {
    /// The shader's parameters.
    struct Params {
        src: Layout,
        dst: Layout,
        window: window::Params,
        first_group: u32,
        pixels: u32,
        image_pixels: u32,
        in_channels: u32,
        out_channels: u32,
        weight_offset: u32,
        weight_row: u32,
        prologue_floor: f32,
        floor: f32,
    }
}

shader_sizes! {
    tile_channels: "TILE_CHANNELS",
    tile_pixels: "TILE_PIXELS",
    tile_depth: "TILE_DEPTH",
    thread_channels: "THREAD_CHANNELS",
    thread_pixels: "THREAD_PIXELS",
    slices: "SLICES",
}

impl Sizes {
    /// Large tiles for large batches, wide ones for a dense layer's few channels, slices for small pictures, and one that is
    /// not deep, for the stem.
    pub(super) const ALL: [Self; 8] = [
        Self::of_tile([128, 64, 8, 8, 8, 1]),
        Self::of_tile([64, 64, 16, 8, 4, 1]),
        Self::of_tile([64, 64, 16, 4, 4, 1]),
        Self::of_tile([32, 128, 16, 4, 8, 1]),
        Self::of_tile([32, 64, 16, 4, 4, 1]),
        Self::of_tile([32, 32, 16, 4, 4, 4]),
        Self::of_tile([32, 16, 8, 4, 4, 8]),
        Self::of_tile([64, 64, 4, 4, 4, 1]),
    ];

    /// Invocations own whole quads, and together the tile; those of a slice stage whole rows of it, and the place of its
    /// pixels has room for a quad of each. The workgroup runs on every WebGPU device.
    const fn is_sound(&self) -> bool {
        let owns_quads = self.thread_channels.is_multiple_of(4) && self.thread_pixels.is_multiple_of(4);
        let owns_tile = self.tile_channels.is_multiple_of(self.thread_channels) && self.tile_pixels.is_multiple_of(self.thread_pixels);
        let (channel_quads, pixel_quads) = (self.tile_channels / 4, self.tile_pixels / 4);
        owns_quads
            && owns_tile
            && self.slice().is_multiple_of(channel_quads)
            && self.slice().is_multiple_of(pixel_quads)
            && (self.slices == 1 || self.slice() <= self.tile_depth * pixel_quads)
            && self.workgroup().fits(Workgroup::ANYWHERE)
    }

    /// The workgroup it asks for.
    pub(super) const fn workgroup(&self) -> Workgroup {
        let byte_depth = (self.tile_channels + self.tile_pixels) * size_of::<f32>();
        Workgroup { invocations: (self.slice() * self.slices) as u32, bytes: (self.slices * self.tile_depth * byte_depth) as u32 }
    }

    /// Sums of an invocation.
    pub(super) const fn sums(&self) -> usize {
        self.thread_channels * self.thread_pixels
    }

    /// Invocations of a slice.
    const fn slice(&self) -> usize {
        self.tile_channels / self.thread_channels * (self.tile_pixels / self.thread_pixels)
    }

    /// The convolution with this tile.
    pub(super) fn kernel(self, convolution: &Convolution) -> Kernel {
        let variant = self.variant(convolution.dtypes(), convolution.prologue.is_some());
        let [pixel_groups, channel_groups] = self.tile().groups(convolution);
        Kernel::new(variant, &params(convolution), pixel_groups, channel_groups)
    }

    fn variant(self, dtypes: Dtypes, prologue: bool) -> Variant {
        Variant::new(Shader::ConvTiled).dtypes(dtypes).sizes(self.constants()).flag("PROLOGUE", prologue)
    }

    /// An estimate, in proportion to its time on a GPU for this convolution: its multiply-adds, those on padding too, each weighted
    /// by its loads from workgroup memory where these are more than a quarter, over the share of `invocations` that it keeps busy.
    /// Fitted to what AMD's compiler makes of the tiles (benches/results/isa.md).
    pub(super) fn cost(self, convolution: &Convolution, invocations: f64) -> f64 {
        let loads = 1.0 / self.thread_channels as f64 + 1.0 / self.thread_pixels as f64;
        let groups: usize = self.tile().groups(convolution).iter().product();
        let busy = (groups * self.slice() * self.slices) as f64 / invocations;
        self.tile().multiply_adds(convolution) * (4.0 * loads).max(1.0) / busy.min(1.0)
    }

    fn tile(self) -> Staged {
        Staged { channels: self.tile_channels, pixels: self.tile_pixels, depth: self.tile_depth * self.slices }
    }
}

/// What a workgroup owns, and how many input channels it stages at a time.
pub(super) struct Staged {
    pub(super) channels: usize,
    pub(super) pixels: usize,
    pub(super) depth: usize,
}

impl Staged {
    /// Workgroups along pixels and along channels.
    pub(super) fn groups(&self, convolution: &Convolution) -> [usize; 2] {
        let target = convolution.target;
        [target.pixels().div_ceil(self.pixels), target.shape.channels.div_ceil(self.channels)]
    }

    /// Multiply-adds, those on padding too.
    pub(super) fn multiply_adds(&self, convolution: &Convolution) -> f64 {
        self.padded(convolution, taps(convolution) * convolution.source.shape.channels.next_multiple_of(self.depth))
    }

    /// The same where taps lie in the depth.
    pub(super) fn folded_multiply_adds(&self, convolution: &Convolution) -> f64 {
        self.padded(convolution, (taps(convolution) * convolution.source.shape.channels).next_multiple_of(self.depth))
    }

    fn padded(&self, convolution: &Convolution, depths: usize) -> f64 {
        let groups: usize = self.groups(convolution).iter().product();
        (groups * self.channels * self.pixels * depths) as f64
    }
}

/// Multiply-adds of an output pixel for each input channel.
pub(super) fn taps(convolution: &Convolution) -> usize {
    convolution.window.kernel.iter().product()
}

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    let variants = |sizes: Sizes| Dtypes::all().flat_map(move |dtypes| [false, true].map(|prologue| sizes.variant(dtypes, prologue)));
    Sizes::ALL.into_iter().flat_map(variants).collect()
}

/// Where a kernel's parameters have its first group of pixels, if it is one of these.
pub(super) fn first_group(kernel: &Kernel) -> Option<Range<usize>> {
    let begin = offset_of!(Params, first_group);
    matches!(kernel.variant.shader, Shader::ConvTiled | Shader::ConvMatrix).then_some(begin..begin + size_of::<u32>())
}

/// Parameters that are all zero.
#[cfg(test)]
pub(super) fn no_params() -> Params {
    bytemuck::Zeroable::zeroed()
}

/// The parameters of this convolution.
pub(super) fn params(convolution: &Convolution) -> Params {
    let Convolution { source, target, weights, window, prologue, relu } = *convolution;
    Params {
        src: source.layout(),
        dst: target.layout(),
        window: window::Params::new(window, source),
        first_group: 0,
        pixels: target.pixels() as u32,
        image_pixels: target.shape.pixels() as u32,
        in_channels: source.shape.channels as u32,
        out_channels: target.shape.channels as u32,
        weight_offset: weights.quad_offset as u32,
        weight_row: weights.row_quads as u32,
        prologue_floor: floor(prologue.unwrap_or(false)),
        floor: floor(relu),
    }
}
