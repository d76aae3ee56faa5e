//! `densenet profile`, on the default device, and the pictures of `plan`.

use std::fs;

use serde_json::Value;

use super::{assert_refused, assert_says, densenet, folder, stdout};

fn profile(arguments: &[&str]) -> std::process::Output {
    densenet().args(["profile", "--model", "digits", "--runs", "2"]).args(arguments).output().unwrap()
}

#[test]
fn a_table_says_where_the_time_goes_on_the_default_device() {
    let output = profile(&[]);
    assert_says(&output, 0, &[]);
    let text = stdout(&output);
    for part in [
        "digits: 1 x 64x64, f32, fused",
        "features.denseblock1.denselayer1.conv2",
        "bound by",
        "by operation",
        "3x3 convolution",
        "by module",
        "features.denseblock2",
        "in one pass, as it normally runs",
        "profiling costs",
        "cold start, until the first result",
        "make engine",
        "pipeline  ",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

/// Where nothing is known of the device yet, which the first start spends most of its time on.
#[test]
fn a_first_start_shows_the_check_of_each_tile_on_the_default_device() {
    let cache = folder();
    let arguments = ["profile", "--model", "digits", "--runs", "1", "--format", "json"];
    let output = densenet().env("DENSENET_CACHE_DIR", cache.path()).args(arguments).output().unwrap();
    assert_says(&output, 0, &[]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let start = report["cold_start"].to_string();
    let mut tiles = report["steps"].as_array().unwrap().iter().map(|step| step["kernel"].as_str().unwrap());
    let tile = tiles.find(|kernel| kernel.starts_with("conv")).unwrap();
    assert!(start.contains(&format!(r#""name":"check tile","of":"{tile}""#)), "{tile}: {start}");
}

#[test]
fn json_is_compared_with_later_on_the_default_device() {
    let folder = folder();
    let before = folder.path().join("before.json");
    let before = before.to_str().unwrap();
    let output = profile(&["--format", "json", "--output", before, "--batch", "2"]);
    assert_says(&output, 0, &[]);
    assert_eq!(stdout(&output), "");
    let report: Value = serde_json::from_slice(&fs::read(before).unwrap()).unwrap();
    for key in ["device", "total_gpu_ms", "wall_ms", "cold_start", "by_operation", "by_module"] {
        assert!(!report[key].is_null(), "{key}");
    }
    assert_eq!((&report["model"], &report["batch"]), (&"digits".into(), &2.into()));
    let steps = report["steps"].as_array().unwrap();
    assert!(steps.len() > 25 && steps[0]["name"] == "features.conv0" && steps[0]["flops"].as_u64() > Some(0), "{}", steps[0]);

    let output = profile(&["--compare", before, "--batch", "2"]);
    assert_says(&output, 0, &[]);
    assert!(stdout(&output).contains("what changed") && stdout(&output).contains("before ms"), "{}", stdout(&output));
    let output = profile(&["--compare", before, "--batch", "2", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["comparison"]["total"]["before_ms"].as_f64().map(|ms| ms > 0.0), Some(true));
}

#[test]
fn without_fusion_it_shows_what_fusion_buys_on_the_default_device() {
    let output = profile(&["--no-fusion"]);
    assert_says(&output, 0, &[]);
    let text = stdout(&output);
    assert!(text.contains("a kernel for each operation") && text.contains("what fusion saves") && text.contains("norm_relu"), "{text}");
}

#[test]
fn a_trace_and_pictures_are_files_on_the_default_device() {
    let folder = folder();
    let written = |arguments: &[&str], name: &str| {
        let path = folder.path().join(name);
        let output = densenet().args(arguments).arg("--output").arg(&path).output().unwrap();
        assert_says(&output, 0, &[]);
        fs::read_to_string(path).unwrap()
    };
    let trace: Value =
        serde_json::from_str(&written(&["profile", "--model", "digits", "--runs", "1", "--format", "trace"], "a.json")).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().len() > 30);
    assert!(written(&["profile", "--model", "digits", "--runs", "1", "--format", "svg"], "a.svg").contains("roofline"));
    assert!(written(&["plan", "--model", "digits", "--format", "svg"], "b.svg").contains("kept for a later step"));
    let plan: Value = serde_json::from_str(&written(&["plan", "--model", "digits", "--format", "json"], "b.json")).unwrap();
    assert_eq!(plan["steps"][0]["name"], "features.conv0");
}

#[test]
fn profile_refuses_what_has_no_profile() {
    assert_refused(&profile(&["--device", "cpu"]), &["--device cpu", "the reference"]);
    let found = |path: &str, found: &str| {
        let expected = "expected what `densenet profile --format json` writes";
        assert_refused(&profile(&["--compare", path]), &[&format!("error: --compare {path}: {expected}, found {found}\n")]);
    };
    found("no such.json", "nothing of that name");
    let folder = folder();
    found(folder.path().to_str().unwrap(), "a folder");
    let other = folder.path().join("other.json");
    fs::write(&other, "{\"steps\": 3}").unwrap();
    assert_refused(
        &profile(&["--compare", other.to_str().unwrap()]),
        &["other.json", "expected what `densenet profile --format json` writes"],
    );
    assert_refused(&profile(&["--output", "no such folder/a.json"]), &["no such folder"]);
}
