//! The model that made a row.

use densenet_wgpu::Checkpoint;

/// The model that made a row, identified well enough to distinguish `runs/1/best.pth` from `runs/2/best.pth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    /// Its name.
    pub(crate) name: String,
    /// A hash of its tensors.
    pub(crate) identity: String,
}

impl From<&Checkpoint> for Model {
    fn from(model: &Checkpoint) -> Self {
        Self { name: model.name.clone(), identity: model.weights.identity() }
    }
}
