//! `densenet report`: complete, of the default device, without personal data.

use serde_json::Value;

use super::{assert_refused, assert_says, densenet, folder, stderr};

#[test]
fn a_report_has_all_there_is_to_know_and_nothing_of_who_made_it() {
    let folder = folder();
    let file = folder.path().join("my-gpu.json");
    let output = densenet().args(["report", "--size", "64x64", "--output"]).arg(&file).output().unwrap();
    assert_says(&output, 0, &[]);
    assert!(output.stdout.is_empty(), "{}", stderr(&output));
    let text = std::fs::read_to_string(&file).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let device = densenet_wgpu::Gpu::adapters().remove(0);
    assert_eq!((report["device"]["name"].as_str(), report["device"]["driver"].as_str()), (Some(&*device.name), Some(&*device.driver)));
    assert!(!report["device"]["limits"].as_array().unwrap().is_empty() && report["ceilings"]["found"]["gflops"].as_f64().unwrap() > 0.0);
    let precisions = report["precisions"].as_array().unwrap();
    assert_eq!(precisions.len(), if device.features.iter().any(|feature| feature == "f16") { 2 } else { 1 });
    for found in precisions {
        assert_eq!(found["self_test"]["found"], "passed", "{found}");
        for (verified, layers) in found["verified"].as_array().unwrap().iter().zip([30, 150]) {
            let verified = &verified["layers"]["found"];
            assert!(verified["agrees"] == true && verified["count"].as_u64().unwrap() > layers, "{verified}");
            assert!(verified["worst"]["error"].as_f64().unwrap() > 0.0 && verified["faults"].as_array().unwrap().is_empty(), "{verified}");
        }
        for timed in found["bench"].as_array().unwrap() {
            assert!(timed["latency_ms"]["found"]["p50"].as_f64().unwrap() > 0.0, "{timed}");
        }
        assert!(found["profile"]["found"]["steps"].as_array().unwrap().len() > 100);
    }
    // Neither names nor paths of this machine.
    let here = std::env::current_dir().unwrap();
    let variables = ["USER", "LOGNAME", "HOME", "HOSTNAME", "PWD"].map(|name| std::env::var(name).unwrap_or_default());
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let words = text.split(|c: char| !c.is_alphanumeric() && !"/.-_".contains(c)).collect::<Vec<_>>();
    for private in variables.iter().map(String::as_str).chain([here.to_str().unwrap(), folder.path().to_str().unwrap(), host.trim()]) {
        assert!(private.len() < 3 || !words.contains(&private), "{private:?} is in the report");
    }
    assert!(!words.iter().any(|word| word.starts_with('/') && word.len() > 1), "a path is in the report");
}

#[test]
fn what_cannot_be_reported_on_is_refused() {
    assert_refused(&densenet().args(["report", "--device", "cpu"]).output().unwrap(), &["--device cpu", "to report on"]);
    assert_refused(&densenet().args(["report", "--size", "4x4"]).output().unwrap(), &["too small", "use a larger one"]);
    let nowhere = densenet().args(["report", "--output", "no such folder/report.json"]).output().unwrap();
    assert_refused(&nowhere, &["no such folder"]);
}
