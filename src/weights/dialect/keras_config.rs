//! Keras's configuration of a network: what it says beyond the weights, and whether its layers are a DenseNet's.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Network, some_of};
use crate::error::{Error, Result};
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
    config: &'j RawValue,
    #[serde(borrow)]
    inbound_nodes: Option<&'j RawValue>,
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
    kernel_size: Option<[u64; 2]>,
    pool_size: Option<[u64; 2]>,
    strides: Option<[u64; 2]>,
    dilation_rate: Option<[u64; 2]>,
    groups: Option<u64>,
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

    fn is_relu(&self) -> bool {
        self.class_name == "ReLU" || self.class_name == "Activation" && self.activation() == "relu"
    }

    /// Whether it does nothing in inference, or only rearranges what is pooled.
    fn is_identity(&self) -> bool {
        IDENTITIES.contains(&self.class_name.as_ref())
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

    /// The names of the layers that it reads.
    fn inputs(&self) -> Vec<String> {
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
        if let Some(value) = self.inbound_nodes.and_then(|json| serde_json::from_str(json.get()).ok()) {
            collect(&value, &mut names);
        }
        names
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
        for layer in &layers {
            layer.check()?;
        }
        let mut epsilons: Vec<f64> =
            layers.iter().filter(|l| l.class_name == "BatchNormalization").filter_map(|l| l.settings.epsilon).collect();
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
        let after = layers.iter().rev().take_while(|layer| layer.class_name != "BatchNormalization");
        let before_pool = after.skip_while(|layer| layer.class_name != "GlobalAveragePooling2D");
        let has_pool = layers.iter().any(|layer| layer.class_name == "GlobalAveragePooling2D");
        let final_relu = if has_pool {
            before_pool.into_iter().any(DescribedLayer::is_relu)
        } else {
            layers.iter().rev().take_while(|layer| layer.class_name != "BatchNormalization").any(DescribedLayer::is_relu)
        };
        let activation = layers.iter().rev().find_map(|layer| match (layer.class_name.as_ref(), layer.activation().as_str()) {
            ("Softmax", _) | (_, "softmax") => Some(Activation::Softmax),
            (_, "sigmoid") => Some(Activation::Sigmoid),
            _ => None,
        });
        Ok(Self { epsilon, final_relu, activation, layers })
    }

    /// Errors where the layers are not those of a DenseNet with these convolutions, one after the other.
    pub(super) fn check(&self, network: &Network) -> Result<()> {
        let mut steps = self.layers.iter().filter(|layer| !layer.is_identity()).peekable();
        let mut previous = "";
        for expected in steps_of(network, self.final_relu) {
            let Some(layer) = steps.next() else { return Ok(()) };
            let found = layer.step();
            if found != expected {
                return Err(layer.refused(&expected, &found));
            }
            if expected == CONCATENATION {
                let inputs = layer.inputs();
                if !inputs.is_empty() && (inputs.len() != 2 || inputs[1] != previous) {
                    return Err(layer.refused("the channels so far and then the new ones", &format!("{inputs:?}")));
                }
            }
            previous = layer.name();
        }
        // After the dense layer nothing but its activation.
        match steps.find(|layer| layer.step() != ACTIVATION) {
            Some(layer) => Err(layer.refused("the end of the network", &layer.step())),
            None => Ok(()),
        }
    }
}

const NORM: &str = "a batch norm";
const RELU: &str = "a ReLU";
const CONCATENATION: &str = "a concatenation";
const GLOBAL_POOL: &str = "a global average pool";
const DENSE: &str = "a dense layer";
const ACTIVATION: &str = "an activation";

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
    steps.extend([GLOBAL_POOL, DENSE].map(str::to_owned));
    steps
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
            layers.push(DescribedLayer { class_name: model.class_name, settings, inbound_nodes: model.inbound_nodes });
            Ok(())
        }
        _ => Err(Error::checkpoint("Keras configuration: expected a functional or sequential model, found another kind")),
    }
}

fn parse<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::checkpoint(format!("Keras configuration: {error}")))
}

impl DescribedLayer<'_> {
    fn check(&self) -> Result<()> {
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
