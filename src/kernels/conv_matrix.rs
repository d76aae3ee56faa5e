//! `shaders/conv_matrix.wgsl`: any convolution by a GPU's matrix units.

use super::conv_tiled::{self, Staged, taps};
use super::{Capabilities, Convolution, Dtypes, Kernel, Precision, Shader, Variant, Workgroup, shader_sizes};

pub(super) use super::conv_tiled::Params;

/// Invocations of other kernels that keep a device as busy as one subgroup with its matrices.
const BUSY_AS: f64 = 64.0;

shader_sizes! {
    fragment: "FRAGMENT",
    subgroup: "SUBGROUP",
    tile_channels: "TILE_CHANNELS",
    tile_pixels: "TILE_PIXELS",
    tile_depth: "TILE_DEPTH",
    subgroup_channels: "SUBGROUP_CHANNELS",
    subgroup_pixels: "SUBGROUP_PIXELS",
    slices: "SLICES",
}

impl Sizes {
    /// For the matrices and subgroups of AMD's GPUs, which have 64 lanes for them, of NVIDIA's and others, of Apple's, and of
    /// Mesa's lavapipe. The largest subgroups come first: of two tiles that cost the same the first is taken.
    pub(super) const ALL: [[Self; 6]; 4] = [Self::all(16, 64), Self::all(16, 32), Self::all(8, 32), Self::all(8, 8)];

    /// As `conv_tiled` has them: large tiles for large batches, wide ones for a dense layer's few channels, and slices for small
    /// pictures.
    const fn all(fragment: usize, subgroup: usize) -> [Self; 6] {
        [
            Self::of_tile([fragment, subgroup, 128, 128, 32, 64, 32, 1]),
            Self::of_tile([fragment, subgroup, 128, 64, 32, 32, 32, 1]),
            Self::of_tile([fragment, subgroup, 64, 64, 32, 32, 32, 1]),
            Self::of_tile([fragment, subgroup, 32, 128, 32, 32, 32, 1]),
            Self::of_tile([fragment, subgroup, 32, 32, 16, 32, 32, 4]),
            Self::of_tile([fragment, subgroup, 32, 16, 16, 16, 16, 4]),
        ]
    }

    /// Subgroups own whole matrices, and together the tile; invocations hold whole rows of a matrix, and those of a slice
    /// stage whole rows of the tile. No GPU has larger workgroups; whether this one fits is a device's to say.
    const fn is_sound(&self) -> bool {
        let has_fragments = matches!(self.fragment, 8 | 16)
            && self.subgroup.is_multiple_of(self.fragment)
            && self.subgroup_channels.is_multiple_of(self.fragment)
            && self.subgroup_pixels.is_multiple_of(self.fragment)
            && self.tile_depth.is_multiple_of(self.fragment);
        let owns_tile = self.tile_channels.is_multiple_of(self.subgroup_channels) && self.tile_pixels.is_multiple_of(self.subgroup_pixels);
        let slice = self.subgroups() * self.subgroup;
        has_fragments
            && owns_tile
            && slice.is_multiple_of(self.tile_channels / 4)
            && slice.is_multiple_of(self.tile_pixels / 4)
            && slice * self.slices <= 1024
    }

    /// Subgroups of a slice.
    const fn subgroups(&self) -> usize {
        self.tile_channels / self.subgroup_channels * (self.tile_pixels / self.subgroup_pixels)
    }

    /// Whether the device multiplies such matrices, may have subgroups of the tile's size, and the workgroup fits. Which size
    /// a driver chooses within its range is not known beforehand: the check of the tile finds out, as the shader computes NaN
    /// with another.
    pub(super) fn runs_on(self, capabilities: &Capabilities) -> bool {
        let [fragment, subgroup] = [self.fragment, self.subgroup].map(|size| size as u32);
        capabilities.matrix == Some(fragment)
            && capabilities.subgroup.is_some_and(|[least, most]| (least..=most).contains(&subgroup))
            && self.workgroup().fits(capabilities.workgroup)
    }

    /// The workgroup it asks for.
    pub(super) fn workgroup(self) -> Workgroup {
        const PADDING: usize = 8;
        let subgroups = self.subgroups() * self.slices;
        let staged = self.slices * (self.tile_channels + self.tile_pixels) * (self.tile_depth + PADDING);
        let sums = subgroups * self.fragment.pow(2);
        Workgroup {
            invocations: (subgroups * self.subgroup) as u32,
            bytes: (staged * Precision::F16.bytes() + sums * Precision::F32.bytes()) as u32,
        }
    }

    /// The convolution with this tile.
    pub(super) fn kernel(self, convolution: &Convolution) -> Kernel {
        let variant = self.variant(convolution.dtypes(), self.depth(convolution));
        let [pixel_groups, channel_groups] = self.tile().groups(convolution);
        Kernel::new(variant, &conv_tiled::params(convolution), pixel_groups, channel_groups)
    }

    /// What lies along the depth of its matrices: few input channels would leave it empty, and take their taps into it.
    fn depth(self, convolution: &Convolution) -> Depth {
        let channels = convolution.source.shape.channels;
        match convolution.prologue {
            Some(_) => Depth::NormedChannels,
            None if taps(convolution) > 1 && 2 * channels <= self.tile_depth => Depth::TapsOfChannels,
            None => Depth::Channels,
        }
    }

    fn variant(self, dtypes: Dtypes, depth: Depth) -> Variant {
        let [a, b, c] = match self.fragment {
            16 => ["coop_mat16x16<f16, A>", "coop_mat16x16<f16, B>", "coop_mat16x16<f32, C>"],
            _ => ["coop_mat8x8<f16, A>", "coop_mat8x8<f16, B>", "coop_mat8x8<f32, C>"],
        };
        let variant = Variant::new(Shader::ConvMatrix).dtypes(dtypes).sizes(self.constants());
        let variant = variant.flag("PROLOGUE", depth == Depth::NormedChannels).flag("FOLDED", depth == Depth::TapsOfChannels);
        variant.alias("MatrixA", a).alias("MatrixB", b).alias("MatrixC", c)
    }

    /// As [`conv_tiled::Sizes::cost`]; matrix units multiply so fast that staging weighs as much.
    pub(super) fn cost(self, convolution: &Convolution, invocations: f64) -> f64 {
        let groups: usize = self.tile().groups(convolution).iter().product();
        let staging = 4.0 / self.tile_channels as f64 + 4.0 / self.tile_pixels as f64;
        let busy = (groups * self.subgroups() * self.slices) as f64 * BUSY_AS / invocations;
        let tile = self.tile();
        let multiply_adds = match self.depth(convolution) {
            Depth::Channels | Depth::NormedChannels => tile.multiply_adds(convolution),
            Depth::TapsOfChannels => tile.folded_multiply_adds(convolution),
        };
        multiply_adds * (0.125 + staging) / busy.min(1.0)
    }

    fn tile(self) -> Staged {
        Staged { channels: self.tile_channels, pixels: self.tile_pixels, depth: self.tile_depth * self.slices }
    }
}

/// What is multiplied by what, along the depth of matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Input channels, one tap after the other.
    Channels,
    /// The same behind a norm and its ReLU.
    NormedChannels,
    /// All taps of all input channels.
    TapsOfChannels,
}

impl Depth {
    const ALL: [Self; 3] = [Self::Channels, Self::NormedChannels, Self::TapsOfChannels];
}

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    let dtypes = || Dtypes::all().filter(|dtypes| dtypes.weights == Precision::F16);
    let variants = |sizes: Sizes| dtypes().flat_map(move |dtypes| Depth::ALL.map(|depth| sizes.variant(dtypes, depth)));
    Sizes::ALL.into_iter().flatten().flat_map(variants).collect()
}
