//! `bench`. What it measures depends on the machine, so that only what must hold anywhere is asserted.

use std::process::{Command, Output};

use densenet_wgpu::{Engine, EngineOptions, Gpu, Input, models};
use serde_json::Value;

use crate::{CPU, SLOW, assert_refused, assert_says, densenet, folder, json_lines, stderr, stdout};

fn bench(arguments: &[&str]) -> Output {
    densenet().arg("bench").args(arguments).args(["--runs", "3"]).output().unwrap()
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} is no number in {row}"))
}

/// What holds on every device.
#[track_caller]
fn assert_plausible(row: &Value, batch: u64) {
    assert_eq!((&row["model"], &row["precision"], &row["batch"]), (&"digits".into(), &"f32".into(), &batch.into()), "{row}");
    let [p50, p95] = ["p50", "p95"].map(|key| number(&row["latency_ms"], key));
    assert!(0.0 < p50 && p50 <= p95, "{row}");
    assert!(number(row, "cold_ms") > 0.0 && number(row, "gflops") > 0.0, "{row}");
    // One of three runs took p95, and none took longer.
    let slowest = 1e3 * batch as f64 / p95;
    assert!(slowest <= 1.001 * number(row, "images_per_second"), "{row}");
}

#[test]
fn bench_measures_the_default_device() {
    let output = bench(&["--model", "digits", "--size", "48x32", "--batch", "1,5", "--format", "json"]);
    assert_says(&output, 0, &[]);
    let rows = json_lines(&output);
    assert_eq!(rows.len(), 2);
    let gpu = Gpu::open(None).unwrap();
    let model = models::bundled("digits").unwrap().unwrap();
    for (row, batch) in rows.iter().zip([1, 5]) {
        assert_plausible(row, batch);
        let summary = gpu.summary();
        assert_eq!([&row["device"], &row["driver"], &row["backend"]], [&summary.name, &summary.driver, &summary.backend], "{row}");
        assert_eq!(row["size"], serde_json::json!([48, 32]));
        for key in ["peak_gflops", "peak_gigabytes_per_second"] {
            assert_eq!(number(row, key), number(&rows[0], key), "measured once");
        }
        let share = number(row, "share_of_peak");
        assert!(share > 0.0 && share <= 1.2, "{row}");
        let ratio = number(row, "gflops") / number(row, "peak_gflops");
        assert!((share / ratio - 1.0).abs() < 1e-9, "{row}");

        let engine = Engine::new(&gpu, &model.graph(48, 32).unwrap(), &model.weights, EngineOptions::default()).unwrap();
        engine.run(Input::values(&vec![0.5; batch as usize * 3 * 48 * 32], [48, 32])).unwrap();
        assert_eq!(row["gpu_memory_bytes"], engine.byte_allocated(), "batch {batch}");
        let flops = engine.plan(batch as usize, 48, 32).unwrap().flops() as f64;
        assert!((number(row, "gflops") * number(&row["latency_ms"], "p50") * 1e6 / flops - 1.0).abs() < 1e-9, "{row}");
    }
}

#[test]
fn bench_measures_the_reference_without_a_peak() {
    let output = bench(&[&CPU[..], &["--batch", "2", "--format", "json"]].concat());
    assert_says(&output, 0, &[]);
    let rows = json_lines(&output);
    assert_eq!(rows.len(), 1);
    assert_plausible(&rows[0], 2);
    assert_eq!(rows[0]["device"], "cpu");
    for key in ["driver", "peak_gflops", "peak_gigabytes_per_second", "share_of_peak", "gpu_memory_bytes"] {
        assert!(rows[0].as_object().unwrap().contains_key(key) && rows[0][key].is_null(), "{key}");
    }
}

#[test]
fn bench_prints_a_table() {
    let output = bench(&["--arch", "densenet121", "--size", "32", "--device", "cpu"]);
    assert_says(&output, 0, &[]);
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["cpu, reference", "densenet121 at 32x32, f32"]);
    assert!(lines[2].trim_start().starts_with("batch") && lines[2].len() == lines[3].len(), "{text}");
    assert_eq!(lines[3].split_whitespace().filter(|&cell| cell == "-").count(), 3, "{text}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_batch_that_does_not_fit_costs_no_other() {
    for format in ["json", "table"] {
        let output = bench(&[&CPU[..], &["--batch", "1,4000000000,2", "--format", format]].concat());
        assert_says(&output, 1, &["error: --batch 4000000000: expected at most 21845 images of 3x64x64"]);
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        assert_eq!(stdout(&output).lines().count(), if format == "json" { 2 } else { 5 });
    }
}

/// The reference says once that it is slow, and what may be there in its place.
#[test]
fn the_reference_says_that_it_is_slow() {
    let said = |command: &mut Command| {
        let output = command.output().unwrap();
        assert_says(&output, 0, &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<String> = said.lines().filter(|line| line.contains(SLOW)).map(str::to_owned).collect();
        assert_eq!(lines.len(), 1, "{said}");
        lines[0].clone()
    };
    let (folder, pictures) = (folder(), "examples/digits");
    let features = folder.path().join("features.npy");
    let embed = ["embed", pictures, "--output", features.to_str().unwrap()];
    for arguments in [&["bench", "--runs", "1", "--batch", "1,2"][..], &["classify", pictures], &embed] {
        let line = said(densenet().args(arguments).args(CPU));
        assert!(line.contains("--device llvmpipe") && line.contains("5 to 10 times as fast"), "{line}");
        // No driver is asked: one may be why it was chosen.
        assert_eq!(said(densenet().env("VK_DRIVER_FILES", "/no/such.json").args(arguments).args(CPU)), line);
    }
    // Where it is not to work, it is refused.
    let refused = densenet().args(["tune", "--model", "digits", "--device", "cpu"]).output().unwrap();
    assert!(!String::from_utf8(refused.stderr).unwrap().contains(SLOW));
}

#[test]
fn bench_refuses_what_it_cannot_begin() {
    for batch in ["0", "", "1,", "1,,2", "many", "-1", "1.5", "4294967296"] {
        assert_refused(&bench(&["--model", "digits", &format!("--batch={batch}")]), &["--batch"]);
    }
    assert_refused(&densenet().args(["bench", "--model", "digits", "--runs", "0"]).output().unwrap(), &["--runs"]);
    assert_refused(&bench(&[]), &["--model"]);
    assert_refused(&bench(&["--model", "digits", "--arch", "densenet121"]), &["--arch"]);
    assert_refused(&bench(&["--arch", "densenet12"]), &["did you mean densenet121?"]);
    assert_refused(&bench(&["--model", "digits", "--size", "4x4"]), &["3x4x4", "too small"]);
    assert_refused(&bench(&["--model", "digits", "--device", "cpu", "--precision", "f16"]), &["f32"]);
}
