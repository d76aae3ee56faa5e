//! A file with what its framework computed, and how it is read.

use densenet_wgpu::Checkpoint;
use densenet_wgpu::checkpoint::ReadOptions;
use densenet_wgpu::verify::Reference;
use serde_json::Value;

use crate::checkpoint_files;
use crate::common::{disagreement, seeded_input};

/// Of an image's largest logit: what is allowed between us and the source framework.
pub(crate) const TOLERANCE: f32 = 2e-5;

pub(crate) fn string<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

pub(crate) fn numbers(row: &Value) -> Vec<f32> {
    row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

/// What `scripts/make_wild_fixtures.py` and `scripts/make_head_fixtures.py` list: files as people save them.
pub(crate) fn wild(kind: &str) -> Vec<Value> {
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
pub(crate) fn read_options(case: &Value) -> ReadOptions {
    let options = &case["options"];
    let word = |key: &str| options[key].as_str();
    let mut read_options = ReadOptions::default().with_features_only(options["features_only"] == true);
    read_options.root = word("root").map(str::to_owned);
    read_options.head = word("head").map(str::to_owned);
    read_options.head_layers = word("head_layers").map(|words| words.split(',').map(|word| word.parse().unwrap()).collect());
    read_options.stem = word("stem").map(|stem| stem.parse().unwrap()).unwrap_or_default();
    read_options.new_channels = word("new_channels").map(|first| first.parse().unwrap());
    read_options
}

/// What the network computes of the case's input.
pub(crate) fn outputs(case: &Value, checkpoint: &Checkpoint) -> Vec<f32> {
    let size = |key: &str| case[key].as_u64().unwrap() as usize;
    let (height, width) = (size("height"), size("width"));
    let input = seeded_input(case["seed"].as_u64().unwrap(), size("batch") * checkpoint.config.in_channels * height * width);
    let reference = Reference::new(checkpoint.graph(height, width).unwrap(), checkpoint.weights.clone()).unwrap();
    reference.run(&input, height, width).unwrap()
}

/// Where the outputs of images differ from what the framework computed.
pub(crate) fn disagreements(case: &Value, found: &[f32], expected: &Value) -> Vec<String> {
    let of_image = |(image, expected): (usize, Vec<f32>)| {
        let found = found.get(image * expected.len()..(image + 1) * expected.len()).unwrap_or_default();
        disagreement(found, &expected, TOLERANCE).map(|d| format!("{} image {image}: {d}", string(case, "file")))
    };
    expected.as_array().unwrap().iter().map(numbers).enumerate().filter_map(of_image).collect()
}
