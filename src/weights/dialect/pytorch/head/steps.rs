//! The stated steps of a classifier, with its layers in their places.

use super::layer::{Kind, Layer};
use crate::error::{Error, Result};
use crate::head::HeadLayer;
use crate::weights::dialect::{Network, some_of};
use crate::weights::read_options::HeadStep;

/// The steps with the layers of the chain in their places. Errors where they are not those, or make no classifier.
pub(super) fn filled(steps: &[HeadStep], chain: &[Layer], features: usize, epsilon: f32, network: &mut Network) -> Result<Vec<HeadLayer>> {
    let wrong = |expected: &str, found: String| Err(Error::checkpoint(format!("head: expected {expected}, found {found} (`head_layers`)")));
    let stated: Vec<HeadStep> = steps.iter().copied().filter(|step| step.has_tensors()).collect();
    let found: Vec<HeadStep> = chain.iter().map(|layer| layer.kind.step()).collect();
    let is_linear = |step: &HeadStep| *step == HeadStep::Linear;
    if !stated.iter().map(is_linear).eq(found.iter().map(is_linear)) {
        let words = |steps: &[HeadStep]| steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let there = some_of(chain.iter().map(Layer::shown));
        return wrong(&format!("layers with tensors as the file has them, {}: {there}", words(&found)), words(&stated));
    }
    let is_pooled_twice = chain.first().is_some_and(|layer| layer.kind.inputs() != features);
    let mut layers = Vec::new();
    let mut with_tensors = chain.iter();
    for step in steps {
        if network.activation.is_some() && *step != HeadStep::Nothing {
            return wrong("softmax or sigmoid at the end alone", step.to_string());
        }
        match step {
            HeadStep::Pool(pool) if layers.is_empty() && is_pooled_twice => layers.push(*pool),
            HeadStep::Pool(_) => return wrong("a pool of maxima and means before a layer of twice the features", step.to_string()),
            HeadStep::Activation(_) if with_tensors.len() == 0 => {
                return wrong("nothing but softmax or sigmoid behind the last linear layer", step.to_string());
            }
            HeadStep::Activation(activation) => layers.push(*activation),
            HeadStep::OutputActivation(_) if with_tensors.len() > 0 && step.between().is_some() => layers.extend(step.between()),
            HeadStep::OutputActivation(activation) => network.activation = Some(*activation),
            HeadStep::Nothing => {}
            HeadStep::Linear | HeadStep::BatchNorm { .. } => match (with_tensors.next().map(|layer| layer.kind), step) {
                (Some(Kind::Linear { outputs, .. }), _) => layers.push(HeadLayer::Linear { features: outputs }),
                (Some(Kind::Norm { .. }), HeadStep::BatchNorm { epsilon: Some(epsilon) }) => {
                    layers.push(HeadLayer::BatchNorm { epsilon: *epsilon });
                }
                (Some(Kind::Norm { .. }), _) => layers.push(HeadLayer::BatchNorm { epsilon }),
                (None, _) => {}
            },
        }
    }
    if is_pooled_twice && !matches!(layers.first(), Some(HeadLayer::MaxMeanPool | HeadLayer::MeanMaxPool)) {
        return wrong("maxmeanpool (fastai's) or meanmaxpool (timm's) first: the head reads twice the features", "another layer".into());
    }
    Ok(layers)
}

/// The error for a classifier where nothing states what is between its layers.
pub(super) fn unstated(chain: &[Layer], features: usize) -> Error {
    let pool = if chain.first().is_some_and(|layer| layer.kind.inputs() != features) { "maxmeanpool," } else { "" };
    let mut words = String::new();
    for (index, layer) in chain.iter().enumerate() {
        words += &layer.kind.step().to_string();
        let next = chain.get(index + 1).map(|layer| layer.kind);
        match (layer.kind, next) {
            (_, None) => {}
            (Kind::Linear { .. }, Some(Kind::Linear { .. })) => words += ",relu,dropout,",
            _ => words += ",",
        }
    }
    let there = some_of(chain.iter().map(Layer::shown));
    if let [only] = chain {
        return Error::checkpoint(format!(
            "its classifier ({}) reads twice the {features} features: maxima and means together, in an order that a state dict does not \
             tell. Specify it: `head_layers` maxmeanpool,linear as fastai has them, meanmaxpool,linear as timm's catavgmax",
            only.shown()
        ));
    }
    Error::checkpoint(format!(
        "its classifier has {} layers ({there}), and a state dict does not tell what is between them. Specify all of them in \
         order, for example `head_layers` {pool}{words}; features alone (`features_only`) need none",
        chain.len()
    ))
}
