//! What a file says of its network, where that contradicts the network.

use densenet_wgpu::preprocessing::Preprocessing;
use serde_json::json;

use crate::files::{expect, refused, small, with_header};

#[test]
fn descriptions_that_contradict_the_network_are_refused() {
    let labels = |labels: &[&str]| small().with_labels(labels.iter().map(|&l| l.into()).collect());
    for (checkpoint, complaint) in [
        (labels(&["one"]), "expected 2 labels"),
        (small().with_preprocessing(Preprocessing::torchvision(1)), "preprocessing channels: expected 3, as the first layer has"),
        (small().with_preprocessing(Preprocessing::torchvision(3).with_normalisation(vec![0.5; 3], vec![0.0; 3])), "std"),
    ] {
        expect(&checkpoint.to_bytes().unwrap_err().to_string(), &[complaint]);
    }
    let bytes = small().to_bytes().unwrap();
    for (text, complaint) in [
        (r#"{"labels":["a","b","c"]}"#, "expected 2 labels"),
        (r#"{"epsilon":-1}"#, "epsilon"),
        (r#"{"epsilon":1e999}"#, "metadata `densenet`"),
        (r#"{"colour":"red"}"#, "unknown field `colour`"),
        ("[", "metadata `densenet`"),
    ] {
        let message = refused(&with_header(&bytes, |header| header["__metadata__"] = json!({"densenet": text, "format": "pt"})));
        expect(&message, &[complaint]);
        let remedy = "; convert its source again, or get the file again";
        assert_eq!(message.ends_with(remedy), message.contains("metadata `densenet`"), "{message}");
    }
}
