//! Lanes: invocations of a subgroup that broadcast what each of them loaded, in the kernels for software adapters.

/// How many broadcast to each other.
pub(super) const LANES: usize = 8;

/// Whether a workgroup has all lanes to broadcast weights, which own whole quads of a tile's channels.
pub(super) const fn has_all_lanes(workgroup: usize, tile_channels: usize) -> bool {
    workgroup.is_multiple_of(LANES) && tile_channels.is_multiple_of(4)
}
