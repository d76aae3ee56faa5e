//! Keras's configuration of a network: what it says beyond the weights, and whether its layers are a DenseNet's.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::keras::normalised;
use super::{Network, some_of};
use crate::error::{Error, Result};
use crate::head::HeadLayer;
use crate::nonlinearity::Nonlinearity;
use crate::weights::metadata::Activation;

/// What a configuration says beyond the weights.
pub(super) struct Description<'j> {
    /// Batch norm's epsilon.
    pub(super) epsilon: Option<f32>,
    /// Whether a ReLU stands between the last batch norm and the global pool.
    pub(super) final_relu: bool,
    /// What turns logits into probabilities.
    pub(super) activation: Option<Activation>,
    layers: Vec<DescribedLayer<'j>>,
}

/// A layer as Keras describes it; what is not asked for is passed over.
#[derive(Deserialize)]
struct Described<'j> {
    #[serde(borrow)]
    class_name: Cow<'j, str>,
    #[serde(borrow)]
    module: Option<Cow<'j, str>>,
    #[serde(borrow)]
    config: &'j RawValue,
    #[serde(borrow)]
    inbound_nodes: Option<&'j RawValue>,
}

/// A layer before the first convolution that does something to pictures.
pub(super) enum Entrance {
    /// Multiplies each channel and adds to it; one number stands for all channels.
    Affine {
        /// Its name.
        name: String,
        /// What it multiplies by.
        scale: Vec<f64>,
        /// What it adds.
        offset: Vec<f64>,
    },
    /// `Normalization` with the numbers in the file.
    Adapted {
        /// Its name.
        name: String,
    },
    /// What is done to pictures otherwise here, or in training alone: its class.
    Skipped(String),
}

impl Entrance {
    /// Whether its numbers are among the file's tensors.
    pub(super) fn has_tensors(&self) -> bool {
        matches!(self, Self::Adapted { .. })
    }
}

/// What is asked for of a layer's own configuration.
#[derive(Default, Deserialize)]
struct Settings<'j> {
    #[serde(borrow)]
    name: Option<Cow<'j, str>>,
    #[serde(borrow)]
    layers: Option<Vec<Described<'j>>>,
    #[serde(borrow)]
    output_layers: Option<&'j RawValue>,
    #[serde(borrow)]
    activation: Option<&'j RawValue>,
    #[serde(borrow)]
    padding: Option<&'j RawValue>,
    kernel_size: Option<[u64; 2]>,
    pool_size: Option<[u64; 2]>,
    strides: Option<[u64; 2]>,
    dilation_rate: Option<[u64; 2]>,
    groups: Option<u64>,
    epsilon: Option<f64>,
    max_value: Option<f64>,
    negative_slope: Option<f64>,
    alpha: Option<f64>,
    threshold: Option<f64>,
    scale: Option<Numbers>,
    offset: Option<Numbers>,
    mean: Option<Numbers>,
    variance: Option<Numbers>,
}

/// One number, or one for each channel, however deep in lists.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Numbers {
    One(f64),
    More(Vec<Numbers>),
    /// Something else: a batch norm has a `scale` too, which is true or false.
    Other(IgnoredAny),
}

impl Numbers {
    fn flat(&self) -> Vec<f64> {
        match self {
            Self::One(number) => vec![*number],
            Self::More(numbers) => numbers.iter().flat_map(Self::flat).collect(),
            Self::Other(_) => Vec::new(),
        }
    }
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
    inbound_nodes: Option<&'j RawValue>,
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

    /// The activation other than ReLU, softmax and sigmoid that it is or has, where it is one that is run.
    fn nonlinearity(&self) -> Option<Nonlinearity> {
        let leaky = |slope: Option<f64>| slope.map(|slope| Nonlinearity::LeakyRelu { slope: slope as f32 });
        match (self.class_name.as_ref(), self.activation().as_str()) {
            ("LeakyReLU", _) => leaky(self.settings.negative_slope.or(self.settings.alpha)),
            ("Dense" | "Activation", "gelu") => Some(Nonlinearity::Gelu),
            ("Dense" | "Activation", "silu" | "swish") => Some(Nonlinearity::Silu),
            ("Dense" | "Activation", "tanh") => Some(Nonlinearity::Tanh),
            // The slope of the function of that name, not of the layer.
            ("Dense" | "Activation", "leaky_relu") => leaky(Some(0.2)),
            _ => None,
        }
    }

    fn is_relu(&self) -> bool {
        self.class_name == "ReLU" || self.class_name == "Activation" && self.activation() == "relu"
    }

    /// Whether it does nothing in inference, or only rearranges what is pooled, or is part of the preprocessing.
    fn is_identity(&self) -> bool {
        IDENTITIES.contains(&self.class_name.as_ref()) || ENTRANCES.contains(&self.class_name.as_ref())
    }

    /// What it does, in the words of [`steps_of`].
    fn step(&self) -> String {
        let side =
            |sides: Option<[u64; 2]>| sides.filter(|[height, width]| height == width).map_or("?".to_owned(), |[side, _]| side.to_string());
        let Settings { kernel_size, pool_size, strides, .. } = self.settings;
        match self.class_name.as_ref() {
            "Conv2D" => format!("a convolution of {} with stride {}", side(kernel_size), side(strides)),
            "MaxPooling2D" => format!("a max pool of {} with stride {}", side(pool_size), side(strides.or(pool_size))),
            "AveragePooling2D" => format!("an average pool of {} with stride {}", side(pool_size), side(strides.or(pool_size))),
            "ZeroPadding2D" => format!("zero padding of {}", self.zero_padding().map_or("?".to_owned(), |side| side.to_string())),
            "BatchNormalization" => NORM.to_owned(),
            "Concatenate" => CONCATENATION.to_owned(),
            "GlobalAveragePooling2D" => GLOBAL_POOL.to_owned(),
            "Dense" => DENSE.to_owned(),
            _ if self.is_relu() => RELU.to_owned(),
            "Activation" | "Softmax" => ACTIVATION.to_owned(),
            class => class.to_owned(),
        }
    }

    /// Zeros on every side, where they are as many.
    fn zero_padding(&self) -> Option<u64> {
        let json = self.settings.padding?.get();
        let one = || serde_json::from_str::<u64>(json).map(|side| vec![side]);
        let two = || serde_json::from_str::<[u64; 2]>(json).map(|sides| sides.to_vec());
        let four = || serde_json::from_str::<[[u64; 2]; 2]>(json).map(|sides| sides.concat());
        let sides = one().or_else(|_| two()).or_else(|_| four()).ok()?;
        sides.iter().all(|side| *side == sides[0]).then_some(sides[0])
    }

    /// The numbers that an operation has as its second operand, behind the layer that is its first.
    fn constant(&self) -> Option<Vec<f64>> {
        let nodes: Value = serde_json::from_str(self.inbound_nodes?.get()).ok()?;
        let [node] = nodes.as_array()?.as_slice() else { return None };
        let [picture, constant] = node["args"].as_array()?.as_slice() else { return None };
        if picture["class_name"] != "__keras_tensor__" {
            return None;
        }
        let numbers = if constant["class_name"] == "__tensor__" { &constant["config"]["value"] } else { constant };
        serde_json::from_value::<Numbers>(numbers.clone()).ok().map(|numbers| numbers.flat())
    }

    /// The names of the layers that it reads.
    fn inputs(&self) -> Vec<String> {
        self.inbound_nodes.map(layers_in).unwrap_or_default()
    }

    fn refused(&self, expected: &str, found: &str) -> Error {
        Error::checkpoint(format!(
            "Keras layer {:?}: expected {expected}, found {found}: it would compute something else here",
            self.name()
        ))
    }
}

/// Classes of layers that do nothing in inference, or to pooled channels.
const IDENTITIES: [&str; 12] = [
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
    "Flatten",
];

/// Classes of layers that prepare pictures, and of operations on them, as Keras 3 writes `preprocess_input` and arithmetic.
const ENTRANCES: [&str; 8] = ["Rescaling", "Normalization", "Resizing", "Add", "Subtract", "Multiply", "Divide", "TrueDivide"];

/// Longest configuration that is read. A DenseNet-264's has 1.5 MB.
const LONGEST_CONFIG: usize = 4 << 20;

/// Deepest nesting of models in a model.
const DEEPEST: usize = 16;

impl<'j> Description<'j> {
    /// Reads a configuration. Errors where a layer is none of a DenseNet's, or differs from Keras Applications'.
    pub(super) fn read(json: &'j str) -> Result<Self> {
        if json.len() > LONGEST_CONFIG {
            return Err(Error::checkpoint(format!("Keras configuration: expected at most {LONGEST_CONFIG} bytes, found {}", json.len())));
        }
        let mut layers = Vec::new();
        collect(parse(json)?, &mut layers, 0)?;
        let first = layers.iter().position(|layer| matches!(layer.class_name.as_ref(), "Conv2D" | "ZeroPadding2D")).unwrap_or(0);
        let end = features(&layers).len();
        for (position, layer) in layers.iter().enumerate() {
            layer.check(position > end)?;
            if position > first && ENTRANCES.contains(&layer.class_name.as_ref()) {
                return Err(layer.refused("layers that prepare pictures before the first convolution alone", &layer.class_name));
            }
        }
        let mut epsilons: Vec<f64> =
            features(&layers).iter().filter(|l| l.class_name == "BatchNormalization").filter_map(|l| l.settings.epsilon).collect();
        epsilons.sort_by(f64::total_cmp);
        epsilons.dedup();
        let epsilon = match epsilons[..] {
            [epsilon] => Some(epsilon as f32),
            [] => None,
            _ => {
                return Err(Error::checkpoint(format!(
                    "expected one epsilon in all batch norms, found {}",
                    some_of(epsilons.iter().map(f64::to_string))
                )));
            }
        };
        let behind_norm = features(&layers).iter().rev().take_while(|layer| layer.class_name != "BatchNormalization");
        let final_relu = behind_norm.into_iter().any(DescribedLayer::is_relu);
        let last = layers.iter().rposition(|layer| layer.class_name == "Dense").unwrap_or(0);
        let activation = layers[last..].iter().rev().find_map(|layer| match (layer.class_name.as_ref(), layer.activation().as_str()) {
            ("Softmax", _) | (_, "softmax") => Some(Activation::Softmax),
            (_, "sigmoid") => Some(Activation::Sigmoid),
            _ => None,
        });
        Ok(Self { epsilon, final_relu, activation, layers })
    }

    /// The layers behind the global pool, those without tensors too. Errors where one is none that a head has.
    pub(super) fn head(&self) -> Result<Vec<HeadLayer>> {
        let mut head = Vec::new();
        // A softmax or sigmoid ends it.
        let mut end = None;
        for layer in &self.layers[features(&self.layers).len()..] {
            let activation = layer.activation();
            let nonlinearity = layer.nonlinearity();
            let is_more = matches!(layer.class_name.as_ref(), "Dense" | "BatchNormalization" | "Softmax")
                || matches!(activation.as_str(), "softmax" | "sigmoid")
                || nonlinearity.is_some()
                || layer.is_relu();
            match end.take_if(|_| is_more) {
                Some(Activation::Sigmoid) => head.push(HeadLayer::Nonlinearity(Nonlinearity::Sigmoid)),
                Some(_) => return Err(layer.refused("softmax at the end alone", "one before it")),
                None => {}
            }
            end = match (layer.class_name.as_ref(), activation.as_str()) {
                ("Softmax", _) | ("Dense" | "Activation", "softmax") => Some(Activation::Softmax),
                ("Dense" | "Activation", "sigmoid") => Some(Activation::Sigmoid),
                _ => end,
            };
            match layer.class_name.as_ref() {
                "Dense" => {
                    // Its width is its kernel's.
                    head.push(HeadLayer::Linear { features: 0 });
                    head.extend((activation == "relu").then_some(HeadLayer::Relu));
                    head.extend(nonlinearity.map(HeadLayer::Nonlinearity));
                }
                _ if nonlinearity.is_some() => head.extend(nonlinearity.map(HeadLayer::Nonlinearity)),
                "BatchNormalization" => head.push(HeadLayer::BatchNorm { epsilon: layer.settings.epsilon.unwrap_or(1e-3) as f32 }),
                _ if layer.is_relu() => head.push(HeadLayer::Relu),
                "GlobalAveragePooling2D" | "Activation" | "Softmax" => {}
                _ if layer.is_identity() => {}
                class => return Err(layer.refused("a layer of a classifier", class)),
            }
        }
        let linear = head.iter().rposition(|layer| matches!(layer, HeadLayer::Linear { .. }));
        match linear {
            Some(last) if last + 1 < head.len() => Err(Error::checkpoint(format!(
                "Keras configuration: expected softmax, sigmoid or nothing behind the last dense layer, found {}",
                head[last + 1]
            ))),
            _ => Ok(head),
        }
    }

    /// What is done to pictures before the first convolution.
    ///
    /// Errors where it is something else than multiplying by numbers and adding numbers.
    pub(super) fn inputs(&self) -> Result<Vec<Entrance>> {
        let before = self.layers.iter().take_while(|layer| !matches!(layer.class_name.as_ref(), "Conv2D" | "ZeroPadding2D"));
        let entrance = |layer: &DescribedLayer| -> Option<Result<Entrance>> {
            let name = layer.name().to_owned();
            let numbers = |numbers: &Option<Numbers>| numbers.as_ref().map(Numbers::flat);
            let settings = &layer.settings;
            let found = match layer.class_name.as_ref() {
                "Rescaling" => Some(Entrance::Affine {
                    name,
                    scale: numbers(&settings.scale).unwrap_or_else(|| vec![1.0]),
                    offset: numbers(&settings.offset).unwrap_or_else(|| vec![0.0]),
                }),
                "Normalization" => match (numbers(&settings.mean), numbers(&settings.variance)) {
                    (Some(mean), Some(variance)) => {
                        let single = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect::<Vec<_>>();
                        let (scale, offset) = normalised(&single(mean), &single(variance));
                        Some(Entrance::Affine { name, scale, offset })
                    }
                    _ => Some(Entrance::Adapted { name }),
                },
                class @ ("Add" | "Subtract" | "Multiply" | "Divide" | "TrueDivide") => {
                    let Some(constant) = layer.constant() else {
                        return Some(Err(layer.refused("a picture and then numbers, in arithmetic before the network", class)));
                    };
                    let inverse = |values: Vec<f64>| values.into_iter().map(|value| 1.0 / value).collect();
                    let negative = |values: Vec<f64>| values.into_iter().map(|value| -value).collect();
                    let (scale, offset) = match class {
                        "Add" => (vec![1.0], constant),
                        "Subtract" => (vec![1.0], negative(constant)),
                        "Multiply" => (constant, vec![0.0]),
                        _ => (inverse(constant), vec![0.0]),
                    };
                    Some(Entrance::Affine { name, scale, offset })
                }
                class if class == "Resizing" || class.starts_with("Random") => Some(Entrance::Skipped(class.to_owned())),
                _ => None,
            };
            found.map(Ok)
        };
        before.filter_map(entrance).collect()
    }

    /// Errors where the layers are not those of a DenseNet with these convolutions, one after the other.
    pub(super) fn check(&self, network: &Network) -> Result<()> {
        let mut layers = self.layers.iter();
        let mut previous = "";
        for expected in steps_of(network, self.final_relu) {
            // The previous layer, and what only hands on what it computes.
            let mut handed_on = HashSet::from([previous]);
            let layer = loop {
                match layers.next() {
                    None => return Ok(()),
                    Some(layer) if layer.is_identity() => {
                        let hands_on = layer.inputs().iter().any(|input| handed_on.contains(input.as_str()));
                        handed_on.extend(hands_on.then_some(layer.name()));
                    }
                    Some(layer) => break layer,
                }
            };
            let found = layer.step();
            if found != expected {
                return Err(layer.refused(&expected, &found));
            }
            if expected == CONCATENATION {
                let inputs = layer.inputs();
                if !inputs.is_empty() && (inputs.len() != 2 || !handed_on.contains(inputs[1].as_str())) {
                    return Err(layer.refused("the channels so far and then the new ones", &format!("{inputs:?}")));
                }
            }
            previous = layer.name();
        }
        // What is behind the pool is a head, and was looked at as one.
        Ok(())
    }
}

/// The layers up to the global pool; all, where there is none.
fn features<'l, 'j>(layers: &'l [DescribedLayer<'j>]) -> &'l [DescribedLayer<'j>] {
    let end = layers.iter().position(|layer| layer.class_name == "GlobalAveragePooling2D");
    &layers[..end.unwrap_or(layers.len())]
}

const NORM: &str = "a batch norm";
const RELU: &str = "a ReLU";
const CONCATENATION: &str = "a concatenation";
const GLOBAL_POOL: &str = "a global average pool";
const DENSE: &str = "a dense layer";
const ACTIVATION: &str = "an activation";

/// Activations that a classifier may have.
const ACTIVATIONS: &str = "relu, leaky_relu, silu, gelu, tanh, sigmoid, softmax or no activation";

/// What the layers of a network with these convolutions do, one after the other; what comes after the last may be missing.
fn steps_of(network: &Network, final_relu: bool) -> Vec<String> {
    let has = |own: String| network.tensors.get(&format!("features.{own}.weight"));
    let conv = |side: usize, stride: usize| format!("a convolution of {side} with stride {stride}");
    let [norm, relu, concatenation] = [NORM, RELU, CONCATENATION].map(str::to_owned);
    let mut steps = Vec::new();
    if has("conv0".into()).is_some_and(|stem| stem.shape.ends_with(&[7, 7])) {
        let pad = |side: usize| format!("zero padding of {side}");
        steps.extend([pad(3), conv(7, 2), norm.clone(), relu.clone(), pad(1), "a max pool of 3 with stride 2".into()]);
    } else {
        steps.push(conv(3, 1));
    }
    for block in 1.. {
        let layers = (1..).map(|layer| format!("denseblock{block}.denselayer{layer}"));
        for layer in layers.take_while(|layer| has(format!("{layer}.conv1")).is_some()) {
            steps.extend([norm.clone(), relu.clone()]);
            if has(format!("{layer}.conv2")).is_some() {
                steps.extend([conv(1, 1), norm.clone(), relu.clone()]);
            }
            steps.extend([conv(3, 1), concatenation.clone()]);
        }
        if has(format!("transition{block}.conv")).is_none() {
            break;
        }
        steps.extend([norm.clone(), relu.clone(), conv(1, 1), "an average pool of 2 with stride 2".into()]);
    }
    steps.push(norm);
    if final_relu {
        steps.push(relu);
    }
    steps.push(GLOBAL_POOL.to_owned());
    steps
}

/// The names of the layers that are referred to.
fn layers_in(json: &RawValue) -> Vec<String> {
    fn collect(value: &Value, names: &mut Vec<String>) {
        match value {
            // `["conv2_block1_2_conv", 0, 0]`, with more after it in Keras 2.
            Value::Array(items) => match items.as_slice() {
                [Value::String(name), Value::Number(_), ..] => names.push(name.clone()),
                items => items.iter().for_each(|item| collect(item, names)),
            },
            Value::Object(entries) => entries.values().for_each(|entry| collect(entry, names)),
            _ => {}
        }
    }
    let mut names = Vec::new();
    if let Ok(value) = serde_json::from_str(json.get()) {
        collect(&value, &mut names);
    }
    names
}

/// The layers of a model and of the models in it, in order.
fn collect<'j>(model: Described<'j>, layers: &mut Vec<DescribedLayer<'j>>, depth: usize) -> Result<()> {
    // A sequential model of Keras 2 is its list of layers.
    let is_list = model.config.get().starts_with('[');
    let mut settings: Settings =
        if is_list { Settings { layers: Some(parse(model.config.get())?), ..Settings::default() } } else { parse(model.config.get())? };
    if let Some([first, _, ..]) = settings.output_layers.map(layers_in).as_deref().filter(|_| depth == 0) {
        return Err(Error::checkpoint(format!(
            "Keras configuration: expected one output, found several. The way round it: save a model of one in Python with \
             keras.Model(model.input, model.get_layer({first:?}).output).save('OUT.keras')"
        )));
    }
    match settings.layers.take() {
        Some(inner) if depth < DEEPEST => inner.into_iter().try_for_each(|layer| collect(layer, layers, depth + 1)),
        None if depth > 0 => {
            layers.push(DescribedLayer { class_name: model.class_name, settings, inbound_nodes: model.inbound_nodes });
            Ok(())
        }
        _ if model.module.as_deref().is_some_and(|module| module.starts_with("keras_hub")) => Err(Error::checkpoint(format!(
            "Keras configuration: expected Keras Applications' DenseNet, found KerasHub's {}, which pads less on one side: such networks are \
             not run",
            model.class_name
        ))),
        _ => Err(Error::checkpoint(format!(
            "Keras configuration: expected a functional or sequential model, found {}, whose program is not read. The way round it: save \
             its weights alone in Python with model.save_weights('OUT.weights.h5')",
            model.class_name
        ))),
    }
}

fn parse<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::checkpoint(format!("Keras configuration: {error}")))
}

impl DescribedLayer<'_> {
    /// Errors where it is no layer of a DenseNet, or of a classifier behind one.
    fn check(&self, is_in_head: bool) -> Result<()> {
        let same = self.settings.padding.is_some_and(|padding| padding.get() == "\"same\"");
        let strided = self.settings.strides.is_some_and(|strides| strides != [1, 1]);
        let activation = self.activation();
        let activation = activation.as_str();
        let dilated =
            self.settings.dilation_rate.is_some_and(|rate| rate != [1, 1]) || self.settings.groups.is_some_and(|groups| groups != 1);
        let is_3x3 = self.settings.kernel_size == Some([3, 3]);
        let limits = [self.settings.max_value, self.settings.negative_slope, self.settings.threshold];
        match self.class_name.as_ref() {
            "Conv2D" | "MaxPooling2D" | "AveragePooling2D" if same && strided => {
                Err(self
                    .refused("padding of its own before a strided layer, as in Keras Applications", "padding \"same\", which is uneven"))
            }
            "Conv2D" if dilated => Err(self.refused("a convolution without dilation or groups", "one with them")),
            "Conv2D" if is_3x3 && !same => Err(self.refused("padding \"same\" around a 3x3 convolution", "none")),
            "Conv2D" if activation != "linear" => Err(self.refused("no activation in a convolution", activation)),
            "Dense" | "Activation" | "LeakyReLU" if is_in_head && self.nonlinearity().is_some() => Ok(()),
            "Activation" if !matches!(activation, "relu" | "softmax" | "sigmoid" | "linear") => {
                Err(self.refused(if is_in_head { ACTIVATIONS } else { "relu" }, activation))
            }
            "Dense" if !matches!(activation, "softmax" | "sigmoid" | "linear" | "relu") => Err(self.refused(ACTIVATIONS, activation)),
            "ReLU" if limits.iter().flatten().any(|&limit| limit != 0.0) => {
                Err(self.refused("a plain ReLU", "one with a limit or a slope"))
            }
            "Conv2D" | "BatchNormalization" | "Activation" | "ReLU" | "Softmax" | "ZeroPadding2D" | "MaxPooling2D" | "AveragePooling2D" => {
                Ok(())
            }
            "Concatenate" | "GlobalAveragePooling2D" | "Dense" => Ok(()),
            _ if self.is_identity() => Ok(()),
            class @ ("Lambda" | "TFOpLambda" | "SlicingOpLambda") => Err(self.refused(
                "no program in the model (preprocess_input as layers, say: build the model without it, and give its weights)",
                class,
            )),
            class => Err(self.refused("a layer of Keras Applications' DenseNet", class)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::*;
    use crate::weights::Dialect;
    use crate::weights::container::{Element, Stored};

    /// A network with one layer in one block, and what is between that layer's convolution and the concatenation.
    fn refusal(between: &[(&str, &str)], concatenated: [&str; 2]) -> Option<String> {
        let mut network = Network::new(Dialect::Keras, String::new());
        for name in ["conv0", "denseblock1.denselayer1.conv1"] {
            let stored = Stored::contiguous(name, vec![1, 1, 3, 3], Element::F32, Rc::new(Cow::Owned(vec![0; 36]))).unwrap();
            network.tensors.insert(format!("features.{name}.weight"), stored);
        }
        let layer = |class: &str, name: &str, inputs: &[&str]| {
            let nodes: Vec<Value> = inputs.iter().map(|input| json!([input, 0, 0])).collect();
            let config = json!({"name": name, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "activation": "linear"});
            json!({"class_name": class, "config": config, "inbound_nodes": [nodes]})
        };
        let mut layers = vec![
            layer("Conv2D", "stem", &["picture"]),
            layer("BatchNormalization", "norm", &["stem"]),
            layer("ReLU", "relu", &["norm"]),
            layer("Conv2D", "new", &["relu"]),
        ];
        layers.extend(between.iter().map(|(name, input)| layer("Dropout", name, &[input])));
        layers.extend([
            layer("Concatenate", "joined", &concatenated),
            layer("BatchNormalization", "last", &["joined"]),
            layer("GlobalAveragePooling2D", "pool", &["last"]),
        ]);
        let model = json!({"class_name": "Functional", "config": {"layers": layers}}).to_string();
        let described = Description::read(&model).unwrap();
        described.check(&network).err().map(|error| error.to_string())
    }

    #[test]
    fn a_dropout_hands_on_the_new_channels() {
        assert_eq!(refusal(&[], ["stem", "new"]), None);
        assert_eq!(refusal(&[("drop", "new")], ["stem", "drop"]), None);
        assert_eq!(refusal(&[("drop", "new"), ("noise", "drop")], ["stem", "noise"]), None);
        for (between, concatenated) in [
            (&[][..], ["new", "stem"]),
            (&[("drop", "new")], ["drop", "stem"]),
            (&[("drop", "stem")], ["new", "drop"]),
            (&[("drop", "stem"), ("noise", "drop")], ["new", "noise"]),
        ] {
            let message = refusal(between, concatenated).unwrap();
            assert!(message.contains("the channels so far and then the new ones"), "{message}");
        }
    }

    #[test]
    fn models_of_other_kinds_are_refused_with_a_way_round() {
        let message = |model: Value| Description::read(&model.to_string()).err().unwrap().to_string();
        let outputs = json!({"class_name": "Functional", "config": {"layers": [], "output_layers": [["age", 0, 0], ["sex", 0, 0]]}});
        assert!(message(outputs).contains("keras.Model(model.input, model.get_layer(\"age\").output)"));
        let own = json!({"class_name": "MyNet", "module": "net", "config": {"width": 3}});
        assert!(message(own).contains("found MyNet, whose program is not read. The way round it: save its weights alone"));
        let hub = json!({"class_name": "DenseNetBackbone", "module": "keras_hub.src.models", "config": {"width": 3}});
        assert!(message(hub).contains("KerasHub's DenseNetBackbone, which pads less on one side"));
        for one in [json!([["age", 0, 0]]), json!(["age", 0, 0])] {
            let model = json!({"class_name": "Functional", "config": {"layers": [], "output_layers": one}});
            assert!(Description::read(&model.to_string()).is_ok());
        }
    }
}
