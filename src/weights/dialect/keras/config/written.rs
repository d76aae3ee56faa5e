//! A configuration as Keras writes it in JSON; other keys are ignored.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// A layer, or a model of layers.
#[derive(Deserialize)]
pub(super) struct Written<'j> {
    #[serde(borrow)]
    pub(super) class_name: Cow<'j, str>,
    #[serde(borrow)]
    pub(super) module: Option<Cow<'j, str>>,
    #[serde(borrow)]
    pub(super) config: &'j RawValue,
    #[serde(borrow)]
    pub(super) inbound_nodes: Option<&'j RawValue>,
}

/// The parts of a layer's configuration that are read.
#[derive(Default, Deserialize)]
pub(super) struct Settings<'j> {
    #[serde(borrow)]
    pub(super) name: Option<Cow<'j, str>>,
    #[serde(borrow)]
    pub(super) layers: Option<Vec<Written<'j>>>,
    #[serde(borrow)]
    pub(super) output_layers: Option<&'j RawValue>,
    #[serde(borrow)]
    pub(super) activation: Option<&'j RawValue>,
    #[serde(borrow)]
    pub(super) padding: Option<&'j RawValue>,
    pub(super) kernel_size: Option<[u64; 2]>,
    pub(super) pool_size: Option<[u64; 2]>,
    pub(super) strides: Option<[u64; 2]>,
    pub(super) dilation_rate: Option<[u64; 2]>,
    pub(super) groups: Option<u64>,
    pub(super) epsilon: Option<f64>,
    pub(super) max_value: Option<f64>,
    pub(super) negative_slope: Option<f64>,
    pub(super) alpha: Option<f64>,
    pub(super) threshold: Option<f64>,
    pub(super) scale: Option<Numbers>,
    pub(super) offset: Option<Numbers>,
    pub(super) mean: Option<Numbers>,
    pub(super) variance: Option<Numbers>,
}

/// One number, or one for each channel, however deep in lists.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Numbers {
    One(f64),
    More(Vec<Numbers>),
    /// Something else: a batch norm has a `scale` too, which is true or false.
    Other(IgnoredAny),
}

impl Numbers {
    pub(super) fn flat(&self) -> Vec<f64> {
        match self {
            Self::One(number) => vec![*number],
            Self::More(numbers) => numbers.iter().flat_map(Self::flat).collect(),
            Self::Other(_) => Vec::new(),
        }
    }
}

/// A function that Keras 3 writes as an object.
#[derive(Deserialize)]
pub(super) struct Function<'j> {
    #[serde(borrow)]
    pub(super) class_name: Option<Cow<'j, str>>,
    #[serde(borrow)]
    pub(super) config: Option<&'j RawValue>,
}

/// The names of the layers that a part of a configuration refers to.
pub(super) fn layers_in(json: &RawValue) -> Vec<String> {
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

/// Reads a part of a configuration.
pub(super) fn parse<'j, T: Deserialize<'j>>(json: &'j str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| Error::checkpoint(format!("Keras configuration: {error}")))
}
