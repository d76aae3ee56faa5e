//! `densenet verify` and the self-test, on the default device.

use std::fs;

use densenet_wgpu::{Gpu, models};
use serde_json::Value;

use super::{assert_refused, assert_says, bytes, densenet, fixture, folder, infer::write_npy, stderr, stdout};

fn verify(arguments: &[&str]) -> std::process::Output {
    densenet().args(["verify", "--model", "digits"]).args(arguments).output().unwrap()
}

#[test]
fn the_default_device_agrees_with_the_reference() {
    let text = verify(&["--batch", "2", "--size", "37x41"]);
    assert_says(&text, 0, &[]);
    let text = stdout(&text);
    for part in
        ["driver", "digits, DenseNet-24", "noise, [2, 3, 37, 41]", "as it runs, fused", "a kernel for each operation", "values agree"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }

    let output = verify(&["--format", "json"]);
    assert_says(&output, 0, &[]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["agrees"], &report["first_divergence"], &report["tolerance"]), (&true.into(), &Value::Null, &1e-4.into()));
    let unfused = report["passes"][1]["layers"].as_array().unwrap();
    let last = unfused.last().unwrap();
    assert_eq!((last["layer"].as_str(), &last["shape"]), (Some("classifier"), &serde_json::json!([1, 10, 1, 1])));
    assert!(last["error"].as_f64().unwrap() < 1e-4 && last["agrees"] == true, "{last}");
    assert!(unfused.len() > report["passes"][0]["layers"].as_array().unwrap().len());
}

/// Numbers that leave the range of 16-bit floats in the first convolution, so that there is something to find.
#[test]
fn a_divergence_is_status_1_and_names_the_layer() {
    let folder = folder();
    let input = folder.path().join("large.npy");
    write_npy(&input, "<f4", false, &[1, 3, 32, 32], &bytes(&[60000.0; 3 * 32 * 32]));
    let output = verify(&["--precision", "f16", "--input", input.to_str().unwrap()]);
    assert_says(&output, 1, &["differs from the reference: features.conv0 in features.relu0", "found NaN instead of"]);
    let text = stdout(&output);
    assert!(text.contains("DIFFERS") && text.contains("values differ, first features.conv0 in features.relu0"), "{text}");
}

#[test]
fn verify_refuses_what_it_cannot_hold_to_the_reference() {
    assert_refused(&verify(&["--device", "cpu"]), &["--device cpu", "the reference itself"]);
    assert_refused(&verify(&["--batch", "4000000"]), &["expected at most"]);
    assert_refused(&verify(&["--size", "4x4"]), &["too small"]);
    let folder = folder();
    let input = folder.path().join("grey.npy");
    write_npy(&input, "<f4", false, &[1, 1, 32, 32], &bytes(&[0.0; 32 * 32]));
    assert_refused(&verify(&["--input", input.to_str().unwrap()]), &["grey.npy", "3 channels", "[1, 1, 32, 32]"]);
    assert_refused(&verify(&["--input", "no such.npy"]), &["no such.npy"]);
}

#[test]
fn a_device_is_tested_on_its_first_use_and_not_again() {
    let cache = folder();
    let run = |arguments: &[&str]| {
        let command = ["classify", "examples/digits/0-1445-8.png", "--model", "digits"];
        let output = densenet().env("DENSENET_CACHE_DIR", cache.path()).args(command).args(arguments).output().unwrap();
        assert_says(&output, 0, &[]);
        stderr(&output)
    };
    let tests = || {
        let mut verdicts = fs::read_dir(cache.path().join("verdicts")).into_iter().flatten();
        verdicts.any(|file| String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap()).contains("self-test"))
    };
    assert!(run(&["--no-self-test"]).contains("is used without a test") && !tests());
    assert!(!run(&["--device", "cpu", "--no-self-test"]).contains("is used without a test"), "there is nothing to test");
    assert!(!run(&[]).contains("is used without a test") && tests());
}

/// Weights that 16-bit floats do not reach end the run where the network is brought to the device.
#[test]
fn what_is_to_be_known_of_a_device_is_said_before_anything_is_compiled() {
    let folder = folder();
    let mut model = models::bundled("digits").unwrap().unwrap();
    let mut tensor = model.weights.remove("features.conv0.weight").unwrap();
    tensor.data[0] = 1e6;
    model.weights.insert("features.conv0.weight", tensor);
    let path = folder.path().join("large.safetensors");
    model.save(&path).unwrap();
    let mut command = densenet();
    command.args(["classify", &fixture("L.png"), "--precision", "f16", "--no-self-test", "--model"]).arg(&path);
    let output = command.output().unwrap();
    assert_refused(&output, &["features.conv0", "--precision f32"]);
    let said = stderr(&output);
    assert!(said.find("is used without a test") < said.find("--precision f32"), "{said}");
    assert_eq!(said.matches("is used without a test").count(), 1, "{said}");
    let gpu = Gpu::open(None).unwrap();
    assert!(gpu.warnings().iter().all(|warning| said.matches(warning.as_str()).count() == 1), "{said}");
}
