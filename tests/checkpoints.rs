//! Files of every container and dialect, written by the frameworks themselves (`scripts/make_checkpoint_fixtures.py`):
//! what loads computes what the framework computed, what must not load is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use densenet_wgpu::checkpoint::{Container, NewChannels, Reading};
use densenet_wgpu::network::{HeadLayer, Stem};
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Checkpoint, Error};
use proptest::prelude::*;
use serde_json::Value;

#[path = "common/checkpoint_files.rs"]
mod checkpoint_files;
#[expect(dead_code, reason = "other tests use the rest")]
mod common;
use checkpoint_files::{cases, content};
use common::{disagreement, seeded_input};

/// Of an image's largest logit: what is allowed between us and the source framework.
const TOLERANCE: f32 = 2e-5;

fn string<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

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
    let size = |key: &str| case[key].as_u64().unwrap() as usize;
    let (height, width) = (size("height"), size("width"));
    let input = seeded_input(case["seed"].as_u64().unwrap(), size("batch") * checkpoint.config.in_channels * height * width);
    let reference = Reference::new(checkpoint.graph(height, width).unwrap(), checkpoint.weights.clone()).unwrap();
    let logits = reference.run(&input, height, width).unwrap();
    let legend = checkpoint_legend(checkpoint);
    for (image, expected) in case["logits"].as_array().unwrap().iter().map(numbers).enumerate() {
        let found = &logits[image * expected.len()..][..expected.len()];
        failures.extend(disagreement(found, &expected, TOLERANCE).map(|d| format!("{name} image {image}: {d}")));
        if let Some(expected) = case["probabilities"].get(image).map(numbers) {
            let found: Vec<f32> = legend.probabilities(found).unwrap().iter().map(|&p| p as f32).collect();
            let trained = |values: &[f32]| {
                (0..values.len())
                    .filter(|&i| legend.thresholds.as_ref().is_none_or(|t| t[i].is_some()))
                    .map(|i| values[i])
                    .collect::<Vec<_>>()
            };
            failures.extend(
                disagreement(&trained(&found), &trained(&expected), TOLERANCE).map(|d| format!("{name} probabilities {image}: {d}")),
            );
        }
    }
    failures
}

fn checkpoint_legend(mut checkpoint: Checkpoint) -> densenet_wgpu::labels::Legend {
    checkpoint.complete_description(None);
    checkpoint.legend()
}

fn numbers(row: &Value) -> Vec<f32> {
    row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
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

/// What `scripts/make_wild_fixtures.py` and `scripts/make_head_fixtures.py` list: files as people save them.
fn wild(kind: &str) -> Vec<Value> {
    let of = |name: &str| {
        let listing = std::fs::read_to_string(checkpoint_files::folder().join(format!("{name}.json"))).unwrap();
        let listing: Value = serde_json::from_str(&listing).unwrap();
        let mut cases = listing[kind].as_array().unwrap().clone();
        cases.iter_mut().for_each(|case| case["packed"] = format!("{name}.zip").into());
        cases
    };
    ["wild", "heads"].into_iter().flat_map(of).collect()
}

/// How the case says that its file is read.
fn reading(case: &Value) -> Reading {
    let options = &case["options"];
    let word = |key: &str| options[key].as_str();
    let mut reading = Reading::default().with_features_only(options["features_only"] == true);
    reading.root = word("root").map(str::to_owned);
    reading.head = word("head").map(str::to_owned);
    reading.head_layers = word("head_layers").map(|words| words.split(',').map(|word| word.parse().unwrap()).collect());
    reading.entry = word("stem").map(|stem| stem.parse().unwrap()).unwrap_or_default();
    reading.new_channels = word("new_channels").map(|first| first.parse().unwrap());
    reading
}

/// What disagrees with a file of the wild: read, and converted and read again.
fn wild_failures(case: &Value) -> Vec<String> {
    let name = string(case, "file");
    let read = match reading(case).from_bytes(&content(case), name) {
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
    let size = |key: &str| case[key].as_u64().unwrap() as usize;
    let (height, width) = (size("height"), size("width"));
    let input = seeded_input(case["seed"].as_u64().unwrap(), size("batch") * size("channels") * height * width);
    let reference = Reference::new(read.graph(height, width).unwrap(), read.weights).unwrap();
    let found = reference.run(&input, height, width).unwrap();
    for (image, expected) in case["expected"].as_array().unwrap().iter().map(numbers).enumerate() {
        let found = found.get(image * expected.len()..(image + 1) * expected.len()).unwrap_or_default();
        failures.extend(disagreement(found, &expected, TOLERANCE).map(|d| format!("{name} image {image}: {d}")));
    }
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
        let read = reading(case).from_bytes(&content(case), "any").unwrap();
        let nonlinearities = read.config.head.iter().filter(|layer| matches!(layer, HeadLayer::Nonlinearity(_))).count();
        assert_eq!((nonlinearities, read.origin.unwrap().activation), (6, None), "{}", case["file"]);
    }
}

#[test]
fn what_a_file_of_the_wild_does_not_tell_is_asked_for() {
    let mut failures = Vec::new();
    for case in wild("refused") {
        let name = string(&case, "file");
        match reading(&case).from_bytes(&content(&case), name) {
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
    for (reading, said) in [
        (Reading::default().with_root("encoder"), "`root` encoder: expected a file of PyTorch's"),
        (Reading::default().with_head("age"), "`head` age: expected a file of PyTorch's"),
        (Reading::default().with_new_channels(NewChannels::First), "`new_channels` first: expected a file of PyTorch's"),
    ] {
        let message = reading.from_bytes(&content(&keras), "any").unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
    }
}

/// After this long reading a file hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A refusal is one message of a person's length, and comes.
fn refusal(name: &str, bytes: &[u8]) -> Result<String, String> {
    let started = Instant::now();
    let message = match Checkpoint::from_bytes(bytes, name) {
        Err(error @ (Error::Checkpoint { .. } | Error::Tensor { .. })) => error.to_string(),
        Err(error) => return Err(format!("{name}: another kind of error: {error:?}")),
        Ok(_) => return Err(format!("{name} loads")),
    };
    match (message.len(), started.elapsed()) {
        (..1500, took) if took < PATIENCE => Ok(message),
        (length, took) => Err(format!("{name}: {length} bytes of message after {took:?}")),
    }
}

#[test]
fn what_must_not_load_is_refused_with_a_reason() {
    let refused: Vec<Value> = [cases("refused"), cases("hostile")].concat();
    assert!(refused.len() > 100, "{}", refused.len());
    let failures: Vec<String> = refused.iter().filter_map(|case| refusal(string(case, "file"), &content(case)).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn refusals_say_what_it_is() {
    let refused: Vec<Value> = [cases("refused"), cases("hostile")].concat();
    for (name, parts) in [
        ("hostile-os-system.zip.pth", ["\"os.system\"", "nothing was run"]),
        ("hostile-inst.legacy.pth", ["\"os.system\"", "nothing was run"]),
        ("hostile-stack-global.zip.pth", ["\"os.system\"", "state_dict()"]),
        ("hostile-bomb.zip.pth", ["at most", "10000000 bytes in a file of"]),
        ("monai-3d.pth", ["2 dimensions", "3 dimensions"]),
        ("monai-instance.pth", ["instance or group norms", "are not run"]),
        ("changed-pool.pt", ["module features.pool0", "found AvgPool2d"]),
        ("changed-stride.pt", ["module features.conv0", "stride 2x1"]),
        ("changed-padding.pt", ["module features.conv0", "not padded with zeros"]),
        ("changed-relu.pt", ["denselayer1.relu2: expected a ReLU", "found Sigmoid"]),
        ("changed-transition.pt", ["features.transition1.pool", "found MaxPool2d"]),
        ("changed-before.pt", ["features.before", "found MaxPool2d"]),
        ("changed-head.pt", ["module classifier.1", "found ReLU"]),
        ("keras-changed-pool.keras", ["pool2_pool", "expected an average pool of 2"]),
        ("keras-changed-activation.keras", ["conv1_relu", "found elu"]),
        ("keras-changed-order.keras", ["_concat", "and then the new ones"]),
        ("torchscript.pt", ["TorchScript", "torch.jit.load"]),
        ("model.onnx", ["ONNX", "state_dict()"]),
        ("densenet-121.t7", ["Torch7", "state_dict()"]),
        ("DenseNet_121.caffemodel", ["Caffe", "state_dict()"]),
        ("tar.pth", ["tar archive", "torch.save"]),
    ] {
        let case = refused.iter().find(|case| string(case, "file") == name).unwrap_or_else(|| panic!("{name}"));
        let message = refusal(name, &content(case)).unwrap();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
}

/// One file of each container and of each way to nest a network.
fn samples() -> Vec<(String, Vec<u8>)> {
    let wanted = [
        "torchvision.pth",
        "downloaded.pth",
        "module-legacy.pt",
        "xrv.pt",
        "views-legacy.pth",
        "f16.safetensors",
        "timm-blur.safetensors",
        "keras.h5",
        "keras-latest.h5",
        "keras-nested.weights.h5",
        "keras-no-relu.keras",
        "pruned.pth",
        "numbered.pth",
        "head-beside.pth",
        "head-fastai.pth",
        "traced.pt",
        "keras-normalization.keras",
    ];
    let cases = [cases("cases"), wild("cases")].concat();
    let sample = |name: &&str| {
        let case = cases.iter().find(|case| string(case, "file") == *name).unwrap_or_else(|| panic!("{name}"));
        ((*name).to_owned(), content(case))
    };
    wanted.iter().map(sample).collect()
}

#[test]
fn every_cut_is_refused() {
    for (name, bytes) in samples() {
        let step = (bytes.len() / 60).max(1);
        let ends = (0..bytes.len()).step_by(step).chain(bytes.len().saturating_sub(12)..bytes.len());
        for end in ends {
            if let Err(failure) = refusal(&name, &bytes[..end]) {
                panic!("{end} of {}: {failure}", bytes.len());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A changed file loads or is refused; nothing panics, hangs or asks for much memory.
    #[test]
    fn changed_files_do_no_harm(
        sample in 0..17usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        static SAMPLES: std::sync::LazyLock<Vec<(String, Vec<u8>)>> = std::sync::LazyLock::new(samples);
        let (name, mut bytes) = SAMPLES[sample].clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let started = Instant::now();
        match Checkpoint::from_bytes(&bytes, &name) {
            Ok(checkpoint) => prop_assert!(checkpoint.check().is_ok()),
            Err(Error::Checkpoint { .. } | Error::Tensor { .. }) => {}
            Err(error) => prop_assert!(false, "{name}: {error:?}"),
        }
        prop_assert!(started.elapsed() < PATIENCE, "{name}: {:?}", started.elapsed());
    }
}
