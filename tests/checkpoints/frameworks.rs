//! Files that frameworks write.

use densenet_wgpu::Checkpoint;
use densenet_wgpu::checkpoint::Container;
use densenet_wgpu::network::Stem;
use serde_json::Value;

use crate::case::{TOLERANCE, disagreements, numbers, outputs, string};
use crate::checkpoint_files::{cases, content};
use crate::common::disagreement;

/// What disagrees with the case's description.
fn failures(case: &Value) -> Vec<String> {
    let name = string(case, "file");
    let mut checkpoint = match Checkpoint::from_bytes(&content(case), name) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    let mut failures = misread(case, &checkpoint);
    // No file of a deep stem without blur says so: whoever runs it must.
    if let Stem::Deep { blur, .. } = &mut checkpoint.config.stem {
        *blur = string(&case["config"], "stem") == "deep blur";
    }
    let logits = outputs(case, &checkpoint);
    failures.extend(disagreements(case, &logits, &case["logits"]));
    checkpoint.complete_description(None);
    let postprocessing = checkpoint.postprocessing();
    let is_trained = |class: usize| postprocessing.thresholds.as_ref().is_none_or(|thresholds| thresholds[class].is_some());
    let trained =
        |values: Vec<f32>| values.into_iter().enumerate().filter(|(class, _)| is_trained(*class)).map(|(_, value)| value).collect();
    for (image, expected) in case["probabilities"].as_array().into_iter().flatten().map(numbers).enumerate() {
        let logits = &logits[image * expected.len()..][..expected.len()];
        let found: Vec<f32> = trained(postprocessing.probabilities(logits).unwrap().iter().map(|&p| p as f32).collect());
        let expected: Vec<f32> = trained(expected);
        failures.extend(disagreement(&found, &expected, TOLERANCE).map(|d| format!("{name} probabilities {image}: {d}")));
    }
    failures
}

/// What was read otherwise than the case says.
fn misread(case: &Value, checkpoint: &Checkpoint) -> Vec<String> {
    let mut failures = Vec::new();
    let mut expect = |what: &str, expected: String, found: String| {
        if expected != found {
            failures.push(format!("{} {what}: expected {expected}, found {found}", string(case, "file")));
        }
    };
    let origin = checkpoint.origin.as_ref().unwrap();
    let found = &checkpoint.config;
    expect("container", string(case, "container").replace("torch legacy", "torch legacy stream"), origin.container.to_string());
    // timm's names are torchvision's but for the deep stem.
    let plain_timm = string(case, "dialect") == "timm" && !matches!(found.stem, Stem::Deep { .. });
    let dialect = if plain_timm { "torchvision" } else { string(case, "dialect") };
    expect("dialect", dialect.replace("torchvision legacy", "torchvision (legacy names)"), origin.dialect.to_string());
    if origin.container != Container::Hdf5 && origin.container != Container::KerasArchive {
        let wrapper = string(case, "wrapper").replace("module object/", "").replace("/module object", "/").replace("module object", "");
        expect("wrapper", wrapper, origin.wrapper.clone());
    }
    let config = &case["config"];
    let number = |key: &str| config[key].as_u64().map(|n| n as usize);
    expect("growth rate", format!("{:?}", number("growth_rate")), format!("{:?}", Some(found.growth_rate)));
    expect("blocks", config["block_config"].to_string(), format!("{:?}", found.block_config).replace(' ', ""));
    expect("initial features", format!("{:?}", number("num_init_features")), format!("{:?}", Some(found.num_init_features)));
    expect("bottleneck", format!("{:?}", number("bn_size")), format!("{:?}", Some(found.bn_size).filter(|_| found.bottleneck)));
    expect("classes", format!("{:?}", number("num_classes")), format!("{:?}", found.num_classes));
    expect("channels", format!("{:?}", number("in_channels")), format!("{:?}", Some(found.in_channels)));
    expect("final ReLU", config["final_relu"].to_string(), found.final_relu.to_string());
    expect("epsilon", format!("{:.6e}", config["epsilon"].as_f64().unwrap()), format!("{:.6e}", found.epsilon));
    let stem = match found.stem {
        Stem::ImageNet => "imagenet",
        Stem::Cifar => "cifar",
        Stem::Deep { .. } => "deep",
        Stem::Single { .. } => "single",
        other => panic!("{other:?}"),
    };
    expect("stem", string(config, "stem").replace(" blur", ""), stem.into());
    if let Some(activation) = case["activation"].as_str() {
        expect("activation", format!("Some({activation})").to_lowercase(), format!("{:?}", origin.activation).to_lowercase());
    }
    // A state dict has none.
    if let Some(targets) = case["targets"].as_array().filter(|_| string(case, "wrapper") == "module object") {
        let targets: Vec<String> = targets.iter().map(|t| t.as_str().unwrap().into()).collect();
        expect("labels", format!("{:?}", Some(targets)), format!("{:?}", checkpoint.labels));
    }
    failures
}

#[test]
fn every_file_computes_what_its_framework_computed() {
    let cases = cases("cases");
    assert!(cases.len() > 60, "{} cases", cases.len());
    let failures: Vec<String> = cases.iter().flat_map(failures).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
