//! Whether the layers are those of a DenseNet, one after the other.

use std::collections::HashSet;

use super::Configuration;
use super::layer::{CONCATENATION, GLOBAL_POOL, NORM, RELU};
use crate::error::Result;
use crate::weights::dialect::Network;

impl Configuration<'_> {
    /// Errors where the layers are not those of a DenseNet with these convolutions, one after the other.
    pub(in crate::weights::dialect) fn check(&self, network: &Network) -> Result<()> {
        let mut layers = self.layers.iter();
        let mut previous = "";
        for expected in steps_of(network, self.final_relu) {
            // The previous layer, and those that hand on unchanged what it computes.
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
        // What is behind the pool is a head, and was checked as one.
        Ok(())
    }
}

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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::weights::Dialect;
    use crate::weights::container::Stored;

    /// A network with one layer in one block, and what is between that layer's convolution and the concatenation.
    fn refusal(between: &[(&str, &str)], concatenated: [&str; 2]) -> Option<String> {
        let mut network = Network::new(Dialect::Keras, String::new());
        for name in ["conv0", "denseblock1.denselayer1.conv1"] {
            let stored = Stored::computed(name, vec![1, 1, 3, 3], [0.0; 9]).unwrap();
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
        let described = Configuration::read(&model).unwrap();
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
}
