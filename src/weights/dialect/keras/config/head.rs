//! The classifier that a configuration describes.

use super::{Configuration, features};
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::head::HeadLayer;
use crate::nonlinearity::Nonlinearity;

impl Configuration<'_> {
    /// The layers behind the global pool, also those without tensors. Errors where no head has such a layer.
    pub(in crate::weights::dialect) fn head(&self) -> Result<Vec<HeadLayer>> {
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
}
