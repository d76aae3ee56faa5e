//! The input of the network for one source.

use crate::image::Prepared;

/// The input of the network for one source.
#[derive(Debug)]
pub(super) enum Images {
    /// One picture, ten crops of it of equal size, or itself and its mirror image.
    Pictures(Vec<Prepared>),
    /// Numbers `[C, H, W]`, all of them finite.
    Values { values: Vec<f32>, size: [usize; 2] },
}

impl Images {
    /// The number of images.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Pictures(pictures) => pictures.len(),
            Self::Values { .. } => 1,
        }
    }

    /// Height and width of each.
    pub(super) fn size(&self) -> [usize; 2] {
        match self {
            Self::Pictures(pictures) => pictures.first().map_or([0, 0], |first| [first.picture.height(), first.picture.width()]),
            Self::Values { size, .. } => *size,
        }
    }

    /// Whether both can be in one run.
    pub(super) fn run_with(&self, other: &Self) -> bool {
        matches!(self, Self::Values { .. }) == matches!(other, Self::Values { .. }) && self.size() == other.size()
    }

    /// The pictures; empty for values.
    pub(super) fn pictures(&self) -> &[Prepared] {
        match self {
            Self::Pictures(pictures) => pictures,
            Self::Values { .. } => &[],
        }
    }

    /// The numbers `[N, C, H, W]`.
    pub(super) fn values(&self) -> Vec<f32> {
        match self {
            Self::Pictures(pictures) => pictures.iter().flat_map(|prepared| prepared.samples().values()).collect(),
            Self::Values { values, .. } => values.clone(),
        }
    }
}
