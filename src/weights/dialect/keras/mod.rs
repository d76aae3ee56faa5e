//! Keras Applications' DenseNets, and any Keras model of the same layers.
//!
//! Keras itself loads weights by their order, and so does this: the convolutions in turn make the stem, dense layers (a
//! 1x1 and a 3x3) and transitions (a 1x1 alone), the batch norms in turn belong to them. Kernels are `[height, width,
//! in, out]`, the classifier's is `[in, out]`.

mod config;
mod head;
mod layer;
mod names;
mod normalisation;
mod padding;

use super::{Dialect, Network, no_network};
use crate::error::{Error, Result};
use crate::weights::container::Contents;
use crate::weights::read_options::ReadOptions;
use crate::weights::{AssumedField, Assumption};
use config::{Configuration, Entrance};
use head::Head;
use layer::Layer;

/// Keras Applications' epsilon, for files that do not state theirs.
const EPSILON: f32 = 1.001e-5;

/// Finds the network in a file of Keras.
pub(super) fn resolve<'a>(contents: &Contents<'a>, options: &ReadOptions) -> Result<Network<'a>> {
    let new_channels = options.new_channels.map(|new_channels| new_channels.to_string());
    let stated = [("root", &options.root), ("head", &options.head), ("new_channels", &new_channels)];
    if let Some((word, value)) = stated.iter().find_map(|(word, value)| Some((word, value.as_ref()?))) {
        return Err(Error::checkpoint(format!(
            "`{word}` {value}: expected a file of PyTorch's, found one of Keras's, which has one order; leave it out"
        )));
    }
    let configuration = contents.keras_config.as_deref().map(Configuration::read).transpose()?;
    let (convs, rest): (Vec<_>, Vec<_>) = layer::layers(contents).into_iter().partition(|layer| layer.kernel(4).is_some());
    let (norms, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(Layer::is_norm);
    let mut network = Network::new(Dialect::Keras, names::wrapper(&convs));
    let features = names::name_convs(&convs, &mut network).ok_or_else(|| {
        no_network(contents, "a stem of 7x7 or 3x3, then pairs of a 1x1 and a 3x3 convolution, each reading all channels before it")
    })?;
    let expected = names::norm_names(&network);
    let norms = layer::in_order(norms, &convs, expected.len());
    for (norm, own) in norms.iter().zip(&expected) {
        norm.put_norm(&format!("features.{own}"), &mut network);
    }
    let described = configuration.as_ref().map(Configuration::head).transpose()?;
    let entrances = configuration.as_ref().map(Configuration::entrances).transpose()?.unwrap_or_default();
    let mut head = Head { dense: Vec::new(), norms: norms.into_iter().skip(expected.len()).collect() };
    let mut normalisations = Vec::new();
    for layer in rest {
        if layer.kernel(2).is_some() {
            head.dense.push(layer);
        } else if entrances.iter().any(Entrance::has_tensors) && layer.is_normalisation() {
            normalisations.push(layer);
        } else {
            network.left_over.extend(layer.tensors.into_iter().map(|(_, t)| t).filter(|tensor| !tensor.is_bookkeeping()));
        }
    }
    match head.add_to(&mut network, features, described, options) {
        Err(error) if options.features_only => network.notes.push(format!("has a classifier that is passed over: {error}")),
        added => added?,
    }
    network.normalisation = normalisation::find(&entrances, &normalisations, &mut network)?;
    match configuration {
        Some(configuration) => {
            configuration.check(&network)?;
            network.epsilon = Some(configuration.epsilon.unwrap_or(EPSILON));
            network.final_relu = Some(configuration.final_relu);
            network.activation = configuration.activation;
        }
        None => {
            network.epsilon = Some(EPSILON);
            let why = "the file holds weights alone, and Keras Applications has this";
            network.assumed.push(Assumption::of(AssumedField::Epsilon, "1.001e-5", why));
            network.assumed.push(Assumption::of(AssumedField::FinalRelu, "true", why));
            // A stem of 3x3 has no stride, and so no padding that could be uneven.
            if network.tensors.get("features.conv0.weight").is_some_and(|stem| stem.shape.ends_with(&[7, 7])) {
                network.assumed.extend(padding::assumption(&contents.layers, &contents.tensors)?);
            }
        }
    }
    Ok(network)
}
