//! The layers behind the global pool.

use super::layer::Layer;
use crate::error::{Error, Result};
use crate::head::HeadLayer;
use crate::weights::dialect::{Network, some_of};
use crate::weights::read_options::{HeadStep, ReadOptions};

/// Keras's own epsilon, for batch norms in a head without a configuration.
const HEAD_EPSILON: f32 = 1e-3;

/// The layers behind the global pool that have tensors, of each kind in the file's order.
pub(super) struct Head<'a> {
    pub(super) dense: Vec<Layer<'a>>,
    pub(super) norms: Vec<Layer<'a>>,
}

impl<'a> Head<'a> {
    /// Adds the classifier to the network: one dense layer, or those that are described or stated. Errors where there are several
    /// and nothing states what is between them.
    pub(super) fn add_to(
        self,
        network: &mut Network<'a>,
        features: usize,
        described: Option<Vec<HeadLayer>>,
        options: &ReadOptions,
    ) -> Result<()> {
        let Self { dense, norms } = self;
        let width = |layer: &Layer| layer.kernel(2).map(|kernel| [kernel.shape[0], kernel.shape[1]]);
        if let ([layer], [], None) = (dense.as_slice(), norms.as_slice(), &options.head_layers)
            && width(layer).is_some_and(|[inputs, _]| inputs == features)
            && described.as_ref().is_none_or(|layers| layers.len() == 1)
        {
            layer.put("classifier", network);
            return Ok(());
        }
        let mut layers = match (&options.head_layers, described) {
            (Some(steps), _) => layers(steps, network)?,
            (None, Some(layers)) => layers,
            (None, None) if dense.len() > 1 => {
                let shown = some_of(dense.iter().map(|layer| format!("{} {:?}", layer.name, width(layer).unwrap_or_default())));
                return Err(Error::checkpoint(format!(
                    "its classifier has {} dense layers ({shown}), and weights alone do not tell what is between them: save it whole as \
                     .keras, or specify all of them in order, for example `head_layers` linear,relu,dropout,linear",
                    dense.len()
                )));
            }
            (None, None) => Vec::new(),
        };
        let count = |is: fn(&HeadLayer) -> bool| layers.iter().filter(|layer| is(layer)).count();
        let found = [count(|layer| matches!(layer, HeadLayer::Linear { .. })), count(|layer| matches!(layer, HeadLayer::BatchNorm { .. }))];
        if dense.is_empty() || found != [dense.len(), norms.len()] {
            network.left_over.extend(dense.into_iter().chain(norms).flat_map(|layer| layer.tensors).map(|(_, tensor)| tensor));
            return Ok(());
        }
        let (mut dense, mut norms) = (dense.iter(), norms.iter());
        for (number, layer) in layers.iter_mut().enumerate() {
            let own = format!("classifier.{number}");
            match layer {
                HeadLayer::Linear { features } => {
                    if let Some(next) = dense.next() {
                        *features = width(next).map_or(0, |[_, outputs]| outputs);
                        next.put(&own, network);
                    }
                }
                HeadLayer::BatchNorm { .. } => norms.next().into_iter().for_each(|norm| norm.put_norm(&own, network)),
                _ => {}
            }
        }
        if let [HeadLayer::Linear { .. }] = layers[..] {
            for parameter in ["weight", "bias"] {
                let tensor = network.tensors.remove(&format!("classifier.0.{parameter}"));
                network.tensors.extend(tensor.map(|tensor| (format!("classifier.{parameter}"), tensor)));
            }
        } else {
            network.head = layers;
        }
        Ok(())
    }
}

/// The layers of stated steps. Errors where no head of Keras's has such a step.
fn layers(steps: &[HeadStep], network: &mut Network) -> Result<Vec<HeadLayer>> {
    let mut layers = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let is_between = steps[index + 1..].iter().any(|step| step.has_tensors());
        if network.activation.is_some() && *step != HeadStep::Nothing {
            return Err(Error::checkpoint(format!(
                "head: expected softmax or sigmoid at the end alone, found {step} behind it (`head_layers`)"
            )));
        }
        match step {
            HeadStep::Linear => layers.push(HeadLayer::Linear { features: 0 }),
            HeadStep::BatchNorm { epsilon } => layers.push(HeadLayer::BatchNorm { epsilon: epsilon.unwrap_or(HEAD_EPSILON) }),
            HeadStep::Activation(activation) => layers.push(*activation),
            HeadStep::OutputActivation(_) if is_between && step.between().is_some() => layers.extend(step.between()),
            HeadStep::OutputActivation(activation) => network.activation = Some(*activation),
            HeadStep::Nothing => {}
            HeadStep::Pool(_) => {
                return Err(Error::checkpoint(format!(
                    "head: expected layers behind the mean of each channel, found {step} (`head_layers`)"
                )));
            }
        }
    }
    Ok(layers)
}
