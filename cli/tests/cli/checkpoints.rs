//! `--model` and `--device`.

use std::fs;

use densenet_wgpu::models;
use serde_json::Value;

use crate::{assert_refused, assert_says, bytes, classify, densenet, fixture, folder, stderr, stdout};

#[test]
fn no_model_names_the_bundled_one() {
    assert_refused(&densenet().args(["infer", "input.npy", "--output", "output.npy"]).output().unwrap(), &["--model", "digits"]);
    assert_refused(&densenet().args(["classify", &fixture("L.png")]).output().unwrap(), &["densenet121", "--model digits"]);
}

#[test]
fn an_unknown_model_gets_a_suggestion() {
    let run = |model: &str| densenet().args(["classify", &fixture("L.png"), "--model", model]).output().unwrap();
    assert_refused(&run("digit"), &["no model or file is called \"digit\"", "did you mean digits?", "checkpoint file"]);
    assert_refused(&run("densenet12"), &["did you mean densenet121?"]);
    assert_refused(&run("densenet264"), &["densenet264 is neither bundled", "digits"]);
    assert_refused(&run("weights/none.safetensors"), &["weights/none.safetensors: ", "found nothing of that name"]);
    assert_refused(&run(env!("CARGO_MANIFEST_DIR")), &["expected a checkpoint file", "found a folder"]);
}

/// A checkpoint in which one tensor contradicts the others.
fn misshaped() -> Vec<u8> {
    use safetensors::tensor::{Dtype, TensorView};
    let model = models::bundled("digits").unwrap().unwrap();
    let contradicts = |name: &str| name == "features.denseblock2.denselayer1.norm1.bias";
    let tensors: Vec<(&str, Vec<usize>, Vec<u8>)> = model
        .weights
        .iter()
        .map(|(name, tensor)| {
            let elements = tensor.data.len() - usize::from(contradicts(name));
            let shape = if contradicts(name) { vec![elements] } else { tensor.shape.clone() };
            (name, shape, bytes(&tensor.data[..elements]))
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, data)| (*name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn a_bad_checkpoint_is_refused_by_name() {
    let folder = folder();
    let path = folder.path().join("bad.safetensors");
    let good = models::bundled("digits").unwrap().unwrap().to_bytes().unwrap();
    let nan = [&good[..good.len() - 4], &f32::NAN.to_le_bytes()].concat();
    for (bytes, parts) in [
        (&good[..good.len() / 2], &["bad.safetensors"][..]),
        (&good[..4], &["bad.safetensors"]),
        (b"", &["bad.safetensors", "empty"]),
        (b"PK\x03\x04 an archive of PyTorch", &["bad.safetensors", "zip directory"]),
        (&nan, &["checkpoint tensor", "bad.safetensors", "finite", "NaN"]),
        (&misshaped(), &["features.denseblock2.denselayer1.norm1.bias", "[20]", "[19]"]),
    ] {
        fs::write(&path, bytes).unwrap();
        let output = densenet().args(["classify", &fixture("L.png"), "--device", "cpu", "--model"]).arg(&path).output().unwrap();
        assert_refused(&output, parts);
    }
}

#[test]
fn precision_and_device_are_checked() {
    assert_refused(&classify(&[&fixture("L.png"), "--precision", "f16"]), &["--precision f32", "found f16"]);
    assert_refused(&classify(&[&fixture("L.png"), "--precision", "f8"]), &["f32"]);
    let output = densenet().args(["classify", &fixture("L.png"), "--model", "digits", "--device", "no such device"]).output().unwrap();
    assert_refused(&output, &["error: "]);
    for adapter in densenet_wgpu::Gpu::adapters() {
        assert!(stderr(&output).contains(&adapter.name), "{}", stderr(&output));
    }
}

#[test]
fn devices_lists_what_there_is() {
    let output = densenet().args(["devices", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let devices = report["devices"].as_array().unwrap();
    if devices.is_empty() {
        assert_says(&output, 2, &["no adapter found", "apt-get install libvulkan1 mesa-vulkan-drivers"]);
        return;
    }
    assert_says(&output, 0, &[]);
    let text = stdout(&densenet().arg("devices").output().unwrap());
    for device in devices {
        for key in ["name", "backend", "kind"] {
            assert!(text.contains(device[key].as_str().unwrap()), "{text}");
        }
    }
}

/// The message names what hides a driver and does not suggest installing one.
#[test]
fn a_variable_that_hides_every_adapter_is_named() {
    for (name, value, parts) in [
        ("WGPU_BACKEND", "gl", ["WGPU_BACKEND=gl keeps out what is used on this system (", "unset it"]),
        ("WGPU_BACKEND", "", ["WGPU_BACKEND= keeps out what is used on this system (", "unset it"]),
        ("VK_DRIVER_FILES", "/no/such.json", ["VK_DRIVER_FILES=/no/such.json (/no/such.json is not there) keeps out", "unset it"]),
    ] {
        let mut command = densenet();
        command.env_remove("WGPU_BACKEND").env_remove("VK_DRIVER_FILES").env_remove("VK_ICD_FILENAMES");
        let output = command.env(name, value).args(["classify", "--model", "digits", &fixture("L.png")]).output().unwrap();
        assert_refused(&output, &["no adapter found: ", parts[0], parts[1], "--device cpu"]);
        assert!(!stderr(&output).contains("install"), "{}", stderr(&output));
        // The remedy, in the surroundings that other tests have.
        assert_says(&densenet().args(["classify", "--model", "digits", &fixture("L.png")]).output().unwrap(), 0, &[]);
    }
}

/// What keeps nothing out is not to blame, and may stay as it is.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[test]
fn a_variable_that_hides_no_adapter_is_not_named() {
    let run = |drivers: &[(&str, &str)]| {
        let mut command = densenet();
        command.env("WGPU_BACKEND", "vulkan").envs(drivers.iter().copied());
        command.args(["classify", "--model", "digits", &fixture("L.png")]).output().unwrap()
    };
    let hidden = run(&[("VK_DRIVER_FILES", "/no/such.json")]);
    assert_refused(&hidden, &["no adapter found: VK_DRIVER_FILES=/no/such.json (/no/such.json is not there) keeps out", "unset it"]);
    assert!(!stderr(&hidden).contains("WGPU_BACKEND"), "{}", stderr(&hidden));
    assert_says(&run(&[]), 0, &[]);
}

/// Who is to blame: the file that was given, not the checkpoint.
#[test]
fn a_preprocessing_file_is_blamed_for_what_it_says() {
    let folder = folder();
    let path = folder.path().join("mine.json");
    let own = models::bundled("digits").unwrap().unwrap().preprocessing.unwrap();
    let with = |text: String, parts: &[&str]| {
        fs::write(&path, text).unwrap();
        let output = classify(&[&fixture("L.png"), "--preprocess", path.to_str().unwrap()]);
        assert_refused(&output, &[&["--preprocess ", "mine.json: "], parts].concat());
        assert!(!stderr(&output).contains("checkpoint"), "{}", stderr(&output));
    };
    let text = serde_json::to_string(&own).unwrap();
    let std = serde_json::to_string(&own.std).unwrap();
    with(text.replace(&format!("\"std\":{std}"), "\"std\":[0,1,1]"), &["std: expected numbers above 0 and up to 1"]);
    let grey = own.clone().with_normalisation(vec![0.5], vec![0.5]);
    let grey = serde_json::to_string(&grey).unwrap().replace("\"channels\":3", "\"channels\":1");
    with(grey, &["channels: expected 3, as the first layer has", "found 1"]);
    let cropped = serde_json::to_string(&own.with_crop(Some([999, 999]))).unwrap();
    with(cropped, &["crop: expected at most what resize leaves", "found [999, 999]"]);
    with("{}".into(), &["expected a preprocessing", "missing field"]);
    // What inspect prints is more than that; the remedy is what it has under the key.
    let inspected = stdout(&densenet().args(["inspect", "digits", "--format", "json"]).output().unwrap());
    with(inspected.clone(), &["as `densenet inspect M --format json` shows it under the key preprocessing, found something else"]);
    let inspected: Value = serde_json::from_str(&inspected).unwrap();
    fs::write(&path, inspected["preprocessing"].to_string()).unwrap();
    assert_says(&classify(&[&fixture("L.png"), "--preprocess", path.to_str().unwrap()]), 0, &[]);
    let output = classify(&[&fixture("L.png"), "--preprocess", "chexpert"]);
    assert_refused(&output, &["--preprocess chexpert: expected torchvision", "CheXpert is a data set"]);
    assert!(!stderr(&output).contains("did you mean"), "{}", stderr(&output));
    assert_refused(&classify(&[&fixture("L.png"), "--epsilon=-1"]), &["error: --epsilon -1: expected an epsilon of at least 0"]);
}
