//! What a model's own first layers make of pictures.

use super::config::{Entrance, normalised};
use super::layer::Layer;
use crate::error::{Error, Result};
use crate::weights::dialect::{Network, some_of};

/// Mean and standard deviation that a model's own first layers make of pictures from 0 to 1; `None` where it has none. `layers` are
/// those with tensors, in turn.
pub(super) fn find(inputs: &[Entrance], layers: &[Layer], network: &mut Network) -> Result<Option<[Vec<f32>; 2]>> {
    // A kernel of nothing may have any number of channels.
    let stem = network.tensors.get("features.conv0.weight").filter(|stem| !stem.shape.contains(&0));
    let channels = stem.map_or(0, |stem| stem.shape[1]);
    // So far a sample from 0 to 255 was multiplied by `scale`, then `offset` was added.
    let (mut scale, mut offset) = (vec![1.0; channels], vec![0.0; channels]);
    let mut layers = layers.iter();
    let mut names = Vec::new();
    for input in inputs {
        let (times, plus) = match input {
            Entrance::Skipped(class) => {
                names.push(class.clone());
                continue;
            }
            Entrance::Affine { name, scale, offset } => {
                names.push(name.clone());
                (scale.clone(), offset.clone())
            }
            Entrance::Adapted { name } => {
                names.push(name.clone());
                let part = |part, position| layers.clone().next().and_then(|layer| layer.tensor(part, position)?.floats());
                let (Some(mean), Some(variance)) = (part("mean", 0), part("variance", 1)) else {
                    return Err(Error::checkpoint(format!("Keras layer {name:?}: expected its mean and variance in the file, found none")));
                };
                let _ = layers.next();
                normalised(&mean, &variance)
            }
        };
        for channel in 0..channels {
            let at = |values: &[f64]| match values {
                [one] => *one,
                values => values.get(channel).copied().filter(|_| values.len() == channels).unwrap_or(f64::NAN),
            };
            scale[channel] *= at(&times);
            offset[channel] = offset[channel] * at(&times) + at(&plus);
        }
    }
    if names.is_empty() {
        return Ok(None);
    }
    network.notes.push(format!(
        "has layers of its own before the network: {}; they are its preprocessing here, or do nothing",
        some_of(names.iter().cloned())
    ));
    if inputs.iter().all(|input| matches!(input, Entrance::Skipped(_))) {
        return Ok(None);
    }
    if !scale.iter().chain(&offset).all(|number| number.is_finite()) || scale.contains(&0.0) {
        let found = some_of(names);
        return Err(Error::checkpoint(format!(
            "Keras layers {found}: expected a number, or one for each of {channels} channels, found others"
        )));
    }
    let mean = scale.iter().zip(&offset).map(|(scale, offset)| (-offset / (255.0 * scale)) as f32).collect();
    let std = scale.iter().map(|scale| (1.0 / (255.0 * scale)) as f32).collect();
    Ok(Some([mean, std]))
}
