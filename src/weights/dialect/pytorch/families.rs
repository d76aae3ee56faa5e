//! Names of layers: torchvision's and those of its relatives.

use crate::weights::dialect::Dialect;

/// Names of one family. In a pattern `#` stands for a number counted from 1, `@` for one counted from 0; the network's
/// own name has `#` for both.
pub(super) struct Family {
    /// The stem's first convolution, by which a network is found in a file.
    pub(super) stem: &'static str,
    /// What the name of a dense layer's tensor begins with: without one it is another network's stem.
    pub(super) block: &'static str,
    /// Patterns, this library's name of the layer, and the dialect.
    pub(super) layers: &'static [(&'static str, &'static str, Dialect)],
}

pub(super) const FAMILIES: [Family; 5] = [
    Family {
        stem: "conv0",
        block: "denseblock",
        layers: &[
            ("conv0", "conv0", Dialect::Torchvision),
            ("norm0", "norm0", Dialect::Torchvision),
            ("conv1", "conv1", Dialect::Timm),
            ("norm1", "norm1", Dialect::Timm),
            ("conv2", "conv2", Dialect::Timm),
            ("norm2", "norm2", Dialect::Timm),
            ("denseblock#.denselayer#.norm1", "denseblock#.denselayer#.norm1", Dialect::Torchvision),
            ("denseblock#.denselayer#.conv1", "denseblock#.denselayer#.conv1", Dialect::Torchvision),
            ("denseblock#.denselayer#.norm2", "denseblock#.denselayer#.norm2", Dialect::Torchvision),
            ("denseblock#.denselayer#.conv2", "denseblock#.denselayer#.conv2", Dialect::Torchvision),
            ("denseblock#.denselayer#.norm.1", "denseblock#.denselayer#.norm1", Dialect::TorchvisionLegacy),
            ("denseblock#.denselayer#.conv.1", "denseblock#.denselayer#.conv1", Dialect::TorchvisionLegacy),
            ("denseblock#.denselayer#.norm.2", "denseblock#.denselayer#.norm2", Dialect::TorchvisionLegacy),
            ("denseblock#.denselayer#.conv.2", "denseblock#.denselayer#.conv2", Dialect::TorchvisionLegacy),
            ("denseblock#.denselayer#.layers.norm1", "denseblock#.denselayer#.norm1", Dialect::Monai),
            ("denseblock#.denselayer#.layers.conv1", "denseblock#.denselayer#.conv1", Dialect::Monai),
            ("denseblock#.denselayer#.layers.norm2", "denseblock#.denselayer#.norm2", Dialect::Monai),
            ("denseblock#.denselayer#.layers.conv2", "denseblock#.denselayer#.conv2", Dialect::Monai),
            ("transition#.norm", "transition#.norm", Dialect::Torchvision),
            ("transition#.conv", "transition#.conv", Dialect::Torchvision),
            ("norm5", "norm5", Dialect::Torchvision),
            ("norm_final", "norm5", Dialect::Gpleiss),
        ],
    },
    Family {
        stem: "conv1",
        block: "block1.layer.",
        layers: &[
            ("conv1", "conv0", Dialect::Andreasveit),
            ("block#.layer.@.bn1", "denseblock#.denselayer#.norm1", Dialect::Andreasveit),
            ("block#.layer.@.conv1", "denseblock#.denselayer#.conv1", Dialect::Andreasveit),
            ("block#.layer.@.bn2", "denseblock#.denselayer#.norm2", Dialect::Andreasveit),
            ("block#.layer.@.conv2", "denseblock#.denselayer#.conv2", Dialect::Andreasveit),
            ("trans#.bn1", "transition#.norm", Dialect::Andreasveit),
            ("trans#.conv1", "transition#.conv", Dialect::Andreasveit),
            ("bn1", "norm5", Dialect::Andreasveit),
        ],
    },
    Family {
        stem: "conv1",
        block: "dense1.",
        layers: &[
            ("conv1", "conv0", Dialect::Bamos),
            ("dense#.@.bn1", "denseblock#.denselayer#.norm1", Dialect::Bamos),
            ("dense#.@.conv1", "denseblock#.denselayer#.conv1", Dialect::Bamos),
            ("dense#.@.bn2", "denseblock#.denselayer#.norm2", Dialect::Bamos),
            ("dense#.@.conv2", "denseblock#.denselayer#.conv2", Dialect::Bamos),
            ("trans#.bn1", "transition#.norm", Dialect::Bamos),
            ("trans#.conv1", "transition#.conv", Dialect::Bamos),
            ("trans#.bn", "transition#.norm", Dialect::Kuangliu),
            ("trans#.conv", "transition#.conv", Dialect::Kuangliu),
            ("bn1", "norm5", Dialect::Bamos),
            ("bn", "norm5", Dialect::Bearpaw),
        ],
    },
    Family {
        stem: "conv1",
        block: "features.dense_block",
        layers: &[
            ("conv1", "conv0", Dialect::Weiaicunzai),
            ("features.dense_block_layer_@.bottle_neck_layer_@.bottle_neck.0", "denseblock#.denselayer#.norm1", Dialect::Weiaicunzai),
            ("features.dense_block_layer_@.bottle_neck_layer_@.bottle_neck.2", "denseblock#.denselayer#.conv1", Dialect::Weiaicunzai),
            ("features.dense_block_layer_@.bottle_neck_layer_@.bottle_neck.3", "denseblock#.denselayer#.norm2", Dialect::Weiaicunzai),
            ("features.dense_block_layer_@.bottle_neck_layer_@.bottle_neck.5", "denseblock#.denselayer#.conv2", Dialect::Weiaicunzai),
            ("features.dense_block@.bottle_neck_layer_@.bottle_neck.0", "denseblock#.denselayer#.norm1", Dialect::Weiaicunzai),
            ("features.dense_block@.bottle_neck_layer_@.bottle_neck.2", "denseblock#.denselayer#.conv1", Dialect::Weiaicunzai),
            ("features.dense_block@.bottle_neck_layer_@.bottle_neck.3", "denseblock#.denselayer#.norm2", Dialect::Weiaicunzai),
            ("features.dense_block@.bottle_neck_layer_@.bottle_neck.5", "denseblock#.denselayer#.conv2", Dialect::Weiaicunzai),
            ("features.transition_layer_@.down_sample.0", "transition#.norm", Dialect::Weiaicunzai),
            ("features.transition_layer_@.down_sample.1", "transition#.conv", Dialect::Weiaicunzai),
            ("features.bn", "norm5", Dialect::Weiaicunzai),
        ],
    },
    Family {
        stem: "stem.0",
        block: "stages.0.block.",
        layers: &[
            ("stem.0", "conv0", Dialect::Mmpretrain),
            ("stem.1", "norm0", Dialect::Mmpretrain),
            ("stages.@.block.@.norm1", "denseblock#.denselayer#.norm1", Dialect::Mmpretrain),
            ("stages.@.block.@.conv1", "denseblock#.denselayer#.conv1", Dialect::Mmpretrain),
            ("stages.@.block.@.norm2", "denseblock#.denselayer#.norm2", Dialect::Mmpretrain),
            ("stages.@.block.@.conv2", "denseblock#.denselayer#.conv2", Dialect::Mmpretrain),
            ("transitions.@.norm", "transition#.norm", Dialect::Mmpretrain),
            ("transitions.@.conv", "transition#.conv", Dialect::Mmpretrain),
            // The last one is a batch norm and a ReLU.
            ("transitions.@.0", "norm5", Dialect::Mmpretrain),
        ],
    },
];

/// The names of a layer's tensors.
pub(super) const PARAMETERS: [&str; 5] = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];

/// What sharding, compiling and recomputing put into names.
const WRAPPERS: [&str; 3] = ["_fsdp_wrapped_module.", "_orig_mod.", "_checkpoint_wrapped_module."];

/// This library's name of a family's layer, and the dialect of the name in the file.
pub(super) fn own_layer(family: &Family, layer: &str) -> Option<(String, Dialect)> {
    let layer = WRAPPERS.iter().fold(layer.to_owned(), |layer, wrapper| layer.replace(wrapper, ""));
    family.layers.iter().find_map(|(from, to, dialect)| Some((renamed(&layer, from, to)?, *dialect)))
}

/// `name` after the pattern `to`, where it follows the pattern `from`.
fn renamed(name: &str, from: &str, to: &str) -> Option<String> {
    let mut numbers = Vec::new();
    let mut rest = name;
    for (index, literal) in from.split(['#', '@']).enumerate() {
        if index > 0 {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: usize = rest[..digits].parse().ok().filter(|_| digits == 1 || !rest.starts_with('0'))?;
            let kind = from.matches(['#', '@']).nth(index - 1);
            numbers.push(if kind == Some("@") { number.checked_add(1)? } else { number });
            rest = &rest[digits..];
        }
        rest = rest.strip_prefix(literal)?;
    }
    if !rest.is_empty() {
        return None;
    }
    let mut numbers = numbers.into_iter().map(|number| number.to_string());
    let mut parts = to.split('#');
    let mut own = parts.next()?.to_owned();
    for part in parts {
        own += &(numbers.next()? + part);
    }
    Some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_carry_numbers_over() {
        let layer = "denseblock#.denselayer#.norm1";
        assert_eq!(
            renamed("denseblock2.denselayer13.norm.1", "denseblock#.denselayer#.norm.1", layer).unwrap(),
            "denseblock2.denselayer13.norm1"
        );
        assert_eq!(renamed("stages.0.block.9.norm1", "stages.@.block.@.norm1", layer).unwrap(), "denseblock1.denselayer10.norm1");
        assert_eq!(renamed("transitions.3.0", "transitions.@.0", "norm5").unwrap(), "norm5");
        for other in [
            "denseblock2.denselayer.norm1",
            "denseblock2.denselayer1.norm12",
            "denseblock02.denselayer1.norm1",
            "denseblock2x.denselayer1.norm1",
        ] {
            assert_eq!(renamed(other, layer, layer), None, "{other}");
        }
    }

    #[test]
    fn every_family_begins_with_its_stem() {
        for family in &FAMILIES {
            assert_eq!((family.layers[0].0, family.layers[0].1), (family.stem, "conv0"));
            assert!(family.layers.iter().any(|(_, own, _)| *own == "norm5"));
        }
    }
}
