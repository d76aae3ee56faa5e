//! Checkpoints that tell less than is needed, and the flags that say the rest: what a refusal advises works.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::json;

use crate::checkpoint_files::content;
use crate::{assert_refused, assert_says, densenet, fixture, folder, stderr, stdout};

/// A file of `scripts/make_wild_fixtures.py`, at a place of its own.
fn checkpoint(folder: &Path, name: &str) -> PathBuf {
    checkpoint_of(folder, name, "wild.zip")
}

fn checkpoint_of(folder: &Path, name: &str, packed: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content(&json!({ "file": name, "packed": packed }))).unwrap();
    path
}

fn inspect(model: &Path, arguments: &[&str]) -> Output {
    densenet().arg("inspect").arg(model).args(arguments).output().unwrap()
}

#[test]
fn what_a_refusal_advises_works() {
    let folder = folder();
    for (name, advice, told) in [
        ("head-layers.pth", &["--head-layers", "linear,relu,dropout,linear"], "by linear 6, relu, linear 5"),
        ("head-neck.pth", &["--head-layers", "batchnorm,linear"], "by batchnorm, linear 5"),
        ("heads.pth", &["--head", "age"], "3 classes"),
        ("stem-3x3-pool.pth", &["--stem", "stride=1,pool=yes"], "stem 3x3/1, norm, pool"),
        ("towers.pth", &["--root", "right"], "3 classes"),
        ("segmentation.pth", &["--root", "encoder"], "features only"),
    ] {
        let path = checkpoint(folder.path(), name);
        assert_refused(&inspect(&path, &[]), &[name, advice[0], advice[1].split(',').next().unwrap()]);
        let output = inspect(&path, advice);
        assert_says(&output, 0, &[]);
        assert!(stdout(&output).contains(told), "{name}: {}", stdout(&output));
    }
}

#[test]
fn what_flags_say_is_no_longer_assumed() {
    let folder = folder();
    for (name, flags, assumed) in [
        ("numbered.pth", &["--no-final-relu"][..], "final_relu: true is assumed; features alone do not tell"),
        ("mixed-last.pth", &["--new-channels", "last"], "new_channels: last is assumed; names are of no repository"),
    ] {
        let path = checkpoint(folder.path(), name);
        let of = |flags: &[&str]| {
            let output =
                densenet().args(["plan", "--device", "cpu", "--size", "64x64", "--model"]).arg(&path).args(flags).output().unwrap();
            (stderr(&output), stdout(&inspect(&path, flags)))
        };
        let (told, report) = of(&[]);
        assert!(told.contains(assumed) && told.contains(flags[0]), "{told}");
        assert!(report.contains(assumed) && report.contains(flags[0]), "{report}");
        let (told, report) = of(flags);
        assert!(!told.contains("assum") && !report.contains(assumed), "{told}\n{report}");
    }
}

#[test]
fn whole_modules_have_roots_and_heads_too() {
    let folder = folder();
    let held = checkpoint_of(folder.path(), "held.pt", "heads.zip");
    assert_says(&inspect(&held, &["--root", "encoder"]), 0, &[]);
    let whole = checkpoint_of(folder.path(), "whole.pt", "heads.zip");
    let output = inspect(&whole, &["--head", "head"]);
    assert_says(&output, 0, &[]);
    assert!(stdout(&output).contains("by linear 6, gelu, linear 5"), "{}", stdout(&output));
    let features = folder.path().join("features.npy");
    let arguments = ["embed", &fixture("L.png"), "--device", "cpu", "--size", "40x48", "--model"];
    let output = densenet().args(arguments).arg(&whole).arg("--output").arg(&features).output().unwrap();
    assert_says(&output, 0, &["passing over", "[1, 8]"]);
}

#[test]
fn every_network_of_a_file_is_listed() {
    let folder = folder();
    let towers = checkpoint(folder.path(), "towers.pth");
    assert_refused(
        &inspect(&towers, &[]),
        &["found 2: ", "\"net/left.backbone.0\" (DenseNet-", "\"net/right\" (DenseNet-", "take one with --root"],
    );
    assert_refused(&inspect(&towers, &["--root", "wrong"]), &["--root wrong: expected a DenseNet there, found one at ", "net/right"]);
}

#[test]
fn features_need_no_classifier_that_is_understood() {
    let folder = folder();
    for (name, passed_over) in [("segmentation.pth", "decoder.0.weight"), ("head-layers.pth", "classifier.fc1.weight")] {
        let path = checkpoint(folder.path(), name);
        let features = folder.path().join("features.npy");
        let arguments = ["embed", &fixture("L.png"), "--device", "cpu", "--size", "40x48", "--model"];
        let output = densenet().args(arguments).arg(&path).arg("--output").arg(&features).output().unwrap();
        assert_says(&output, 0, &["passing over", passed_over, "[1, 8]"]);
    }
}

#[test]
fn words_that_mean_nothing_are_refused() {
    for (flag, word, known) in [
        ("--head-layers", "linear,maxout", "batchnorm"),
        ("--head-layers", "linear,leakyrelu,linear", "leakyrelu:0.01"),
        ("--stem", "stride=9", "from 1 to 4"),
        ("--stem", "slow", "pool=yes"),
        ("--new-channels", "middle", "first or last"),
    ] {
        let output = inspect(Path::new("digits"), &[flag, word]);
        assert_refused(&output, &[flag, known]);
        assert!(!stderr(&output).contains("checkpoint: "), "{}", stderr(&output));
    }
}

#[test]
fn a_saved_model_is_refused_with_the_way_round_it() {
    let folder = folder();
    fs::write(folder.path().join("saved_model.pb"), b"\x08\x01").unwrap();
    assert_refused(&inspect(folder.path(), &[]), &["TensorFlow SavedModel", "import tensorflow as tf", ".save('OUT.h5')"]);
}
