//! `shaders/conv_matrix.wgsl`: any convolution by a GPU's matrix units.

use super::{Capabilities, Convolution, Kernel, Precision, Shader, Tile, Types, Variant, Workgroup, conv_tiled};

pub(super) use super::conv_tiled::Params;

/// A tile for matrices of that side and subgroups of that size.
macro_rules! sizes {
    ($fragment:literal, $subgroup:literal, $channels:literal x $pixels:literal x $depth:literal, $own_channels:literal x $own_pixels:literal, $slices:literal) => {
        Tile {
            shader: Shader::ConvMatrix,
            sizes: &[
                ("FRAGMENT", $fragment),
                ("SUBGROUP", $subgroup),
                ("TILE_CHANNELS", $channels),
                ("TILE_PIXELS", $pixels),
                ("TILE_DEPTH", $depth),
                ("SUBGROUP_CHANNELS", $own_channels),
                ("SUBGROUP_PIXELS", $own_pixels),
                ("SLICES", $slices),
            ],
        }
    };
}

/// As `conv_tiled` has them: large tiles for large batches, wide ones for a dense layer's few channels, one that is not
/// deep, for the stem, and slices for small pictures.
macro_rules! tiles {
    ($fragment:literal, $subgroup:literal) => {
        [
            sizes!($fragment, $subgroup, 128 x 128 x 32, 64 x 32, 1),
            sizes!($fragment, $subgroup, 128 x 64 x 32, 32 x 32, 1),
            sizes!($fragment, $subgroup, 64 x 64 x 32, 32 x 32, 1),
            sizes!($fragment, $subgroup, 64 x 64 x 16, 32 x 32, 1),
            sizes!($fragment, $subgroup, 32 x 128 x 32, 32 x 32, 1),
            sizes!($fragment, $subgroup, 32 x 32 x 16, 32 x 32, 4),
            sizes!($fragment, $subgroup, 32 x 16 x 16, 16 x 16, 4),
        ]
    };
}

/// For the matrices and subgroups of NVIDIA's and other GPUs, of AMD's with 64 lanes, of Apple's, and of Mesa's lavapipe.
pub(super) const TILES: [[Tile; 7]; 4] = [tiles!(16, 32), tiles!(16, 64), tiles!(8, 32), tiles!(8, 8)];

/// Every variant a plan may contain.
pub(crate) fn variants() -> Vec<Variant> {
    let types = || Types::all().filter(|types| types.weights == Precision::F16);
    let variants = |tile: Tile| types().flat_map(move |types| [false, true].map(|prologue| variant(tile, types, prologue)));
    TILES.into_iter().flatten().flat_map(variants).collect()
}

fn variant(tile: Tile, types: Types, prologue: bool) -> Variant {
    let [a, b, c] = match tile.size("FRAGMENT") {
        16 => ["coop_mat16x16<f16, A>", "coop_mat16x16<f16, B>", "coop_mat16x16<f32, C>"],
        _ => ["coop_mat8x8<f16, A>", "coop_mat8x8<f16, B>", "coop_mat8x8<f32, C>"],
    };
    conv_tiled::variant(tile, types, prologue).alias("MatrixA", a).alias("MatrixB", b).alias("MatrixC", c)
}

/// The convolution with this tile.
pub(super) fn kernel(tile: Tile, convolution: &Convolution) -> Kernel {
    let variant = variant(tile, convolution.types(), convolution.prologue.is_some());
    let [pixel_groups, channel_groups] = conv_tiled::groups(tile, convolution);
    Kernel::new(variant, &conv_tiled::params(convolution), pixel_groups, channel_groups)
}

/// Whether the device multiplies such matrices, all its subgroups are of the tile's size, and the workgroup fits.
pub(super) fn runs_on(tile: Tile, capabilities: &Capabilities) -> bool {
    let [fragment, subgroup] = ["FRAGMENT", "SUBGROUP"].map(|name| tile.size(name) as u32);
    capabilities.matrix == Some(fragment)
        && capabilities.subgroup == Some([subgroup, subgroup])
        && workgroup(tile).fits(capabilities.workgroup)
}

/// [`Tile::workgroup`].
pub(super) fn workgroup(tile: Tile) -> Workgroup {
    const PADDING: usize = 8;
    let size = |name| tile.size(name);
    let staged = size("SLICES") * size("TILE_DEPTH") * (size("TILE_CHANNELS") + size("TILE_PIXELS") + 2 * PADDING);
    let sums = subgroups(tile) * size("FRAGMENT").pow(2);
    Workgroup {
        invocations: (subgroups(tile) * size("SUBGROUP")) as u32,
        bytes: (staged * Precision::F16.bytes() + sums * Precision::F32.bytes()) as u32,
    }
}

fn subgroups(tile: Tile) -> usize {
    let size = |name| tile.size(name);
    size("TILE_CHANNELS") / size("SUBGROUP_CHANNELS") * (size("TILE_PIXELS") / size("SUBGROUP_PIXELS")) * size("SLICES")
}

/// Invocations of other kernels that keep a device as busy as one subgroup with its matrices.
const BUSY_AS: f64 = 64.0;

/// [`Tile::cost`]: matrix units multiply so fast that staging weighs as much.
pub(super) fn cost(tile: Tile, convolution: &Convolution, invocations: f64) -> f64 {
    let size = |name| tile.size(name) as f64;
    let groups: usize = conv_tiled::groups(tile, convolution).iter().product();
    let staging = 4.0 / size("TILE_CHANNELS") + 4.0 / size("TILE_PIXELS");
    let busy = (groups * subgroups(tile)) as f64 * BUSY_AS / invocations;
    conv_tiled::multiply_adds(tile, convolution) * (0.125 + staging) / busy.min(1.0)
}
