//! `densenet tune`.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use super::{assert_refused, assert_says, densenet, folder, stderr, stdout, until};

/// The one file of that kind that a cache in `folder` keeps, once it is there. A process that was killed may leave a part beside it.
fn kept_file(folder: &Path, kind: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder.join(kind)).ok()?;
    entries.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_none())
}

/// What is in it.
fn kept(folder: &Path, kind: &str) -> Value {
    let content = std::fs::read(kept_file(folder, kind).unwrap()).unwrap();
    // Before the text is what seals it, in which any byte may be.
    (0..content.len()).find_map(|start| serde_json::from_slice(&content[start..]).ok().filter(Value::is_object)).unwrap()
}

/// Kernels that were measured to be faster are used by the commands after, until they are forgotten.
#[test]
fn what_was_tuned_is_kept_until_it_is_forgotten() {
    let cache = folder();
    let run = |arguments: &[&str]| densenet().env("DENSENET_CACHE_DIR", cache.path()).args(arguments).output().unwrap();
    let tuned = run(&["tune", "--model", "digits", "--batch", "1,2"]);
    assert_says(&tuned, 0, &["batch 1: 0 of ", "batch 2: 0 of ", "; next: "]);
    let text = stdout(&tuned);
    for class in ["7x7 to 16x32x32 x 1", "3x3 to 8x16x16 x 2", "1x1 after norm to "] {
        assert!(text.contains(class), "{class} is not in\n{text}");
    }
    for batch in [1, 2] {
        let gain = text.lines().find(|line| line.starts_with(&format!("batch {batch}: "))).unwrap();
        assert!(gain.contains(" ms by the rule, ") && gain.contains(" times as fast; "), "{gain}");
        let fastest = &kept(cache.path(), "tuning")["f32"][format!("7x7 to 16x32x32 x {batch}")];
        match fastest.as_str() {
            Some(fastest) => assert!(gain.ends_with("; kept") && text.contains(fastest), "{fastest}\n{text}"),
            None => assert!(gain.contains("; not faster") && gain.ends_with(": the rule stays"), "{gain}"),
        }
    }
    // Where the batch must not count, one class stands for every batch.
    let invariant = run(&["tune", "--model", "digits", "--batch", "2", "--batch-invariant"]);
    assert_says(&invariant, 0, &[]);
    assert!(stdout(&invariant).contains("7x7 to 16x32x32 x 1") && !stdout(&invariant).contains(" x 2\n"), "{}", stdout(&invariant));
    assert_says(&run(&["bench", "--model", "digits", "--runs", "1"]), 0, &[]);
    assert_says(&run(&["tune", "--forget"]), 0, &["by the rule"]);
    assert_eq!(["tuning", "timings"].map(|kind| kept(cache.path(), kind)), [json!({}), json!({})]);
}

/// A tuning that was killed resumes where it was, unless a flag starts it over.
#[test]
fn what_was_measured_is_not_measured_again() {
    let cache = folder();
    let tune = |arguments: &[&str]| {
        let mut command = densenet();
        command.env("DENSENET_CACHE_DIR", cache.path()).args(["tune", "--model", "digits"]).args(arguments);
        command
    };
    let mut killed = tune(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until(|| kept_file(cache.path(), "timings").is_some(), "what was measured first");
    killed.kill().unwrap();
    killed.wait().unwrap();
    let count = |timings: &Value| timings["f32, batch 1"].as_object().unwrap().values().map(|tiles| tiles.as_array().unwrap().len()).sum();
    let before: usize = count(&kept(cache.path(), "timings"));
    let resumed = tune(&[]).output().unwrap();
    let all: usize = count(&kept(cache.path(), "timings"));
    assert_says(&resumed, 0, &[&format!("batch 1: {before} of {all} kernels were already measured (--again repeats them)\n")]);
    let third = tune(&[]).output().unwrap();
    assert_says(&third, 0, &[&format!("batch 1: {all} of {all} kernels were already measured")]);
    let classes =
        |output: &Output| stdout(output).lines().filter(|line| !line.starts_with("batch ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(classes(&third), classes(&resumed));
    let again = tune(&["--again"]).output().unwrap();
    assert_says(&again, 0, &["batch 1: 0 of "]);
    assert!(!stderr(&again).contains("already measured"), "{}", stderr(&again));
}

#[test]
fn tune_refuses_what_it_cannot_tune() {
    let refused = |arguments: &[&str], parts: &[&str]| assert_refused(&densenet().arg("tune").args(arguments).output().unwrap(), parts);
    refused(&["--model", "digits", "--device", "cpu"], &["--device cpu", "reference"]);
    refused(&["--forget", "--device", "cpu"], &["--device cpu"]);
    refused(&["--forget", "--model", "digits"], &["--forget"]);
    refused(&["--forget", "--again"], &["--forget"]);
    refused(&[], &["--model"]);
}

/// Minutes are not spent on what would be lost.
#[test]
fn what_cannot_be_kept_is_not_measured() {
    let folder = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let remedy = "set DENSENET_CACHE_DIR to a writable folder";
    for (cache, found) in [(file.as_path(), "file: "), (std::path::Path::new(""), "expected a cache folder")] {
        let output = densenet().env("DENSENET_CACHE_DIR", cache).args(["tune", "--model", "digits"]).output().unwrap();
        assert_refused(&output, &[found, remedy]);
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"no folder");
}
