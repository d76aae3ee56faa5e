//! The layers with tensors of a file, in the order of the network.

use std::collections::BTreeMap;

use crate::weights::container::{Contents, Stored};
use crate::weights::dialect::Network;

/// The tensors of one Keras layer.
pub(super) struct Layer<'a> {
    pub(super) name: String,
    pub(super) tensors: Vec<(String, Stored<'a>)>,
}

impl<'a> Layer<'a> {
    /// The tensor called `part`, or at `position` in files that number them.
    pub(super) fn tensor(&self, part: &str, position: usize) -> Option<&Stored<'a>> {
        let number = position.to_string();
        self.tensors.iter().find(|(name, _)| name == part || *name == number).map(|(_, tensor)| tensor)
    }

    pub(super) fn kernel(&self, dimensions: usize) -> Option<&Stored<'a>> {
        self.tensor("kernel", 0).filter(|kernel| kernel.shape.len() == dimensions)
    }

    /// Gives the tensors of a dense layer that name.
    pub(super) fn put(&self, own: &str, network: &mut Network<'a>) {
        if let Some(kernel) = self.kernel(2) {
            network.tensors.insert(format!("{own}.weight"), kernel.permuted(&[1, 0]));
        }
        if let Some(bias) = self.tensor("bias", 1) {
            network.tensors.insert(format!("{own}.bias"), bias.clone());
        }
    }

    /// Gives the tensors of a batch norm that name.
    pub(super) fn put_norm(&self, own: &str, network: &mut Network<'a>) {
        let parts = [("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean"), ("moving_variance", "running_var")];
        for (position, (part, parameter)) in parts.into_iter().enumerate() {
            if let Some(tensor) = self.tensor(part, position) {
                network.tensors.insert(format!("{own}.{parameter}"), tensor.clone());
            }
        }
    }

    /// Whether it has the mean and variance of pictures, and how many there were.
    pub(super) fn is_normalisation(&self) -> bool {
        let numbers = |part, position| self.tensor(part, position).is_some_and(|tensor| tensor.shape.len() <= 4);
        (2..=3).contains(&self.tensors.len()) && numbers("mean", 0) && numbers("variance", 1)
    }

    pub(super) fn is_norm(&self) -> bool {
        self.tensors.len() == 4 && self.tensors.iter().all(|(_, tensor)| tensor.shape.len() == 1)
    }
}

/// The layers of a file in the order of the network.
pub(super) fn layers<'a>(contents: &Contents<'a>) -> Vec<Layer<'a>> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut positions: BTreeMap<String, usize> = BTreeMap::new();
    for tensor in &contents.tensors {
        let (path, part) = tensor.name.rsplit_once('/').unwrap_or(("", &tensor.name));
        let name = path.strip_suffix("/vars").unwrap_or(path);
        let position = *positions.entry(name.to_owned()).or_insert_with(|| {
            layers.push(Layer { name: name.to_owned(), tensors: Vec::new() });
            layers.len() - 1
        });
        layers[position].tensors.push((part.to_owned(), tensor.clone()));
    }
    let is_application =
        |layer: &Layer| layer.tensors.len() < 4 && layer.kernel(4).is_none() || application_position(&layer.name).is_some();
    if layers.iter().all(is_application) {
        // Files of partly frozen models list the trained layers first; the names still have their order.
        layers.sort_by_key(|layer| application_position(&layer.name));
    } else if contents.tensors.iter().all(|tensor| tensor.name.contains("/vars/")) {
        layers.sort_by_cached_key(|layer| layer.name.split('/').map(numbered).collect::<Vec<_>>());
    }
    layers
}

/// `conv2d_12` as `("conv2d", 12)`: Keras 3 counts the layers of a class, the first without a number.
fn numbered(name: &str) -> (String, usize) {
    let split = name.rsplit_once('_').and_then(|(class, number)| Some((class.to_owned(), number.parse().ok()?)));
    split.unwrap_or((name.to_owned(), 0))
}

/// Where Keras Applications' layer of that name is in its network: block, layer in the block, part of the layer.
fn application_position(name: &str) -> Option<(usize, usize, usize)> {
    let name = name.rsplit('/').next().unwrap_or(name);
    if name == "bn" {
        return Some((usize::MAX, 0, 0));
    }
    let (stem, kind) = name.rsplit_once('_')?;
    let kind = match kind {
        "bn" => 0,
        "conv" => 1,
        _ => return None,
    };
    if stem == "conv1" {
        return Some((1, 0, kind));
    }
    if let Some(block) = stem.strip_prefix("pool") {
        return Some((block.parse().ok()?, usize::MAX, kind));
    }
    let (block, layer) = stem.strip_prefix("conv")?.split_once("_block")?;
    let (layer, part) = layer.split_once('_')?;
    Some((block.parse().ok()?, layer.parse().ok()?, 2 * part.parse::<usize>().ok()?.min(2) + kind))
}

/// The norms with those of a head at the end: where there are more than the network has, its own are in the model of its convolutions.
pub(super) fn in_order<'a>(norms: Vec<Layer<'a>>, convs: &[Layer], count: usize) -> Vec<Layer<'a>> {
    fn holder(name: &str) -> &str {
        name.rsplit_once('/').map_or("", |(holder, _)| holder)
    }
    let own = convs.first().map_or("", |conv| holder(&conv.name));
    let is_own = |norm: &Layer| holder(&norm.name) == own;
    if norms.len() <= count || norms.iter().filter(|norm| is_own(norm)).count() != count {
        return norms;
    }
    let (own, others): (Vec<_>, Vec<_>) = norms.into_iter().partition(is_own);
    own.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_applications_are_in_the_order_of_the_network() {
        let names = [
            "conv1_bn",
            "conv1_conv",
            "conv2_block1_0_bn",
            "conv2_block1_1_bn",
            "conv2_block1_1_conv",
            "conv2_block1_2_conv",
            "conv2_block2_0_bn",
            "conv2_block10_0_bn",
            "pool2_bn",
            "pool2_conv",
            "conv3_block1_0_bn",
            "bn",
        ];
        let positions: Vec<_> = names.iter().map(|name| application_position(name).unwrap()).collect();
        assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
        for other in ["conv1", "conv1/conv", "relu", "conv2d_1", "predictions", "conv2_block1_conv", "_bn"] {
            assert_eq!(application_position(other), None, "{other}");
        }
    }

    #[test]
    fn counted_names_are_in_the_order_of_their_numbers() {
        let mut names = ["conv2d_10", "conv2d", "conv2d_2"];
        names.sort_by_key(|name| numbered(name));
        assert_eq!(names, ["conv2d", "conv2d_2", "conv2d_10"]);
    }
}
