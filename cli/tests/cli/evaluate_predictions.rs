//! `evaluate` in parts: predictions that are written, continued and merged.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::evaluate::{digits, evaluate, evaluated};
use crate::{assert_refused, assert_says, folder, stderr, stdout};

/// What is said of the same pictures, wherever it comes from.
fn numbers(mut found: Value) -> Value {
    let object = found.as_object_mut().unwrap();
    object.remove("source");
    object.remove("unmatched");
    found
}

/// The same as JSON, of merged parts.
fn merged(parts: &[&Path]) -> Value {
    let mut command = crate::densenet();
    let output = command.args(["evaluate", "--format", "json", "--merge"]).args(parts).output().unwrap();
    serde_json::from_str(&stdout(&output)).unwrap()
}

#[test]
fn predictions_have_a_row_for_each_picture_and_a_column_for_each_class() {
    let folder = folder();
    let (root, file) = (folder.path().join("in"), folder.path().join("predictions.csv"));
    digits(&root, &[3, 8]);
    fs::write(root.join("8/broken.png"), "no picture").unwrap();
    let whole = evaluated(&[root.to_str().unwrap(), "--predictions", file.to_str().unwrap()], 1);
    let text = fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("path,truth,predicted,error,model,identity,settings,activation,0,1,2,3,4,5,6,7,8,9"));
    let first: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!((&first[1..3], first[4], first[7]), (&["3", "3"][..], "digits", "softmax"));
    let sum: f64 = first[8..].iter().map(|cell| cell.parse::<f64>().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-12);
    assert_eq!(lines.count(), 8);
    assert_eq!(numbers(merged(&[&file])), numbers(whole));
}

#[test]
fn an_interrupted_run_continues() {
    let folder = folder();
    let (root, file) = (folder.path().join("in"), folder.path().join("predictions.csv"));
    digits(&root, &[1, 7]);
    let arguments = [root.to_str().unwrap(), "--resume", file.to_str().unwrap()];
    let whole = evaluated(&arguments, 0);
    let text = fs::read(&file).unwrap();
    for torn in [0, 5, text.len() / 3, text.len() - 1, text.len()] {
        fs::write(&file, &text[..torn]).unwrap();
        assert_eq!(evaluated(&arguments, 0), whole, "torn at {torn}");
        let mut lines: Vec<String> = fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
        let mut expected: Vec<String> = String::from_utf8(text.clone()).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        expected.sort();
        assert_eq!(lines, expected, "torn at {torn}");
    }
    assert!(stderr(&evaluate(&arguments)).contains("8 rows exist, 0 inputs are left"));
}

#[test]
fn rows_of_another_run_are_not_continued() {
    let folder = folder();
    let (root, file) = (folder.path().join("in"), folder.path().join("predictions.csv"));
    digits(&root, &[1, 7]);
    let arguments = [root.to_str().unwrap(), "--resume", file.to_str().unwrap()];
    assert_says(&evaluate(&arguments), 0, &["0 rows exist, 8 inputs are left"]);
    let before = fs::read(&file).unwrap();
    assert_refused(&evaluate(&[&arguments[..], &["--size", "32x32"]].concat()), &["expected rows of the settings", "--size"]);
    fs::rename(root.join("1"), root.join("2")).unwrap();
    fs::rename(root.join("7"), root.join("1")).unwrap();
    fs::rename(root.join("2"), root.join("7")).unwrap();
    // Other pictures have other paths: nothing of them is there.
    assert_says(&evaluate(&arguments), 0, &["0 rows exist, 8 inputs are left"]);
    fs::write(&file, &before).unwrap();
    let notes = folder.path().join("notes.csv");
    fs::write(&notes, "a,b\n1,2\n").unwrap();
    assert_refused(
        &evaluate(&[root.to_str().unwrap(), "--resume", notes.to_str().unwrap()]),
        &["line 1: expected what `evaluate --predictions` writes"],
    );
    assert_eq!(fs::read_to_string(&notes).unwrap(), "a,b\n1,2\n", "it is somebody's file");
}

#[test]
fn parts_are_the_whole() {
    let folder = folder();
    let root = folder.path().join("in");
    digits(&root, &[0, 4, 6]);
    fs::write(root.join("6/broken.png"), "no picture").unwrap();
    let root = root.to_str().unwrap();
    let whole = evaluated(&[root], 1);
    let parts: Vec<_> = (0..3).map(|part| folder.path().join(format!("part-{part}.csv"))).collect();
    for (number, part) in parts.iter().enumerate() {
        let shard = format!("{number}/3");
        let output = evaluate(&[root, "--shard", &shard, "--resume", part.to_str().unwrap()]);
        assert!(stderr(&output).contains("of 13 inputs are in this shard"), "{}", stderr(&output));
    }
    let paths: Vec<&Path> = parts.iter().map(|part| part.as_path()).collect();
    let together = merged(&paths);
    // Resamples depend on the order of pictures, and sums a little.
    for key in ["count", "failed", "top1", "top5", "balanced_accuracy", "confusion", "labels", "identity", "settings"] {
        assert_eq!(together[key], whole[key], "{key}");
    }
    let [of_parts, of_whole] = [&together, &whole].map(|found| found["log_loss"].as_f64().unwrap());
    assert!((of_parts - of_whole).abs() < 1e-12);

    let twice = crate::densenet().args(["evaluate", "--merge"]).args([&parts[0], &parts[0]]).output().unwrap();
    assert_refused(&twice, &["found ", " again", "give each part once"]);
    let other = folder.path().join("other.csv");
    let output = evaluate(&[root, "--size", "32x32", "--predictions", other.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let mixed = crate::densenet().args(["evaluate", "--merge"]).args([&parts[0], &other]).output().unwrap();
    assert_refused(&mixed, &["expected rows of digits of identity", "give the parts of one run"]);
    let missing = crate::densenet().args(["evaluate", "--merge", "no such.csv"]).output().unwrap();
    assert_refused(&missing, &["--merge no such.csv"]);
}

#[test]
fn findings_are_merged_with_what_nobody_knows() {
    let folder = folder();
    digits(&folder.path().join("in"), &[3, 8]);
    let truth = folder.path().join("truth.csv");
    let rows = ["in/3/3-1438-8.png,1,0", "in/3/3-1460-8.png,1,", "in/8/8-1443-8.png,0,1", "in/8/8-1453-8.png,-1,1"];
    fs::write(&truth, format!("path,3,8\n{}\n", rows.join("\n"))).unwrap();
    let file = folder.path().join("predictions.csv");
    let whole = evaluated(&[truth.to_str().unwrap(), "--activation", "sigmoid", "--predictions", file.to_str().unwrap()], 0);
    assert_eq!(numbers(merged(&[&file])), numbers(whole));
}
