//! Keras's configuration of a network: what it says beyond the weights, and whether its layers are a DenseNet's.

mod entrance;
mod head;
mod layer;
mod order;
mod written;

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::weights::dialect::some_of;
pub(super) use entrance::{Entrance, normalised};
use layer::{ConfiguredLayer, ENTRANCES};
use written::{Settings, Written, layers_in, parse};

/// Longest configuration that is read. A DenseNet-264's has 1.5 MB.
const LONGEST_CONFIG: usize = 4 << 20;

/// Deepest nesting of models in a model.
const DEEPEST: usize = 16;

/// What a configuration says beyond the weights.
pub(super) struct Configuration<'j> {
    /// Batch norm's epsilon.
    pub(super) epsilon: Option<f32>,
    /// Whether a ReLU stands between the last batch norm and the global pool.
    pub(super) final_relu: bool,
    /// What turns logits into probabilities.
    pub(super) activation: Option<Activation>,
    layers: Vec<ConfiguredLayer<'j>>,
}

impl<'j> Configuration<'j> {
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
        let final_relu = behind_norm.into_iter().any(ConfiguredLayer::is_relu);
        let last = layers.iter().rposition(|layer| layer.class_name == "Dense").unwrap_or(0);
        let activation = layers[last..].iter().rev().find_map(|layer| match (layer.class_name.as_ref(), layer.activation().as_str()) {
            ("Softmax", _) | (_, "softmax") => Some(Activation::Softmax),
            (_, "sigmoid") => Some(Activation::Sigmoid),
            _ => None,
        });
        Ok(Self { epsilon, final_relu, activation, layers })
    }
}

/// The layers up to the global pool; all, where there is none.
fn features<'l, 'j>(layers: &'l [ConfiguredLayer<'j>]) -> &'l [ConfiguredLayer<'j>] {
    let end = layers.iter().position(|layer| layer.class_name == "GlobalAveragePooling2D");
    &layers[..end.unwrap_or(layers.len())]
}

/// The layers of a model and of the models in it, in order.
fn collect<'j>(model: Written<'j>, layers: &mut Vec<ConfiguredLayer<'j>>, depth: usize) -> Result<()> {
    // A sequential model of Keras 2 is its list of layers.
    let is_list = model.config.get().starts_with('[');
    let mut settings: Settings =
        if is_list { Settings { layers: Some(parse(model.config.get())?), ..Settings::default() } } else { parse(model.config.get())? };
    if let Some([first, _, ..]) = settings.output_layers.map(layers_in).as_deref().filter(|_| depth == 0) {
        return Err(Error::checkpoint(format!(
            "Keras configuration: expected one output, found several. Workaround: save a model of one in Python with \
             keras.Model(model.input, model.get_layer({first:?}).output).save('OUT.keras')"
        )));
    }
    match settings.layers.take() {
        Some(inner) if depth < DEEPEST => inner.into_iter().try_for_each(|layer| collect(layer, layers, depth + 1)),
        None if depth > 0 => {
            layers.push(ConfiguredLayer { class_name: model.class_name, settings, inbound_nodes: model.inbound_nodes });
            Ok(())
        }
        _ if model.module.as_deref().is_some_and(|module| module.starts_with("keras_hub")) => Err(Error::checkpoint(format!(
            "Keras configuration: expected Keras Applications' DenseNet, found KerasHub's {}, which pads less on one side: such networks are \
             not run",
            model.class_name
        ))),
        _ => Err(Error::checkpoint(format!(
            "Keras configuration: expected a functional or sequential model, found {}, whose program is not read. Workaround: save \
             its weights alone in Python with model.save_weights('OUT.weights.h5')",
            model.class_name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn models_of_other_kinds_are_refused_with_a_way_round() {
        let message = |model: Value| Configuration::read(&model.to_string()).err().unwrap().to_string();
        let outputs = json!({"class_name": "Functional", "config": {"layers": [], "output_layers": [["age", 0, 0], ["sex", 0, 0]]}});
        assert!(message(outputs).contains("keras.Model(model.input, model.get_layer(\"age\").output)"));
        let own = json!({"class_name": "MyNet", "module": "net", "config": {"width": 3}});
        assert!(message(own).contains("found MyNet, whose program is not read. Workaround: save its weights alone"));
        let hub = json!({"class_name": "DenseNetBackbone", "module": "keras_hub.src.models", "config": {"width": 3}});
        assert!(message(hub).contains("KerasHub's DenseNetBackbone, which pads less on one side"));
        for one in [json!([["age", 0, 0]]), json!(["age", 0, 0])] {
            let model = json!({"class_name": "Functional", "config": {"layers": [], "output_layers": one}});
            assert!(Configuration::read(&model.to_string()).is_ok());
        }
    }
}
