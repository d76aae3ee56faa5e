//! How tiles are coded, and how much memory that takes.

/// How tiles are coded (A.6.1).
pub(super) struct Style {
    pub(super) layers: u16,
    pub(super) has_colour_transform: bool,
    pub(super) blocks: Blocks,
}

impl Style {
    pub(super) fn of(segment: &[u8]) -> Option<Self> {
        let [flags, _, high, low, transform, blocks @ ..] = segment else { return None };
        let layers = u16::from_be_bytes([*high, *low]);
        Some(Self { layers, has_colour_transform: *transform == 1, blocks: Blocks::of(*flags, blocks)? })
    }
}

/// How a tile's channel is cut into code-blocks. Sides are powers of two, across and down.
#[derive(Clone)]
pub(super) struct Blocks {
    block: [u8; 2],
    /// Whether a pass of a block may be a segment of its own.
    has_many_segments: bool,
    /// Precincts of each resolution, the lowest first.
    precincts: Vec<[u8; 2]>,
}

impl Blocks {
    pub(super) fn of(flags: u8, parameters: &[u8]) -> Option<Self> {
        let [levels, across, down, style, _, precincts @ ..] = parameters else { return None };
        let resolutions = usize::from(*levels) + 1;
        let precincts = if flags & 1 == 0 {
            precincts.is_empty().then(|| vec![[15, 15]; resolutions])?
        } else {
            (precincts.len() == resolutions).then_some(precincts)?.iter().map(|sides| [sides & 15, sides >> 4]).collect()
        };
        let is_sound = *levels <= 32 && *across <= 8 && *down <= 8;
        is_sound.then(|| Self { block: [across + 2, down + 2], has_many_segments: style & 5 != 0, precincts })
    }

    /// Upper bound of the memory that the decoder needs for the blocks of a tile: each has a part in each layer, and nodes in two trees.
    pub(super) fn byte_size(&self, tile: [u32; 2], layers: u16, byte_len: usize) -> u64 {
        let count = |resolution: usize, precinct: &[u8; 2]| {
            let reduced = self.precincts.len() - 1 - resolution;
            let side = |at: usize| u64::from(tile[at].checked_shr(reduced as u32).unwrap_or(0));
            let across = |at: usize, power: u8| (side(at) >> power) + 2;
            // A higher resolution adds three bands of half its size.
            let (bands, halves) = if resolution == 0 { (1, 0) } else { (3, 1) };
            let along = |at: usize| across(at, self.block[at].min(precinct[at].saturating_sub(halves)) + halves);
            let precincts = across(0, precinct[0]).saturating_mul(across(1, precinct[1]));
            let blocks = along(0).saturating_mul(along(1));
            precincts.saturating_mul(bands * 128).saturating_add(blocks.saturating_mul(bands * (192 + 64 * u64::from(layers))))
        };
        let blocks = self.precincts.iter().enumerate().map(|(resolution, precinct)| count(resolution, precinct));
        let segments = if self.has_many_segments { 96 * byte_len as u64 } else { 0 };
        blocks.fold(segments, u64::saturating_add)
    }
}
