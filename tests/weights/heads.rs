//! Classifiers: by which names they are found, and in which order their layers are.

use densenet_wgpu::Checkpoint;
use densenet_wgpu::checkpoint::{Dialect, HeadStep, ReadOptions};
use densenet_wgpu::network::HeadLayer;

use crate::files::{assembled, expect, read, refused_tensors, renamed, small, tensors};

/// A layer of features: its outputs, where it is linear, else it is a norm.
type Layer<'n> = (&'n str, Option<usize>);

/// A file of the small network with a head of these layers between 11 features, each filled with its own number: 1, 2, ….
fn headed(layers: &[Layer]) -> Vec<u8> {
    let mut tensors = tensors(&small());
    tensors.retain(|name, _| !name.starts_with("classifier."));
    let mut number = 0f32;
    for (name, outputs) in layers {
        number += 1.0;
        let mut insert = |parameter: &str, shape: Vec<usize>| {
            let bytes = number.to_le_bytes().repeat(shape.iter().product());
            tensors.insert(format!("{name}.{parameter}"), ("F32".into(), shape, bytes));
        };
        match outputs {
            Some(outputs) => {
                insert("weight", vec![*outputs, 11]);
                insert("bias", vec![*outputs]);
            }
            None => ["weight", "bias", "running_mean", "running_var"].iter().for_each(|parameter| insert(parameter, vec![11])),
        }
    }
    assembled(&tensors)
}

#[test]
fn the_order_of_a_head_is_that_of_numbers_or_unknown() {
    let open = |layers: &[Layer], stated: Option<&str>| {
        let steps = stated.map(|words| words.split(',').map(|word| word.parse().unwrap()).collect::<Vec<HeadStep>>());
        steps.map_or(ReadOptions::default(), |steps| ReadOptions::default().with_head_layers(steps)).from_bytes(&headed(layers), "file")
    };
    let first = |checkpoint: &Checkpoint, layer: &str| checkpoint.weights.tensor(&format!("{layer}.weight")).unwrap().data[0];
    let refusal = |layers: &[Layer], stated, parts: &[&str]| {
        expect(&open(layers, stated).unwrap_err().to_string(), parts);
    };
    let three = Some("linear,relu,linear,relu,linear");
    let unnumbered = [("head.a", Some(11)), ("head.b", Some(11)), ("head.c", Some(2))];
    refusal(&unnumbered, three, &["does not tell the order of head.a [11, 11] and head.b [11, 11]", "torch.save"]);
    let numbered = [("head.fc2", Some(11)), ("head.fc1", Some(11)), ("head.out", Some(2))];
    let found = open(&numbered, three).unwrap();
    assert_eq!(["classifier.0", "classifier.2", "classifier.4"].map(|layer| first(&found, layer)), [2.0, 1.0, 3.0]);
    // Which of norm and linear layer comes first is for the caller to state.
    let mixed = [("head.fc1", Some(11)), ("head.bn1", None), ("head.out", Some(2))];
    refusal(&mixed, None, &["the order of head.bn1 [11] and head.fc1 [11, 11]", "`head_layers` linear,batchnorm,relu,linear"]);
    let found = open(&mixed, Some("linear,batchnorm,relu,linear")).unwrap();
    assert_eq!((first(&found, "classifier.0"), first(&found, "classifier.1")), (1.0, 2.0));
    let found = open(&mixed, Some("batchnorm,linear,silu,linear")).unwrap();
    assert_eq!((first(&found, "classifier.0"), first(&found, "classifier.1")), (2.0, 1.0));
    assert!(matches!(found.config.head[0], HeadLayer::BatchNorm { .. }));
}

#[test]
fn a_head_is_found_by_what_it_takes() {
    for head in ["fc.", "head.fc.", "classifier.0.", "classifier.1.", "model.linear."] {
        let found = read(&renamed(|name| name.replace("classifier.", head)));
        assert_eq!(found.weights, small().weights, "{head}");
        // Two classes are no CheXNet, whose head has that name.
        assert_eq!(found.origin.unwrap().dialect, Dialect::Torchvision, "{head}");
    }
    let mut tensors = tensors(&small());
    tensors.remove("classifier.bias");
    let unbiased = read(&tensors);
    assert_eq!(unbiased.weights.tensor("classifier.bias").unwrap().data, [0.0; 2]);
    tensors.insert("other.weight".into(), tensors["classifier.weight"].clone());
    let both = "2 layers that read the features: classifier [2, 11], other [2, 11]; take one with `head`";
    expect(&refused_tensors(&tensors), &[both]);
}
