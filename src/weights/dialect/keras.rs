//! Keras Applications' DenseNets, and any Keras model of the same layers.
//!
//! Keras itself loads weights by their order, and so does this: the convolutions in turn make the stem, dense layers (a
//! 1x1 and a 3x3) and transitions (a 1x1 alone), the batch norms in turn belong to them. Kernels are `[height, width,
//! in, out]`, the classifier's is `[in, out]`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Dialect, Network, harmless, no_network, some_of};
use crate::error::{Error, Result};
use crate::weights::container::{Contents, Stored};
use crate::weights::metadata::Activation;

/// Keras Applications' epsilon, for files that do not tell theirs.
const EPSILON: f32 = 1.001e-5;

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

    fn is_norm(&self) -> bool {
        self.tensors.len() == 4 && self.tensors.iter().all(|(_, tensor)| tensor.shape.len() == 1)
    }
}

pub(super) fn resolve<'a>(contents: &Contents<'a>) -> Result<Network<'a>> {
    let description = contents.keras_config.as_deref().map(Description::read).transpose()?;
    let layers = layers(contents);
    let (convs, rest): (Vec<_>, Vec<_>) = layers.into_iter().partition(|layer| layer.kernel(4).is_some());
    let (norms, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(Layer::is_norm);
    let mut network = Network::new(Dialect::Keras, wrapper(&convs));
    let features = name_convs(&convs, &mut network).ok_or_else(|| {
        no_network(contents, "a stem of 7x7 or 3x3, then pairs of a 1x1 and a 3x3 convolution, each reading all channels before it")
    })?;
    let expected = norm_names(&network);
    for (norm, own) in norms.iter().zip(&expected) {
        for (position, (part, parameter)) in
            [("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean"), ("moving_variance", "running_var")]
                .into_iter()
                .enumerate()
        {
            if let Some(tensor) = norm.tensor(part, position) {
                network.tensors.insert(format!("features.{own}.{parameter}"), tensor.clone());
            }
        }
    }
    network.left_over.extend(norms.into_iter().skip(expected.len()).flat_map(|norm| norm.tensors).map(|(_, tensor)| tensor));
    for layer in rest {
        match layer.kernel(2).filter(|kernel| kernel.shape[0] == features && !network.tensors.contains_key("classifier.weight")) {
            Some(kernel) => {
                network.tensors.insert("classifier.weight".into(), kernel.permuted(&[1, 0]));
                if let Some(bias) = layer.tensor("bias", 1) {
                    network.tensors.insert("classifier.bias".into(), bias.clone());
                }
            }
            None => network.left_over.extend(layer.tensors.into_iter().map(|(_, t)| t).filter(|tensor| harmless(&tensor.name).is_none())),
        }
    }
    match description {
        Some(description) => {
            network.epsilon = Some(description.epsilon);
            network.final_relu = Some(description.final_relu);
            network.activation = description.activation;
        }
        None => {
            network.epsilon = Some(EPSILON);
            network.notes.push("holds weights alone: assuming Keras Applications' epsilon (1.001e-5) and final ReLU".into());
        }
    }
    Ok(network)
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

/// What Keras's configuration says beyond the weights.
struct Description {
    epsilon: f32,
    final_relu: bool,
    activation: Option<Activation>,
}

/// A layer as Keras describes it; what is not asked for is passed over.
#[derive(Deserialize)]
struct Described<'j> {
    #[serde(borrow)]
    class_name: Cow<'j, str>,
    #[serde(borrow)]
    config: &'j RawValue,
}

/// What is asked for of a layer's own configuration.
#[derive(Default, Deserialize)]
struct Settings<'j> {
    #[serde(borrow)]
    name: Option<Cow<'j, str>>,
    #[serde(borrow)]
    layers: Option<Vec<Described<'j>>>,
    #[serde(borrow)]
    activation: Option<&'j RawValue>,
    #[serde(borrow)]
    padding: Option<&'j RawValue>,
    strides: Option<[u64; 2]>,
    epsilon: Option<f64>,
    max_value: Option<f64>,
    negative_slope: Option<f64>,
    threshold: Option<f64>,
}

/// A function that Keras 3 writes as an object.
#[derive(Deserialize)]
struct Function<'j> {
    #[serde(borrow)]
    class_name: Option<Cow<'j, str>>,
    #[serde(borrow)]
    config: Option<&'j RawValue>,
}

/// A layer that is no model of layers.
struct DescribedLayer<'j> {
    class_name: Cow<'j, str>,
    settings: Settings<'j>,
}

impl DescribedLayer<'_> {
    fn name(&self) -> &str {
        self.settings.name.as_deref().unwrap_or("?")
    }

    /// The activation's name, `linear` where there is none.
    fn activation(&self) -> String {
        let text = |json: &RawValue| serde_json::from_str::<String>(json.get()).ok();
        let object = |json: &RawValue| {
            let function: Function = serde_json::from_str(json.get()).ok()?;
            function.config.and_then(text).or_else(|| function.class_name.map(Cow::into_owned))
        };
        self.settings.activation.and_then(|json| text(json).or_else(|| object(json))).unwrap_or_else(|| "linear".into())
    }

    fn is_relu(&self) -> bool {
        self.class_name == "ReLU" || self.class_name == "Activation" && self.activation() == "relu"
    }

    fn refused(&self, expected: &str, found: &str) -> Error {
        Error::Checkpoint(format!(
            "Keras layer {:?}: expected {expected}, found {found}: it would compute something else here",
            self.name()
        ))
    }
}

/// Classes of layers that do nothing in inference.
const IDENTITIES: [&str; 11] = [
    "InputLayer",
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomTranslation",
    "RandomContrast",
    "RandomBrightness",
    "ActivityRegularization",
];

/// Longest configuration that is read. A DenseNet-264's has 1.5 MB.
const LONGEST_CONFIG: usize = 4 << 20;

/// Deepest nesting of models in a model.
const DEEPEST: usize = 16;

impl Description {
    /// Reads a configuration. Errors where a layer is none of a DenseNet's, or differs from Keras Applications'.
    fn read(json: &str) -> Result<Self> {
        if json.len() > LONGEST_CONFIG {
            return Err(Error::Checkpoint(format!("Keras configuration: expected at most {LONGEST_CONFIG} bytes, found {}", json.len())));
        }
        let mut layers = Vec::new();
        collect(parse(json)?, &mut layers, 0)?;
        for layer in &layers {
            layer.check()?;
        }
        let mut epsilons: Vec<f64> =
            layers.iter().filter(|l| l.class_name == "BatchNormalization").filter_map(|l| l.settings.epsilon).collect();
        epsilons.sort_by(f64::total_cmp);
        epsilons.dedup();
        let epsilon = match epsilons[..] {
            [epsilon] => epsilon as f32,
            [] => EPSILON,
            _ => {
                return Err(Error::Checkpoint(format!(
                    "expected one epsilon in all batch norms, found {}",
                    some_of(epsilons.iter().map(f64::to_string))
                )));
            }
        };
        let last_norm = layers.iter().rposition(|layer| layer.class_name == "BatchNormalization").unwrap_or(0);
        let final_relu = layers[last_norm.min(layers.len())..].iter().any(DescribedLayer::is_relu);
        let activation = layers.iter().rev().find_map(|layer| match (layer.class_name.as_ref(), layer.activation().as_str()) {
            ("Softmax", _) | (_, "softmax") => Some(Activation::Softmax),
            (_, "sigmoid") => Some(Activation::Sigmoid),
            _ => None,
        });
        Ok(Self { epsilon, final_relu, activation })
    }
}

/// The layers of a model and of the models in it, in order.
fn collect<'j>(model: Described<'j>, layers: &mut Vec<DescribedLayer<'j>>, depth: usize) -> Result<()> {
    // A sequential model of Keras 2 is its list of layers.
    let is_list = model.config.get().starts_with('[');
    let mut settings =
        if is_list { Settings { layers: Some(parse(model.config.get())?), ..Settings::default() } } else { parse(model.config.get())? };
    match settings.layers.take() {
        Some(inner) if depth < DEEPEST => inner.into_iter().try_for_each(|layer| collect(layer, layers, depth + 1)),
        None if depth > 0 => {
            layers.push(DescribedLayer { class_name: model.class_name, settings });
            Ok(())
        }
        _ => Err(Error::Checkpoint("Keras configuration: expected a functional or sequential model, found another kind".into())),
    }
}

fn parse<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::Checkpoint(format!("Keras configuration: {error}")))
}

impl DescribedLayer<'_> {
    fn check(&self) -> Result<()> {
        let same = self.settings.padding.is_some_and(|padding| padding.get() == "\"same\"");
        let strided = self.settings.strides.is_some_and(|strides| strides != [1, 1]);
        let activation = self.activation();
        let activation = activation.as_str();
        let limits = [self.settings.max_value, self.settings.negative_slope, self.settings.threshold];
        match self.class_name.as_ref() {
            "Conv2D" | "MaxPooling2D" | "AveragePooling2D" if same && strided => {
                Err(self
                    .refused("padding of its own before a strided layer, as in Keras Applications", "padding \"same\", which is uneven"))
            }
            "Conv2D" if activation != "linear" => Err(self.refused("no activation in a convolution", activation)),
            "Activation" if !matches!(activation, "relu" | "softmax" | "sigmoid" | "linear") => {
                Err(self.refused("relu, softmax or sigmoid", activation))
            }
            "Dense" if !matches!(activation, "softmax" | "sigmoid" | "linear") => {
                Err(self.refused("softmax, sigmoid or no activation", activation))
            }
            "ReLU" if limits.iter().flatten().any(|&limit| limit != 0.0) => {
                Err(self.refused("a plain ReLU", "one with a limit or a slope"))
            }
            "Conv2D" | "BatchNormalization" | "Activation" | "ReLU" | "Softmax" | "ZeroPadding2D" | "MaxPooling2D" | "AveragePooling2D" => {
                Ok(())
            }
            "Concatenate" | "GlobalAveragePooling2D" | "Dense" => Ok(()),
            class if IDENTITIES.contains(&class) => Ok(()),
            class => Err(self.refused("a layer of Keras Applications' DenseNet", class)),
        }
    }
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
