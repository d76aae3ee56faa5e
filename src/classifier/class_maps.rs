//! Maps of where in a picture each class was seen.

use std::slice::ChunksExact;

use crate::error::{Error, Result};
use crate::image::Heatmap;

/// For each class, a map of how much each position of a picture contributes to it, in units of its logit
/// ([`Checkpoint::with_class_maps`](crate::Checkpoint::with_class_maps)).
#[derive(Debug, Clone, PartialEq)]
pub struct ClassMaps {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) values: Vec<f32>,
}

impl ClassMaps {
    /// Height of each map.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width of each map.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All maps, `[classes, height, width]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The map of a class, `[height, width]`; `None` if there is no such class.
    pub fn of(&self, class: usize) -> Option<&[f32]> {
        self.maps().nth(class)
    }

    /// The map of a class, to be drawn over the picture. Errors if there is no such class.
    pub fn heatmap(&self, class: usize) -> Result<Heatmap> {
        let map = self.of(class).ok_or_else(|| {
            let expected = format!("one of {} classes, counted from 0", self.maps().len());
            Error::Input { expected, found: format!("class {class}") }
        })?;
        Heatmap::new(self.height, self.width, map.to_vec())
    }

    fn maps(&self) -> ChunksExact<'_, f32> {
        self.values.chunks_exact((self.height * self.width).max(1))
    }
}
