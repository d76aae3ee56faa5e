//! The architecture of a network in a file: what its shapes tell, and what they do not.

use super::Metadata;
use crate::arch::{Config, Stem};
use crate::error::Result;
use crate::weights::dialect::Network;
use crate::weights::infer::infer_with_downsampling;
use crate::weights::preprocessing::timm::ConfigJson;
use crate::weights::read_options::StemDownsampling;
use crate::weights::{AssumedField, Assumption};

/// The architecture of a network, the layers of whose head it takes over.
pub(super) fn infer(network: &mut Network, stem: StemDownsampling) -> Result<Config> {
    let is_in_head = |name: &str| name.starts_with("classifier.") && !network.head.is_empty();
    let shapes = network.tensors.iter().filter(|(name, _)| !is_in_head(name));
    let shapes = shapes.map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()));
    let config = infer_with_downsampling(shapes, stem.or(network.stem))?;
    Ok(if network.head.is_empty() { config } else { config.with_head(std::mem::take(&mut network.head)) })
}

/// Completes an architecture with what shapes do not tell: as the metadata says, else the network, else `config.json`.
pub(super) fn complete(config: &mut Config, metadata: &Metadata, network: &mut Network, config_json: Option<&ConfigJson>) {
    config.epsilon = metadata.epsilon.or(network.epsilon).unwrap_or(config.epsilon);
    config.final_relu = metadata.final_relu.or(network.final_relu).unwrap_or(true);
    config.transition_relu = metadata.transition_relu.or(network.transition_relu).unwrap_or(true);
    let Stem::Deep { widths, .. } = config.stem else { return };
    let stated = metadata.blur.or(network.blur).or(config_json.map(|config_json| config_json.blur));
    // timm has one architecture of each kind.
    let sharp = Config { stem: Stem::Deep { widths, blur: false }, ..config.clone() };
    let blur = stated.unwrap_or(sharp.features_name().is_none());
    config.stem = Stem::Deep { widths, blur };
    if stated.is_none() {
        let like = if blur { "densenetblur121d" } else { "densenet264d" };
        let why = format!("weights do not tell whether the stem's pool blurs, and {like} has this");
        network.assumed.push(Assumption::of(AssumedField::Blur, blur.to_string(), why));
    }
}
