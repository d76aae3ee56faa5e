//! The real binary: exit statuses, standard output and error, what bad input gets.
//!
//! Networks run on `--device cpu`, so that these tests say the same on any machine; those that use the default device
//! say so in their names.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(target_os = "linux")]
mod address_space;
mod assumed;
mod bench;
mod bulk;
#[path = "../../../tests/common/checkpoint_files.rs"]
mod checkpoint_files;
mod checkpoints;
mod commands;
mod devices;
mod dicom;
mod driven;
mod embed;
mod evaluate;
mod evaluate_predictions;
mod evaluate_report;
mod evaluate_truth;
mod fit;
mod heatmap;
mod infer;
mod inputs;
mod inspect;
mod labels;
#[cfg(unix)]
mod looks;
#[path = "../../../tests/common/npz.rs"]
mod npz;
mod pictures;
mod preprocessing;
mod profile;
mod replace;
mod report;
mod resume;
mod rows;
#[cfg(unix)]
mod session;
mod streams;
#[cfg(unix)]
#[path = "../common/terminal.rs"]
mod terminal;
mod tune;
mod verify;
mod wild;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The folder of the library, which has examples, fixtures and documentation.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The beginning of the warning about `--device cpu`.
const SLOW: &str = "--device cpu is the reference, which is slow";

const CPU: [&str; 4] = ["--model", "digits", "--device", "cpu"];

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `is_so`.
#[track_caller]
fn until(mut is_so: impl FnMut() -> bool, what: &str) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        sleep(Duration::from_millis(10));
    }
}

/// Kills a process that outlives `PATIENCE`, or the test that fails.
#[cfg(unix)]
struct Ending {
    process: String,
    _is_over: std::sync::mpsc::Sender<()>,
}

#[cfg(unix)]
impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // It may have ended already.
            let _ = Command::new("kill").args(["-KILL", &self.process]).status();
        }
    }
}

/// Kills the process if it outlives `PATIENCE`, or if the test fails before the guard that this returns is dropped.
#[cfg(unix)]
fn given_up_on(child: &std::process::Child) -> Ending {
    let (sender, receiver) = std::sync::mpsc::channel();
    let process = child.id().to_string();
    let its = process.clone();
    std::thread::spawn(move || {
        if receiver.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", &its]).status();
        }
    });
    Ending { process, _is_over: sender }
}

/// The program, without network and cache.
fn densenet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_densenet"));
    command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", "no such folder").env("DENSENET_CACHE_DIR", "").current_dir(ROOT);
    command
}

fn classify(arguments: &[&str]) -> Output {
    densenet().arg("classify").args(CPU).args(arguments).output().unwrap()
}

fn fixture(name: &str) -> String {
    let path = Path::new(ROOT).join("tests/fixtures/pillow").join(name);
    path.to_str().unwrap().to_owned()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A small picture at `path`.
fn draw(path: impl AsRef<Path>) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::copy(fixture("L.png"), path).unwrap();
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error, without the warning that the reference is slow.
fn stderr(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    said.split_inclusive('\n').filter(|line| !line.contains(SLOW)).collect()
}

fn json_lines(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn paths(output: &Output) -> Vec<String> {
    json_lines(output).iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect()
}

/// The status, no panic, and every part of a message on standard error.
#[track_caller]
fn assert_says(output: &Output, status: i32, parts: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(!said.contains("panicked") && !said.contains("internal error"), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

#[track_caller]
fn assert_refused(output: &Output, parts: &[&str]) {
    assert_says(output, 2, parts);
    assert_eq!(stdout(output), "");
}

/// Values in little endian, as files store them.
fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
