//! Networks whose dense layers put their new channels first: the same network once the channels are in order.

use crate::arch::Config;
use crate::error::{Error, Result};
use crate::weights::{Tensor, Weights};

/// Puts the channels that each layer reads in this library's order: what came into the block, then the layers' in turn. In the file
/// the last layer's come first and what came into the block last.
///
/// Errors where the classifier has several layers: it is not known which of them reads which channels.
pub(in crate::weights) fn reverse(weights: &mut Weights, config: &Config) -> Result<()> {
    if !config.head.is_empty() {
        let found = config.to_string();
        return Err(Error::checkpoint(format!("expected one linear layer behind channels that come first, found {found}")));
    }
    let growth = config.growth_rate;
    let mut channels = config.num_init_features;
    for (block, &layers) in config.block_config.iter().enumerate() {
        let name = format!("features.denseblock{}", block + 1);
        for layer in 1..=layers {
            let order = order(channels, growth, layer - 1);
            read_by(weights, &format!("{name}.denselayer{layer}.norm1"), &format!("{name}.denselayer{layer}.conv1"), &order);
        }
        let order = order(channels, growth, layers);
        channels += layers * growth;
        if block + 1 < config.block_config.len() {
            let name = format!("features.transition{}", block + 1);
            read_by(weights, &format!("{name}.norm"), &format!("{name}.conv"), &order);
            channels = config.compressed(channels);
        } else {
            read_by(weights, "features.norm5", "classifier", &order);
        }
    }
    Ok(())
}

/// For each channel here, where it is in the file: `inputs` channels came into the block, `layers` have appended theirs.
fn order(inputs: usize, growth: usize, layers: usize) -> Vec<usize> {
    let own = layers * growth..layers * growth + inputs;
    let new = (0..layers).flat_map(|layer| (layers - 1 - layer) * growth..(layers - layer) * growth);
    own.chain(new).collect()
}

/// Reorders a norm and what reads its channels.
fn read_by(weights: &mut Weights, norm: &str, reader: &str, order: &[usize]) {
    for parameter in ["weight", "bias", "running_mean", "running_var"] {
        along(weights, &format!("{norm}.{parameter}"), 0, order);
    }
    along(weights, &format!("{reader}.weight"), 1, order);
}

/// Reorders a tensor along one axis. One that is not there, or has another size, is left as it is: it was checked before.
fn along(weights: &mut Weights, name: &str, axis: usize, order: &[usize]) {
    let Some(Tensor { shape, data }) = weights.remove(name) else { return };
    let inner: usize = shape.iter().skip(axis + 1).product();
    let data = if shape.get(axis) == Some(&order.len()) {
        data.chunks_exact((order.len() * inner).max(1))
            .flat_map(|part| order.iter().flat_map(move |&from| part[from * inner..][..inner].iter().copied()))
            .collect()
    } else {
        data
    };
    weights.insert(name, Tensor { shape, data });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_layers_channels_come_first_in_the_file() {
        assert_eq!(order(3, 2, 0), [0, 1, 2]);
        assert_eq!(order(3, 2, 2), [4, 5, 6, 2, 3, 0, 1]);
    }

    #[test]
    fn rows_and_columns_are_reordered() {
        let mut weights = Weights::new();
        weights.insert("a", Tensor { shape: vec![2, 3, 1, 1], data: vec![0., 1., 2., 3., 4., 5.] });
        along(&mut weights, "a", 1, &[2, 0, 1]);
        assert_eq!(weights.tensor("a").unwrap().data, [2., 0., 1., 5., 3., 4.]);
    }
}
