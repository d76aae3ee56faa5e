//! This library's names of a network's layers, by their order.

use super::layer::Layer;
use crate::weights::dialect::Network;

/// What stands before the layers' own names.
pub(super) fn wrapper(convs: &[Layer]) -> String {
    let first = convs.first().map_or("", |layer| layer.name.as_str());
    first.rsplit_once('/').map_or(String::new(), |(before, _)| format!("{before}/"))
}

/// Gives the convolutions their names; the channels of the last batch norm, `None` where they make no DenseNet.
pub(super) fn name_convs<'a>(convs: &[Layer<'a>], network: &mut Network<'a>) -> Option<usize> {
    let shape = |index: usize| -> Option<[usize; 4]> { convs.get(index)?.kernel(4)?.shape.as_slice().try_into().ok() };
    let mut name = |index: usize, own: String| {
        let layer = &convs[index];
        for (part, tensor) in &layer.tensors {
            match part.as_str() {
                "kernel" | "0" => drop(network.tensors.insert(format!("features.{own}.weight"), tensor.permuted(&[3, 2, 0, 1]))),
                _ => network.left_over.push(tensor.clone()),
            }
        }
    };
    let [_, _, _, mut channels] = shape(0).filter(|[height, width, ..]| matches!((height, width), (7, 7) | (3, 3)))?;
    name(0, "conv0".into());
    let is = |index: usize, side: usize| shape(index).is_some_and(|[height, width, ..]| (height, width) == (side, side));
    let bottleneck = is(1, 1);
    let (mut index, mut block, mut layer) = (1, 1, 0);
    while index < convs.len() {
        let [_, _, inputs, outputs] = shape(index)?;
        if inputs != channels {
            return None;
        }
        if bottleneck && is(index, 1) && is(index + 1, 3) {
            layer += 1;
            let [_, _, _, growth] = shape(index + 1).filter(|[_, _, inputs, _]| *inputs == outputs)?;
            name(index, format!("denseblock{block}.denselayer{layer}.conv1"));
            name(index + 1, format!("denseblock{block}.denselayer{layer}.conv2"));
            channels = channels.checked_add(growth)?;
            index += 2;
        } else if is(index, 1) {
            name(index, format!("transition{block}.conv"));
            (channels, block, layer) = (outputs, block + 1, 0);
            index += 1;
        } else if !bottleneck && is(index, 3) {
            layer += 1;
            name(index, format!("denseblock{block}.denselayer{layer}.conv1"));
            channels = channels.checked_add(outputs)?;
            index += 1;
        } else {
            return None;
        }
    }
    (convs.len() > 1).then_some(channels)
}

/// The batch norms of a network with these convolutions, in order.
pub(super) fn norm_names(network: &Network) -> Vec<String> {
    let has = |own: &str| network.tensors.get(&format!("features.{own}.weight"));
    let mut names = Vec::new();
    if has("conv0").is_some_and(|conv| conv.shape.ends_with(&[7, 7])) {
        names.push("norm0".to_owned());
    }
    for block in 1.. {
        let layers = (1..).take_while(|layer| has(&format!("denseblock{block}.denselayer{layer}.conv1")).is_some());
        for layer in layers {
            let layer = format!("denseblock{block}.denselayer{layer}");
            names.push(format!("{layer}.norm1"));
            if has(&format!("{layer}.conv2")).is_some() {
                names.push(format!("{layer}.norm2"));
            }
        }
        if has(&format!("transition{block}.conv")).is_none() {
            break;
        }
        names.push(format!("transition{block}.norm"));
    }
    names.push("norm5".into());
    names
}
