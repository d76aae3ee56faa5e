//! fastai's heads, as its `create_head` makes them.

use super::layer::{Layer, NORM};
use crate::head::HeadLayer;
use crate::weights::dialect::pytorch::root::Root;
use crate::weights::read_options::HeadStep;

/// The names of the layers that have tensors.
const NAMES: [&str; 4] = ["1.2", "1.4", "1.6", "1.8"];

/// All layers.
pub(super) const STEPS: [HeadStep; 8] = [
    HeadStep::Pool(HeadLayer::MaxMeanPool),
    NORM,
    HeadStep::Nothing,
    HeadStep::Linear,
    HeadStep::Activation(HeadLayer::Relu),
    NORM,
    HeadStep::Nothing,
    HeadStep::Linear,
];

/// Whether the layers are a head of fastai's: its `create_body` takes a DenseNet's features alone, without the ReLU behind them, and its
/// head is beside them and reads maxima and means.
pub(super) fn is_head(root: &Root, chain: &[Layer], features: usize) -> bool {
    let Some(around) = root.prefix.strip_suffix("0.0.") else { return false };
    let is_beside = |layer: &Layer| layer.path.strip_prefix(around).is_some_and(|rest| rest.starts_with("1."));
    chain.iter().all(is_beside) && chain.first().is_some_and(|layer| layer.kind.inputs() != features)
}

/// Whether the layers with tensors are those of fastai's by name and kind.
pub(super) fn has_its_layers(chain: &[Layer]) -> bool {
    let has_names = chain.len() == NAMES.len() && chain.iter().zip(NAMES).all(|(layer, own)| layer.path.ends_with(own));
    has_names && chain.iter().map(|layer| layer.kind.step()).eq([NORM, HeadStep::Linear, NORM, HeadStep::Linear])
}

/// What is noted where these steps are taken.
pub(super) const NOTE: &str = "has the layers of fastai's cnn_learner: maxima and means, norms, one ReLU between two linear layers, and none \
                               behind the last norm of the DenseNet (`head_layers` says otherwise)";
