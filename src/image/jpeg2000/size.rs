//! How large a picture and its tiles are.

/// Table A.10 of the standard: the index of a tile has 16 bits, the last of which no tile has.
const MAX_TILES: u64 = 65535;

/// The picture and its tiles on their grid (A.5.1), across and down.
pub(super) struct Size {
    pub(super) begin: [u32; 2],
    pub(super) end: [u32; 2],
    pub(super) tile: [u32; 2],
    tile_begin: [u32; 2],
    pub(super) components: Vec<Component>,
    pub(super) is_subsampled: bool,
}

impl Size {
    pub(super) fn of(segment: &[u8]) -> Option<Self> {
        let (_, after) = segment.split_first_chunk::<2>()?;
        let (sides, after) = after.split_first_chunk::<32>()?;
        let side = |place: usize| sides.as_chunks().0.get(place).map_or(0, |&bytes| u32::from_be_bytes(bytes));
        let (&count, after) = after.split_first_chunk()?;
        let (coded, beyond) = after.as_chunks::<3>();
        if !beyond.is_empty() || coded.len() != usize::from(u16::from_be_bytes(count)) || !(1..=4).contains(&coded.len()) {
            return None;
        }
        Some(Self {
            end: [side(0), side(1)],
            begin: [side(2), side(3)],
            tile: [side(4), side(5)],
            tile_begin: [side(6), side(7)],
            components: coded
                .iter()
                .map(|[bits, ..]| Component { bits: u32::from(bits & 0x7f) + 1, is_signed: bits & 0x80 != 0 })
                .collect(),
            is_subsampled: coded.iter().any(|[_, across, down]| [*across, *down] != [1, 1]),
        })
    }

    /// The number of tiles; `None` if the picture or a tile is empty, or there are too many tiles.
    pub(super) fn tiles(&self) -> Option<usize> {
        let along = |side: usize| {
            let is_sound = self.begin[side] < self.end[side] && self.tile_begin[side] <= self.begin[side] && self.tile[side] > 0;
            is_sound.then(|| u64::from((self.end[side] - self.tile_begin[side]).div_ceil(self.tile[side])))
        };
        let tiles = along(0)?.checked_mul(along(1)?)?;
        (tiles <= MAX_TILES).then_some(tiles as usize)
    }
}

/// The samples of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::image) struct Component {
    pub(in crate::image) bits: u32,
    pub(in crate::image) is_signed: bool,
}
