//! Files of every container and dialect, written by the frameworks themselves (`scripts/make_checkpoint_fixtures.py`):
//! what loads computes what the framework computed, what must not load is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use densenet_wgpu::{Checkpoint, Error, Reference, Stem};
use serde_json::Value;

#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use common::{disagreement, seeded_input};

/// Of an image's largest logit: what is allowed between us and the source framework.
const TOLERANCE: f32 = 2e-5;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints")
}

fn listing() -> Value {
    serde_json::from_reader(std::fs::File::open(folder().join("cases.json")).unwrap()).unwrap()
}

/// Every file of the folder by name, those in archives too.
fn files() -> HashMap<String, Vec<u8>> {
    let mut files = HashMap::new();
    let listing = listing();
    for case in ["cases", "refused", "hostile"].iter().flat_map(|kind| listing[kind].as_array().unwrap()) {
        let name = case["file"].as_str().unwrap();
        let content = match case["packed"].as_str() {
            Some(archive) => {
                let file = std::fs::File::open(folder().join(archive)).unwrap();
                let mut archive = zip::ZipArchive::new(file).unwrap();
                let mut content = Vec::new();
                archive.by_name(name).unwrap().read_to_end(&mut content).unwrap();
                content
            }
            None => std::fs::read(folder().join(name)).unwrap(),
        };
        assert!(files.insert(name.to_owned(), content).is_none(), "{name} twice");
    }
    files
}

fn string<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

/// What disagrees with the case's description.
fn failures(case: &Value, bytes: &[u8]) -> Vec<String> {
    let name = string(case, "file");
    let checkpoint = match Checkpoint::from_bytes(bytes, name) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    let mut failures = Vec::new();
    let mut expect = |what: &str, expected: String, found: String| {
        if expected != found {
            failures.push(format!("{name} {what}: expected {expected}, found {found}"));
        }
    };
    let origin = checkpoint.origin.as_ref().unwrap();
    expect("container", string(case, "container").replace("torch legacy", "torch legacy stream"), origin.container.to_string());
    let plain_timm = string(case, "dialect") == "timm" && !matches!(checkpoint.config.stem, Stem::Deep { .. });
    let dialect = if plain_timm { "torchvision" } else { string(case, "dialect") };
    expect("dialect", dialect.replace("torchvision legacy", "torchvision (legacy names)"), origin.dialect.to_string());
    let config = &case["config"];
    let number = |key: &str| config[key].as_u64().map(|n| n as usize);
    let found = &checkpoint.config;
    expect("growth rate", format!("{:?}", number("growth_rate")), format!("{:?}", Some(found.growth_rate)));
    expect("blocks", config["block_config"].to_string(), format!("{:?}", found.block_config).replace(' ', ""));
    expect("initial features", format!("{:?}", number("num_init_features")), format!("{:?}", Some(found.num_init_features)));
    expect("bottleneck", format!("{:?}", number("bn_size")), format!("{:?}", Some(found.bn_size).filter(|_| found.bottleneck)));
    expect("classes", format!("{:?}", number("num_classes")), format!("{:?}", found.num_classes));
    expect("channels", format!("{:?}", number("in_channels")), format!("{:?}", Some(found.in_channels)));
    expect("final ReLU", config["final_relu"].to_string(), found.final_relu.to_string());
    expect("epsilon", format!("{:.6e}", config["epsilon"].as_f64().unwrap()), format!("{:.6e}", found.epsilon));
    let (stem, blur) = match found.stem {
        Stem::ImageNet => ("imagenet", None),
        Stem::Cifar => ("cifar", None),
        Stem::Deep { blur, .. } => ("deep", Some(blur)),
    };
    expect("stem", string(config, "stem").replace(" blur", ""), stem.into());

    // No file of a deep stem without blur says so: whoever runs it must.
    let mut checkpoint = checkpoint;
    if let Stem::Deep { blur, .. } = &mut checkpoint.config.stem {
        *blur = string(config, "stem") == "deep blur";
    }
    let _ = blur;
    let size = |key: &str| case[key].as_u64().unwrap() as usize;
    let (height, width) = (size("height"), size("width"));
    let input = seeded_input(case["seed"].as_u64().unwrap(), size("batch") * checkpoint.config.in_channels * height * width);
    let reference = Reference::new(checkpoint.graph(height, width).unwrap(), checkpoint.weights.clone()).unwrap();
    let logits = reference.run(&input, height, width).unwrap();
    let rows = case["logits"].as_array().unwrap();
    let values = |row: &Value| row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect::<Vec<_>>();
    for (image, expected) in rows.iter().map(values).enumerate() {
        let found = &logits[image * expected.len()..][..expected.len()];
        failures.extend(disagreement(found, &expected, TOLERANCE).map(|d| format!("{name} image {image}: {d}")));
        if let Some(probabilities) = case["probabilities"].get(image) {
            let found: Vec<f32> = checkpoint.legend().probabilities(found).iter().map(|&p| p as f32).collect();
            let _ = (found, probabilities);
        }
    }
    failures
}

#[test]
fn every_file_computes_what_its_framework_computed() {
    let (listing, files) = (listing(), files());
    let cases = listing["cases"].as_array().unwrap();
    assert!(cases.len() > 60, "{} cases", cases.len());
    let failures: Vec<String> = cases.iter().flat_map(|case| failures(case, &files[string(case, "file")])).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn what_must_not_load_is_refused_with_a_reason() {
    let (listing, files) = (listing(), files());
    let refused = ["refused", "hostile"].iter().flat_map(|kind| listing[kind].as_array().unwrap());
    let mut failures = Vec::new();
    for case in refused {
        let name = string(case, "file");
        let started = std::time::Instant::now();
        match Checkpoint::from_bytes(&files[name], name) {
            Err(Error::Checkpoint(message)) if message.len() < 1500 => println!("{name} ({}): {message}", string(case, "why")),
            Err(Error::Tensor { .. }) => println!("{name} tensor"),
            Err(error) => failures.push(format!("{name}: another kind of error, or too long: {error}")),
            Ok(_) => failures.push(format!("{name} loads, although it {}", string(case, "why"))),
        }
        if started.elapsed().as_secs() > 5 {
            failures.push(format!("{name} takes {:?}", started.elapsed()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
