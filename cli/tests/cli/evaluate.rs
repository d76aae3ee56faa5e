//! `evaluate`: numbers, what they are made of, and what has none.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::{CPU, ROOT, assert_refused, assert_says, densenet, draw, folder, stderr, stdout};

pub(crate) fn evaluate(arguments: &[&str]) -> Output {
    densenet().arg("evaluate").args(CPU).args(arguments).output().unwrap()
}

/// The object that `evaluate` prints, with this exit status.
#[track_caller]
pub(crate) fn evaluated(arguments: &[&str], status: i32) -> Value {
    let output = evaluate(&[arguments, &["--format", "json"]].concat());
    assert_says(&output, status, &[]);
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// A folder for each of these digits, with the four pictures of it that the examples have.
pub(crate) fn digits(root: &Path, classes: &[u8]) {
    for class in classes {
        for entry in fs::read_dir(Path::new(ROOT).join("examples/digits")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.starts_with(&format!("{class}-")) {
                put(&name, &root.join(class.to_string()).join(&name));
            }
        }
    }
}

/// A copy of one of the examples.
pub(crate) fn put(example: &str, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::copy(Path::new(ROOT).join("examples/digits").join(example), path).unwrap();
}

const EXAMPLES: [&str; 3] = ["examples/digits", "--pattern", "{label}-*.png"];

#[test]
fn the_keys_are_those_of_the_contract() {
    let found = evaluated(&EXAMPLES, 0);
    for key in ["count", "failed", "top1", "top5", "balanced_accuracy", "log_loss", "brier", "ece", "labels", "confusion", "per_class"] {
        assert!(!found[key].is_null(), "{key} is not in {found}");
    }
    for key in ["label", "precision", "recall", "f1", "support", "auroc", "average_precision"] {
        assert!(found["per_class"].as_array().unwrap().iter().all(|class| !class[key].is_null()), "{key}");
    }
    assert_eq!((&found["count"], &found["failed"], &found["model"]), (&40.into(), &0.into(), &"digits".into()));
    let diagonal: u64 = (0..10).map(|class| found["confusion"][class][class].as_u64().unwrap()).sum();
    assert_eq!(found["top1"].as_f64().unwrap(), diagonal as f64 / 40.0);
    assert!(diagonal >= 38, "{diagonal} of 40 held-out digits are right");
    assert_eq!(found["labels"], serde_json::json!(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]));
}

#[test]
fn accuracy_is_what_classify_says() {
    let classified = densenet().args(["classify", "examples/digits", "--top-k", "1", "--format", "json"]).args(CPU).output().unwrap();
    let is_right = |row: &Value| {
        let name = Path::new(row["path"].as_str().unwrap()).file_name().unwrap().to_str().unwrap();
        name.starts_with(row["top"][0]["label"].as_str().unwrap())
    };
    let rows = crate::json_lines(&classified);
    let right = rows.iter().filter(|row| is_right(row)).count();
    assert_eq!(evaluated(&EXAMPLES, 0)["top1"].as_f64().unwrap(), right as f64 / rows.len() as f64);
}

#[test]
fn a_person_reads_a_table() {
    let output = evaluate(&[&EXAMPLES[..], &["--top-k", "3"]].concat());
    assert_says(&output, 0, &[]);
    let text = stdout(&output);
    assert!(text.starts_with("digits on examples/digits: 40 pictures\n"), "{text}");
    for part in ["top-1 ", "top-3 ", "95 %: ", "balanced accuracy", "log loss", "class  precision  recall", "average precision"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn a_class_without_pictures_has_no_numbers_and_is_named() {
    let folder = folder();
    digits(folder.path(), &[3, 8]);
    let root = folder.path().to_str().unwrap();
    let found = evaluated(&[root], 0);
    let of = |class: usize, key: &str| found["per_class"][class][key].clone();
    assert_eq!(
        (of(0, "auroc"), of(0, "recall"), of(0, "average_precision"), of(0, "support")),
        (Value::Null, Value::Null, Value::Null, 0.into())
    );
    assert!(of(3, "auroc").as_f64().unwrap() > 0.9);
    assert!(stderr(&evaluate(&[root])).contains("8 classes of the model have no pictures: 0, 1, 2, 4, 5, 6, 7, 9"));
}

#[test]
fn one_class_alone_has_no_auroc() {
    let folder = folder();
    digits(folder.path(), &[5]);
    let root = folder.path().to_str().unwrap();
    let found = evaluated(&[root], 0);
    assert_eq!((&found["count"], &found["per_class"][5]["auroc"], &found["macro_auroc"]), (&4.into(), &Value::Null, &Value::Null));
    assert_says(&evaluate(&[root]), 0, &["all pictures are of one class, 5: there is no AUROC"]);
}

#[test]
fn two_pictures_are_few() {
    let folder = folder();
    put("3-1438-8.png", &folder.path().join("3/a.png"));
    put("8-1443-8.png", &folder.path().join("8/b.png"));
    assert_says(&evaluate(&[folder.path().to_str().unwrap()]), 0, &["2 pictures are few"]);
}

#[test]
fn failed_pictures_are_counted_apart_and_listed() {
    let folder = folder();
    digits(folder.path(), &[0, 1]);
    fs::write(folder.path().join("1/broken.png"), "no picture").unwrap();
    let root = folder.path().to_str().unwrap();
    let found = evaluated(&[root], 1);
    assert_eq!((&found["count"], &found["failed"], found["failures"].as_array().unwrap().len()), (&8.into(), &1.into(), 1));
    assert!(found["failures"][0]["path"].as_str().unwrap().ends_with("1/broken.png"), "{found}");
    assert_says(&evaluate(&[root]), 1, &["1/broken.png: ", "1 of 9 inputs failed"]);
}

#[test]
fn intervals_can_be_left_out_and_have_a_seed() {
    let folder = folder();
    digits(folder.path(), &[3, 5, 8]);
    fs::rename(folder.path().join("5"), folder.path().join("9")).unwrap(); // so that there are mistakes
    let root = folder.path().to_str().unwrap();
    assert_eq!(evaluated(&[root, "--bootstrap", "0"], 0)["top1_interval"], Value::Null);
    let of = |seed: &str| evaluated(&[root, "--bootstrap", "50", "--seed", seed], 0);
    let [first, again, other] = ["1", "1", "2"].map(of);
    assert_eq!(first, again);
    assert_ne!(first["balanced_accuracy_interval"], other["balanced_accuracy_interval"]);
    assert!(first["top1"].as_f64().unwrap() < 0.75, "{first}");
}

#[test]
fn two_models_are_compared_on_the_same_pictures() {
    let found = evaluated(&[&EXAMPLES[..], &["--compare", "digits"]].concat(), 0);
    let comparison = &found["comparison"];
    assert_eq!((&comparison["count"], &comparison["mcnemar"]["p"]), (&40.into(), &Value::from(1.0)));
    assert_eq!(comparison["second"]["top1"], found["top1"]);

    // A network that knows nothing.
    let folder = folder();
    let path = folder.path().join("untrained.safetensors");
    let mut config = densenet_wgpu::models::bundled("digits").unwrap().unwrap().config;
    config.num_classes = Some(10);
    let mut untrained = densenet_wgpu::Checkpoint::init(config, 1).unwrap();
    let digits = densenet_wgpu::models::bundled("digits").unwrap().unwrap();
    (untrained.labels, untrained.preprocessing) = (digits.labels, digits.preprocessing);
    untrained.save(&path).unwrap();
    let output = evaluate(&[&EXAMPLES[..], &["--compare", path.to_str().unwrap()]].concat());
    assert_says(&output, 0, &[]);
    assert!(stdout(&output).contains("McNemar's test  p = 0.0000"), "{}", stdout(&output));
}

#[test]
fn misuse_is_refused() {
    let truth = folder();
    digits(truth.path(), &[0]);
    let root = truth.path().to_str().unwrap();
    for (arguments, parts) in [
        (&["no such folder"][..], &["no such folder"][..]),
        (&[root, "--truth", "csv"], &["expected a file, found a folder; --truth folders reads it"]),
        (&[root, "--truth", "pattern"], &["expected --pattern P", "{label}-*.png"]),
        (&[root, "--pattern", "*.png"], &["with one {label}", "found 0 of them"]),
        (&[root, "--sensitivity", "2"], &["expected a number from 0 to 1"]),
        (&["README.md", "--truth", "folders"], &["expected a folder of folders, found a file"]),
        (&[], &["TRUTH"]),
    ] {
        assert_refused(&evaluate(arguments), parts);
    }
    let empty = folder();
    assert_refused(&evaluate(&[empty.path().to_str().unwrap()]), &["no picture in"]);
    draw(empty.path().join("loose.png"));
    assert_refused(&evaluate(&[empty.path().to_str().unwrap()]), &["expected a folder for each class", "none of them in such a folder"]);
}
