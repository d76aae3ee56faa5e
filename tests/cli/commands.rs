//! `init`, `plan`, `completions` and help.

use std::fs;

use densenet_wgpu::Config;
use densenet_wgpu::weights::Checkpoint;

use crate::{assert_refused, assert_says, densenet, folder, json_lines, stdout};

#[test]
fn init_writes_the_same_checkpoint_for_the_same_seed() {
    let folder = folder();
    let init = |name: &str, seed: &str| {
        let path = folder.path().join(name);
        let output = densenet().args(["init", "--arch", "densenet121", "--classes", "3", "--seed", seed]).arg(&path).output().unwrap();
        assert_says(&output, 0, &["6956931 parameters"]);
        fs::read(path).unwrap()
    };
    let [a, b, c] = [init("a.safetensors", "1"), init("a.safetensors", "1"), init("a.safetensors", "2")];
    assert!(a == b && a != c);
    let checkpoint = Checkpoint::open(folder.path().join("a.safetensors")).unwrap();
    assert_eq!(checkpoint.config, Config { num_classes: Some(3), ..Config::densenet121() });
    let none = folder.path().join("none/a.safetensors");
    assert_refused(&densenet().args(["init", "--arch", "densenet121"]).arg(&none).output().unwrap(), &["none/a.safetensors"]);
    assert_refused(
        &densenet().args(["init", "--arch", "densnet121", "x"]).output().unwrap(),
        &["did you mean densenet121?", "densenet264"],
    );
}

#[test]
fn plan_shows_the_kernels_of_a_device() {
    let plan = |device: &str| densenet().args(["plan", "--model", "digits", "--device", device]).output().unwrap();
    let planned = plan("0");
    assert_says(&planned, 0, &[]);
    assert!(stdout(&planned).contains("features.conv0"), "{}", stdout(&planned));
    assert_refused(&plan("cpu"), &["--device cpu", "the reference"]);
    assert_refused(&plan("no such device"), &["no such device", "There are: 0 = ", "`cpu`"]);
    let devices = densenet().args(["devices", "--format", "json"]).output().unwrap();
    let name = json_lines(&devices)[0]["devices"][0]["name"].as_str().unwrap().to_owned();
    let word = name.split(|c: char| !c.is_alphanumeric()).find(|word| word.len() > 4).unwrap();
    let misspelled = format!("{}~{}", &word[..1], &word[2..]);
    assert_refused(&plan(&misspelled), &[&misspelled, &format!("did you mean {word}?"), &name]);
}

#[test]
fn plan_prints_without_a_device() {
    let run = |arguments: &[&str]| densenet().arg("plan").args(arguments).output().unwrap();
    let fused = run(&["--arch", "densenet121", "--batch", "2"]);
    assert_says(&fused, 0, &[]);
    assert!(stdout(&fused).contains("features.denseblock4.denselayer16.conv2"), "{}", stdout(&fused));
    let blurred = run(&["--arch", "densenetblur121d"]);
    assert_says(&blurred, 0, &[]);
    assert!(stdout(&blurred).contains("features.pool0.1"), "{}", stdout(&blurred));
    let unfused = run(&["--model", "digits", "--no-fusion", "--size", "32x48"]);
    assert_says(&unfused, 0, &[]);
    assert!(stdout(&unfused).contains("features.norm0"), "{}", stdout(&unfused));
    assert_refused(&run(&[]), &["--model"]);
    assert_refused(&run(&["--arch", "densenet12"]), &["densenet121"]);
    assert_refused(&run(&["--arch", "densenet121", "--size", "16x16"]), &["3x16x16", "too small"]);
    assert_refused(&run(&["--arch", "densenet121", "--batch", "0"]), &["--batch"]);
}

#[test]
fn completions_are_printed_for_known_shells() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = densenet().args(["completions", shell]).output().unwrap();
        assert_says(&output, 0, &[]);
        assert!(stdout(&output).contains("densenet"));
    }
    assert_refused(&densenet().args(["completions", "csh"]).output().unwrap(), &["bash"]);
}

#[test]
fn help_is_a_result_and_misuse_is_not() {
    for command in ["classify", "infer", "init", "plan", "bench", "devices", "completions"] {
        let output = densenet().args([command, "--help"]).output().unwrap();
        assert_says(&output, 0, &[]);
        assert!(stdout(&output).contains("Example"), "{command}");
    }
    assert_refused(&densenet().output().unwrap(), &["Usage"]);
    assert_refused(&densenet().args(["classify", "--model", "digits"]).output().unwrap(), &["PATH"]);
    assert_refused(&densenet().args(["clasify"]).output().unwrap(), &["classify"]);
}
