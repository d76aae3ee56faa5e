//! Standard output and error, and signals.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{CPU, assert_says, densenet, fixture, folder, stderr};

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let pictures = vec![fixture("RGB.png"); 200];
    let mut child = densenet();
    child.arg("classify").args(CPU).args(&pictures).args(["--batch", "1", "--format", "json"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_says(&output, 0, &[]);
    assert_eq!(stderr(&output), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = densenet().arg("classify").args(CPU).arg(fixture("L.png")).stdout(full).output().unwrap();
    assert_says(&output, 1, &["error: standard output: No space left on device"]);
}

#[cfg(unix)]
#[test]
fn control_c_is_status_130_and_finished_rows_are_there() {
    assert_says(&interrupted(&CPU), 130, &["1 of 2 inputs have a row; --resume OUT"]);
}

#[cfg(unix)]
#[test]
fn a_finished_row_waits_for_no_later_picture_on_the_default_device() {
    assert_says(&interrupted(&CPU[..2]), 130, &[]);
}

/// What is left to read of a run whose second picture never comes, interrupted after its first row.
#[cfg(unix)]
fn interrupted(model_and_device: &[&str]) -> std::process::Output {
    use std::io::{BufRead, BufReader};
    let folder = folder();
    // Nothing writes to this pipe, so that the second picture never arrives.
    let pipe = folder.path().join("pipe.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = densenet();
    command.arg("classify").args(model_and_device).arg(fixture("L.png")).arg(&pipe).args(["--format", "json", "--batch", "1"]);
    let mut child = command.env("RAYON_NUM_THREADS", "1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut row = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut row).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&row).unwrap()["path"], fixture("L.png"));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    child.wait_with_output().unwrap()
}
