//! Keras Applications' DenseNets, and any Keras model of the same layers.
//!
//! Keras itself loads weights by their order, and so does this: the convolutions in turn make the stem, dense layers (a
//! 1x1 and a 3x3) and transitions (a 1x1 alone), the batch norms in turn belong to them. Kernels are `[height, width,
//! in, out]`, the classifier's is `[in, out]`.

use std::collections::BTreeMap;

use super::keras_config::{Description, Entrance};
use super::{Dialect, Network, no_network, some_of};
use crate::error::{Error, Result};
use crate::head::HeadLayer;
use crate::weights::container::{Contents, Stored};
use crate::weights::reading::{HeadStep, Reading};
use crate::weights::{Assumption, Field};

/// Keras Applications' epsilon, for files that do not tell theirs.
const EPSILON: f32 = 1.001e-5;

/// Keras's own epsilon, for batch norms in a head that nobody describes.
const HEAD_EPSILON: f32 = 1e-3;

/// The tensors of one Keras layer.
struct Layer<'a> {
    name: String,
    tensors: Vec<(String, Stored<'a>)>,
}

impl<'a> Layer<'a> {
    /// The tensor called `part`, or at `position` in files that number them.
    fn tensor(&self, part: &str, position: usize) -> Option<&Stored<'a>> {
        let number = position.to_string();
        self.tensors.iter().find(|(name, _)| name == part || *name == number).map(|(_, tensor)| tensor)
    }

    fn kernel(&self, dimensions: usize) -> Option<&Stored<'a>> {
        self.tensor("kernel", 0).filter(|kernel| kernel.shape.len() == dimensions)
    }

    /// Gives the tensors of a dense layer that name.
    fn put(&self, own: &str, network: &mut Network<'a>) {
        if let Some(kernel) = self.kernel(2) {
            network.tensors.insert(format!("{own}.weight"), kernel.permuted(&[1, 0]));
        }
        if let Some(bias) = self.tensor("bias", 1) {
            network.tensors.insert(format!("{own}.bias"), bias.clone());
        }
    }

    /// Gives the tensors of a batch norm that name.
    fn put_norm(&self, own: &str, network: &mut Network<'a>) {
        let parts = [("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean"), ("moving_variance", "running_var")];
        for (position, (part, parameter)) in parts.into_iter().enumerate() {
            if let Some(tensor) = self.tensor(part, position) {
                network.tensors.insert(format!("{own}.{parameter}"), tensor.clone());
            }
        }
    }

    /// Whether it has the mean and variance of pictures, and how many there were.
    fn is_normalisation(&self) -> bool {
        let numbers = |part, position| self.tensor(part, position).is_some_and(|tensor| tensor.shape.len() <= 4);
        (2..=3).contains(&self.tensors.len()) && numbers("mean", 0) && numbers("variance", 1)
    }

    fn is_norm(&self) -> bool {
        self.tensors.len() == 4 && self.tensors.iter().all(|(_, tensor)| tensor.shape.len() == 1)
    }
}

pub(super) fn resolve<'a>(contents: &Contents<'a>, reading: &Reading) -> Result<Network<'a>> {
    let new_channels = reading.new_channels.map(|new_channels| new_channels.to_string());
    let said = [("root", &reading.root), ("head", &reading.head), ("new_channels", &new_channels)];
    if let Some((word, value)) = said.iter().find_map(|(word, value)| Some((word, value.as_ref()?))) {
        return Err(Error::checkpoint(format!(
            "`{word}` {value}: expected a file of PyTorch's, found one of Keras's, which has one order; leave it away"
        )));
    }
    let description = contents.keras_config.as_deref().map(Description::read).transpose()?;
    let layers = layers(contents);
    let (convs, rest): (Vec<_>, Vec<_>) = layers.into_iter().partition(|layer| layer.kernel(4).is_some());
    let (norms, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(Layer::is_norm);
    let mut network = Network::new(Dialect::Keras, wrapper(&convs));
    let features = name_convs(&convs, &mut network).ok_or_else(|| {
        no_network(contents, "a stem of 7x7 or 3x3, then pairs of a 1x1 and a 3x3 convolution, each reading all channels before it")
    })?;
    let expected = norm_names(&network);
    let norms = in_order(norms, &convs, expected.len());
    for (norm, own) in norms.iter().zip(&expected) {
        norm.put_norm(&format!("features.{own}"), &mut network);
    }
    let described = description.as_ref().map(Description::head).transpose()?;
    let inputs = description.as_ref().map(Description::inputs).transpose()?.unwrap_or_default();
    let mut head = Head { dense: Vec::new(), norms: norms.into_iter().skip(expected.len()).collect() };
    let mut normalisations = Vec::new();
    for layer in rest {
        if layer.kernel(2).is_some() {
            head.dense.push(layer);
        } else if inputs.iter().any(Entrance::has_tensors) && layer.is_normalisation() {
            normalisations.push(layer);
        } else {
            network.left_over.extend(layer.tensors.into_iter().map(|(_, t)| t).filter(|tensor| !tensor.is_harmless()));
        }
    }
    match head.add_to(&mut network, features, described, reading) {
        Err(error) if reading.features_only => network.notes.push(format!("has a classifier that is passed over: {error}")),
        added => added?,
    }
    network.normalisation = normalisation(&inputs, &normalisations, &mut network)?;
    match description {
        Some(description) => {
            description.check(&network)?;
            network.epsilon = Some(description.epsilon.unwrap_or(EPSILON));
            network.final_relu = Some(description.final_relu);
            network.activation = description.activation;
        }
        None => {
            network.epsilon = Some(EPSILON);
            let why = "the file holds weights alone, and Keras Applications has this";
            network.assumed.push(Assumption::of(Field::Epsilon, "1.001e-5", why));
            network.assumed.push(Assumption::of(Field::FinalRelu, "true", why));
            // A stem of 3x3 has no stride, and so no padding that could be uneven.
            if network.tensors.get("features.conv0.weight").is_some_and(|stem| stem.shape.ends_with(&[7, 7])) {
                network.assumed.extend(padding(&contents.layers, &contents.tensors)?);
            }
        }
    }
    Ok(network)
}

/// What is to be assumed of the padding of strided layers, which shapes do not tell. Errors where the names in the file are
/// KerasHub's, whose layers pad less on one side.
fn padding(layers: &[String], tensors: &[Stored]) -> Result<Option<Assumption>> {
    let paths = tensors.iter().flat_map(|tensor| tensor.name.split('/'));
    let names: Vec<&str> = layers.iter().flat_map(|layer| layer.split('/')).chain(paths).collect();
    let has = |is: fn(&str) -> bool| names.iter().any(|name| is(name));
    // Where layers without weights are listed, padding would be among them.
    let lists_all = has(|name| name.starts_with("activation") || name.starts_with("max_pooling2d"));
    if has(|name| name.starts_with("zero_padding2d")) || has(|name| name.starts_with("conv2_block1_")) {
        return Ok(None);
    }
    if has(|name| name.starts_with("stack1_block1_")) || lists_all {
        return Err(Error::checkpoint(
            "expected Keras Applications' DenseNet, whose layers ZeroPadding2D pad evenly, found one without them, such as KerasHub's, \
             which pads less on one side: such networks are not run",
        ));
    }
    let why = "neither names nor padding layers are in the file, and Keras Applications has this; KerasHub's would be another network";
    Ok(Some(Assumption::of(Field::Padding, "even", why)))
}

/// The layers behind the global pool that have tensors, of each kind in the file's order.
struct Head<'a> {
    dense: Vec<Layer<'a>>,
    norms: Vec<Layer<'a>>,
}

impl<'a> Head<'a> {
    /// Adds the classifier to the network: one dense layer, or those that are described or said. Errors where there are several
    /// and nobody tells what is between them.
    fn add_to(self, network: &mut Network<'a>, features: usize, described: Option<Vec<HeadLayer>>, reading: &Reading) -> Result<()> {
        let Self { dense, norms } = self;
        let width = |layer: &Layer| layer.kernel(2).map(|kernel| [kernel.shape[0], kernel.shape[1]]);
        if let ([layer], [], None) = (dense.as_slice(), norms.as_slice(), &reading.head_layers)
            && width(layer).is_some_and(|[inputs, _]| inputs == features)
            && described.as_ref().is_none_or(|layers| layers.len() == 1)
        {
            layer.put("classifier", network);
            return Ok(());
        }
        let mut layers = match (&reading.head_layers, described) {
            (Some(steps), _) => said(steps, network)?,
            (None, Some(layers)) => layers,
            (None, None) if dense.len() > 1 => {
                let shown = some_of(dense.iter().map(|layer| format!("{} {:?}", layer.name, width(layer).unwrap_or_default())));
                return Err(Error::checkpoint(format!(
                    "its classifier has {} dense layers ({shown}), and weights alone do not tell what is between them: save it whole as \
                     .keras, or say all of them in order, as in `head_layers` linear,relu,dropout,linear where it is that",
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

/// What was said of a classifier's layers. Errors where a step is none that such a head has.
fn said(steps: &[HeadStep], network: &mut Network) -> Result<Vec<HeadLayer>> {
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
            HeadStep::Ends(_) if is_between && step.between().is_some() => layers.extend(step.between()),
            HeadStep::Ends(activation) => network.activation = Some(*activation),
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

/// Mean and standard deviation that a model's own first layers make of pictures from 0 to 1; `None` where it has none. `layers` are
/// those with tensors, in turn.
fn normalisation(inputs: &[Entrance], layers: &[Layer], network: &mut Network) -> Result<Option<[Vec<f32>; 2]>> {
    // A kernel of nothing may have any number of channels.
    let stem = network.tensors.get("features.conv0.weight").filter(|stem| !stem.shape.contains(&0));
    let channels = stem.map_or(0, |stem| stem.shape[1]);
    // What was done to a sample from 0 to 255 so far: times `scale`, plus `offset`.
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

/// `Normalization` as what it multiplies by and adds. Keras keeps the deviation above 1e-7.
pub(super) fn normalised(mean: &[f32], variance: &[f32]) -> (Vec<f64>, Vec<f64>) {
    let scale: Vec<f64> = variance.iter().map(|&variance| 1.0 / f64::from(variance).sqrt().max(1e-7)).collect();
    let offset = mean.iter().zip(&scale).map(|(&mean, scale)| -f64::from(mean) * scale).collect();
    (scale, offset)
}

/// The layers of a file in the order of the network.
fn layers<'a>(contents: &Contents<'a>) -> Vec<Layer<'a>> {
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
        // Files of partly frozen models list the trained layers first; the names still tell.
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
fn in_order<'a>(norms: Vec<Layer<'a>>, convs: &[Layer], count: usize) -> Vec<Layer<'a>> {
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

/// What stands before the layers' own names.
fn wrapper(convs: &[Layer]) -> String {
    let first = convs.first().map_or("", |layer| layer.name.as_str());
    first.rsplit_once('/').map_or(String::new(), |(before, _)| format!("{before}/"))
}

/// Gives the convolutions their names; the channels of the last batch norm, `None` where they make no DenseNet.
fn name_convs<'a>(convs: &[Layer<'a>], network: &mut Network<'a>) -> Option<usize> {
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
fn norm_names(network: &Network) -> Vec<String> {
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
    fn names_tell_how_a_network_pads() {
        let of = |layers: &[&str]| padding(&layers.iter().map(ToString::to_string).collect::<Vec<_>>(), &[]);
        for applications in [&["conv2d", "zero_padding2d"][..], &["conv1_conv", "conv2_block1_0_bn"], &["activation", "zero_padding2d_1"]] {
            assert_eq!(of(applications).unwrap(), None, "{applications:?}");
        }
        for others in [&["conv1_conv", "stack1_block1_1_bn"][..], &["conv2d", "activation_1", "max_pooling2d"]] {
            assert!(of(others).unwrap_err().to_string().contains("KerasHub"), "{others:?}");
        }
        let open = of(&["conv2d", "batch_normalization_1"]).unwrap().unwrap();
        assert_eq!((open.field, open.value.as_deref()), (Field::Padding, Some("even")));
    }

    #[test]
    fn counted_names_are_in_the_order_of_their_numbers() {
        let mut names = ["conv2d_10", "conv2d", "conv2d_2"];
        names.sort_by_key(|name| numbered(name));
        assert_eq!(names, ["conv2d", "conv2d_2", "conv2d_10"]);
    }
}
