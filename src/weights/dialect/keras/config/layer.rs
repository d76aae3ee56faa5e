//! One layer of a configuration.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::written::{Function, Numbers, Settings, layers_in};
use crate::error::{Error, Result};
use crate::nonlinearity::Nonlinearity;

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
pub(super) const ENTRANCES: [&str; 8] = ["Rescaling", "Normalization", "Resizing", "Add", "Subtract", "Multiply", "Divide", "TrueDivide"];

// What the steps of a network are called, in messages too.
pub(super) const NORM: &str = "a batch norm";
pub(super) const RELU: &str = "a ReLU";
pub(super) const CONCATENATION: &str = "a concatenation";
pub(super) const GLOBAL_POOL: &str = "a global average pool";
pub(super) const DENSE: &str = "a dense layer";
pub(super) const ACTIVATION: &str = "an activation";

/// Activations that a classifier may have.
const ACTIVATIONS: &str = "relu, leaky_relu, silu, gelu, tanh, sigmoid, softmax or no activation";

/// A layer that is no model of layers.
pub(super) struct ConfiguredLayer<'j> {
    pub(super) class_name: Cow<'j, str>,
    pub(super) settings: Settings<'j>,
    pub(super) inbound_nodes: Option<&'j RawValue>,
}

impl ConfiguredLayer<'_> {
    pub(super) fn name(&self) -> &str {
        self.settings.name.as_deref().unwrap_or("?")
    }

    /// The activation's name, `linear` where there is none.
    pub(super) fn activation(&self) -> String {
        let text = |json: &RawValue| serde_json::from_str::<String>(json.get()).ok();
        let object = |json: &RawValue| {
            let function: Function = serde_json::from_str(json.get()).ok()?;
            function.config.and_then(text).or_else(|| function.class_name.map(Cow::into_owned))
        };
        self.settings.activation.and_then(|json| text(json).or_else(|| object(json))).unwrap_or_else(|| "linear".into())
    }

    /// The activation other than ReLU, softmax and sigmoid that it is or has, where it is one that is run.
    pub(super) fn nonlinearity(&self) -> Option<Nonlinearity> {
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

    pub(super) fn is_relu(&self) -> bool {
        self.class_name == "ReLU" || self.class_name == "Activation" && self.activation() == "relu"
    }

    /// Whether it does nothing in inference, or only rearranges what is pooled, or is part of the preprocessing.
    pub(super) fn is_identity(&self) -> bool {
        IDENTITIES.contains(&self.class_name.as_ref()) || ENTRANCES.contains(&self.class_name.as_ref())
    }

    /// What it does.
    pub(super) fn step(&self) -> String {
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
    pub(super) fn constant(&self) -> Option<Vec<f64>> {
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
    pub(super) fn inputs(&self) -> Vec<String> {
        self.inbound_nodes.map(layers_in).unwrap_or_default()
    }

    pub(super) fn refused(&self, expected: &str, found: &str) -> Error {
        Error::checkpoint(format!(
            "Keras layer {:?}: expected {expected}, found {found}: it would compute something else here",
            self.name()
        ))
    }

    /// Errors where it is no layer of a DenseNet, or of a classifier behind one.
    pub(super) fn check(&self, is_in_head: bool) -> Result<()> {
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
