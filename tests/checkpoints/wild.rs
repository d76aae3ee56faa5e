//! Files as people save them.

use densenet_wgpu::Checkpoint;
use densenet_wgpu::checkpoint::{NewChannels, ReadOptions};
use densenet_wgpu::network::HeadLayer;
use serde_json::Value;

use crate::case::{TOLERANCE, disagreements, numbers, outputs, read_options, string, wild};
use crate::checkpoint_files::{cases, content};
use crate::common::disagreement;

/// What disagrees with a file of the wild: read, and converted and read again.
fn wild_failures(case: &Value) -> Vec<String> {
    let name = string(case, "file");
    let read = match read_options(case).from_bytes(&content(case), name) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    let mut failures = Vec::new();
    let notes = read.origin.as_ref().unwrap().notes.join("; ");
    if !notes.contains(string(case, "note")) || string(case, "note").is_empty() != notes.is_empty() {
        failures.push(format!("{name}: expected a note of {:?}, found {notes:?}", string(case, "note")));
    }
    let assumed: Vec<&str> = read.assumed.iter().map(|it| it.field.name()).filter(|name| *name != "labels").collect();
    let expected: Vec<&str> = case["assumed"].as_array().into_iter().flatten().map(|field| field.as_str().unwrap()).collect();
    if assumed != expected {
        failures.push(format!("{name} {}: expected {expected:?} to be assumed, found {assumed:?}", case["options"]));
    }
    if let Some(expected) = case["normalisation"].as_array() {
        let found = read.origin.as_ref().unwrap().normalisation.clone().unwrap_or_default();
        for (found, expected) in found.iter().zip(expected.iter().map(numbers)) {
            failures.extend(disagreement(found, &expected, TOLERANCE).map(|d| format!("{name} normalisation: {d}")));
        }
    }
    let converted = Checkpoint::from_bytes(&read.to_bytes().unwrap(), name).unwrap_or_else(|error| panic!("{name} converted: {error}"));
    if (&converted.config, &converted.weights) != (&read.config, &read.weights) {
        failures.push(format!("{name}: converted it is {}, not {}", converted.config, read.config));
    }
    failures.extend(disagreements(case, &outputs(case, &read), &case["expected"]));
    failures
}

#[test]
fn files_of_the_wild_compute_what_pytorch_computes() {
    let cases = wild("cases");
    assert!(cases.len() > 30, "{} cases", cases.len());
    let failures: Vec<String> = cases.iter().flat_map(wild_failures).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_sigmoid_between_layers_is_no_end() {
    for case in wild("cases").iter().filter(|case| string(case, "file").contains("activations")) {
        let read = read_options(case).from_bytes(&content(case), "any").unwrap();
        let nonlinearities = read.config.head.iter().filter(|layer| matches!(layer, HeadLayer::Nonlinearity(_))).count();
        assert_eq!((nonlinearities, read.origin.unwrap().activation), (6, None), "{}", case["file"]);
    }
}

#[test]
fn what_a_file_of_the_wild_does_not_tell_is_asked_for() {
    let mut failures = Vec::new();
    for case in wild("refused") {
        let name = string(&case, "file");
        match read_options(&case).from_bytes(&content(&case), name) {
            Ok(checkpoint) => failures.push(format!("{name} {} loads as {}", case["options"], checkpoint.config)),
            Err(error) => {
                let message = error.to_string();
                let parts = case["parts"].as_array().unwrap().iter().filter_map(Value::as_str);
                failures.extend(parts.filter(|part| !message.contains(part)).map(|part| format!("{name}: no {part:?} in {message}")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_keras_files_cannot_be_asked_is_refused_with_its_value() {
    let keras = cases("cases").into_iter().find(|case| string(case, "container") == "HDF5").unwrap();
    for (read_options, said) in [
        (ReadOptions::default().with_root("encoder"), "`root` encoder: expected a file of PyTorch's"),
        (ReadOptions::default().with_head("age"), "`head` age: expected a file of PyTorch's"),
        (ReadOptions::default().with_new_channels(NewChannels::First), "`new_channels` first: expected a file of PyTorch's"),
    ] {
        let message = read_options.from_bytes(&content(&keras), "any").unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
    }
}
