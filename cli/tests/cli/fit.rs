//! `fit`: heads that are fitted to pictures, what keeps an interrupted one, and what bad input gets.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use densenet_wgpu::Checkpoint;
use serde_json::Value;
use tempfile::TempDir;

use crate::evaluate::{digits, put};
use crate::{CPU, assert_refused, assert_says, densenet, folder, json_lines, stderr, stdout};

struct Fit {
    folder: TempDir,
}

impl Fit {
    /// A folder with a folder for each of these digits.
    fn of(classes: &[u8]) -> Self {
        let fit = Self { folder: folder() };
        digits(&fit.data(), classes);
        fit
    }

    /// A table of all digits that the examples have, with these columns after the path: of each of a digit's four pictures.
    fn of_table(header: &str, row: impl Fn(usize, usize) -> String) -> Self {
        let fit = Self::of(&[0, 1, 2, 3]);
        let mut table = format!("path,{header}\n");
        for digit in 0..4 {
            let mut pictures: Vec<PathBuf> =
                fs::read_dir(fit.data().join(digit.to_string())).unwrap().map(|entry| entry.unwrap().path()).collect();
            pictures.sort();
            for (number, picture) in pictures.iter().enumerate() {
                let name = picture.file_name().unwrap().to_str().unwrap();
                table.push_str(&format!("data/{digit}/{name},{}\n", row(digit, number)));
            }
        }
        fs::write(fit.table(), table).unwrap();
        fit
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn table(&self) -> PathBuf {
        self.path("table.csv")
    }

    fn output(&self) -> PathBuf {
        self.path("new.safetensors")
    }

    fn run_on(&self, data: &Path, arguments: &[&str]) -> Output {
        let mut command = densenet();
        command.env("SOURCE_DATE_EPOCH", "1796083200").arg("fit").args(CPU).arg(data).arg("--output").arg(self.output());
        command.args(arguments).output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_on(&self.data(), arguments)
    }

    /// What it prints, with this exit status.
    #[track_caller]
    fn outcome(&self, data: &Path, arguments: &[&str], status: i32) -> Value {
        let output = self.run_on(data, &[arguments, &["--format", "json"]].concat());
        assert_says(&output, status, &[]);
        serde_json::from_str(&stdout(&output)).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let mut files: Vec<String> =
            fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        files
    }
}

#[test]
fn a_fitted_model_runs_like_any_other() {
    let fit = Fit::of(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let outcome = fit.outcome(&fit.data(), &["--holdout", "0.25"], 0);
    assert_eq!((&outcome["classes"], &outcome["train"], &outcome["holdout"]), (&10.into(), &30.into(), &10.into()));
    assert!(outcome["holdout_top1"].as_f64().unwrap() >= 0.9 && outcome["cross_validated_top1"].as_f64().unwrap() >= 0.9, "{outcome}");
    assert!(outcome["regularisation"].as_f64().unwrap() > 0.0);

    let new = fit.output();
    let new = new.to_str().unwrap();
    let seven = ["classify", "examples/digits/7-1442-8.png", "--format", "json", "--device", "cpu", "--model", new];
    let rows = json_lines(&densenet().args(seven).output().unwrap());
    assert_eq!((&rows[0]["top"][0]["label"], rows[0].get("assumed")), (&"7".into(), None), "{}", rows[0]);
    assert!(rows[0]["top"][0]["probability"].as_f64().unwrap() > 0.5);

    let inspected = densenet().args(["inspect", new, "--format", "json"]).output().unwrap();
    let card = &json_lines(&inspected)[0]["model_card"];
    assert_eq!((&card["base"], &card["base_identity"], &card["data"]), (&"digits".into(), &"4d8a1abd3f2c32fb".into(), &"data".into()));
    assert_eq!((&card["date"], &card["holdout_top1"]), (&"2026-12-01".into(), &outcome["holdout_top1"]));
    assert_eq!(card["classes"][3], serde_json::json!({"holdout": 1, "label": "3", "train": 3}));
    let text = stdout(&densenet().args(["inspect", new]).output().unwrap());
    assert!(text.contains("2026-12-01 to data, on the features of digits (4d8a1abd3f2c32fb)"), "{text}");

    let converted = fit.path("converted.safetensors");
    assert_says(&densenet().args(["convert", new]).arg(&converted).output().unwrap(), 0, &[]);
    assert_eq!(Checkpoint::open(&converted).unwrap().card, Checkpoint::open(new).unwrap().card);
}

#[test]
fn a_fitted_model_is_right_on_the_default_device() {
    let fit = Fit::of(&[3, 8]);
    assert_says(&fit.run(&[]), 0, &[]);
    assert_says(&densenet().args(["verify", "--model"]).arg(fit.output()).output().unwrap(), 0, &[]);
}

#[test]
fn the_same_seed_gives_the_same_file() {
    let fit = Fit::of(&[3, 8]);
    assert_says(&fit.run(&[]), 0, &[]);
    let first = fs::read(fit.output()).unwrap();
    // From the features that are kept, and without them.
    let again = fit.run(&[]);
    assert_says(&again, 0, &["the features of 8 pictures are there, 0 are left"]);
    assert_eq!(fs::read(fit.output()).unwrap(), first);
    fs::remove_file(fit.path("new.features")).unwrap();
    assert_says(&fit.run(&[]), 0, &[]);
    assert_eq!(fs::read(fit.output()).unwrap(), first);
    assert_says(&fit.run(&["--seed", "1"]), 0, &[]);
    assert_ne!(fs::read(fit.output()).unwrap(), first);
    assert_eq!(fit.files(), ["data", "new.features", "new.safetensors"]);
}

#[test]
fn features_of_other_settings_are_not_used() {
    let fit = Fit::of(&[3, 8]);
    assert_says(&fit.run(&[]), 0, &[]);
    let resized = fit.run(&["--resize", "squash:nearest"]);
    assert_says(&resized, 0, &[]);
    assert!(!stderr(&resized).contains("are there"), "{}", stderr(&resized));
    put("3-1438-8.png", &fit.data().join("3/a name of its own.png"));
    put("0-1445-8.png", &fit.data().join("8/0.png"));
    assert_says(&fit.run(&["--resize", "squash:nearest"]), 0, &["the features of 8 pictures are there, 1 are left"]);
}

#[test]
fn copies_stay_together_and_are_told() {
    let fit = Fit::of(&[3, 8]);
    for copy in ["1.png", "2.png"] {
        put("3-1438-8.png", &fit.data().join("3").join(copy));
    }
    let output = fit.run(&[]);
    assert_says(&output, 0, &[]);
    assert!(stdout(&output).contains("2 of another picture"), "{}", stdout(&output));
    put("3-1438-8.png", &fit.data().join("8/1.png"));
    assert_says(&fit.run(&[]), 0, &["copies of one picture are said to be of different classes", "8/1.png"]);
}

#[test]
fn a_groups_pictures_are_held_out_together() {
    // Of each digit three patients, of whom one has two pictures.
    let fit = Fit::of_table("label,patient", |digit, number| format!("{digit},{digit}-{}", number.min(2)));
    let outcome = fit.outcome(&fit.table(), &["--group-column", "patient", "--holdout", "0.25"], 0);
    assert_eq!((&outcome["train"], &outcome["holdout"]), (&12.into(), &4.into()));
    // With one patient for each digit nothing can be held out of it.
    let alone = Fit::of_table("label,patient", |digit, _| format!("{digit},{digit}"));
    let refused = alone.run_on(&alone.table(), &["--group-column", "patient"]);
    assert_refused(&refused, &["expected at least 2 pictures of 0, which are neither copies nor of one group, found 1"]);
    assert_refused(&fit.run_on(&fit.table(), &["--group-column", "patience"]), &["a column called patience", "did you mean patient?"]);
    assert_refused(&fit.run(&["--group-column", "patient"]), &["expected a CSV file with --group-column"]);
}

#[test]
fn findings_have_a_sigmoid_each() {
    let fit = Fit::of_table("Odd,Low", |digit, number| {
        format!(
            "{},{}",
            digit % 2,
            if number == 0 {
                ""
            } else if digit < 2 {
                "1"
            } else {
                "0"
            }
        )
    });
    let outcome = fit.outcome(&fit.table(), &["--label-column", "Odd", "--label-column", "Low"], 0);
    assert_eq!((&outcome["labels"], &outcome["holdout_top1"]), (&serde_json::json!(["Odd", "Low"]), &Value::Null));
    let model = Checkpoint::open(fit.output()).unwrap();
    assert_eq!(model.preprocessing.unwrap().activation.name(), "sigmoid");
}

#[test]
fn classes_may_count_as_much_as_each_other() {
    let fit = Fit::of(&[3, 8]);
    for (number, example) in ["0-1445-8", "0-1451-8", "0-1463-64", "0-1464-64", "2-1437-8", "2-1465-8"].iter().enumerate() {
        put(&format!("{example}.png"), &fit.data().join(format!("8/{number}.png")));
    }
    let model = |arguments: &[&str]| {
        assert_says(&fit.run(&[arguments, &["--regularisation", "0.1"]].concat()), 0, &[]);
        Checkpoint::open(fit.output()).unwrap()
    };
    let [equal, balanced] = [model(&[]), model(&["--class-weight", "balanced"])];
    let bias = |model: &Checkpoint| model.weights.tensor("classifier.bias").unwrap().data[0];
    assert!(bias(&balanced) > bias(&equal), "the rarer class counts more");
}

#[test]
fn what_fails_costs_itself_alone() {
    let fit = Fit::of(&[3, 8]);
    fs::write(fit.data().join("3/not.png"), "a picture").unwrap();
    let output = fit.run(&[]);
    assert_says(&output, 1, &["3/not.png: ", "1 of 9 inputs failed; the head was fitted to the others"]);
    assert!(fit.output().exists());
    let table = Fit::of_table("label", |digit, number| if (digit, number) == (2, 1) { String::new() } else { digit.to_string() });
    assert_says(&table.run_on(&table.table(), &[]), 1, &["table.csv: line 11: expected a class", "1 of 16 inputs failed"]);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    assert_refused(&Fit::of(&[3]).run(&[]), &["expected pictures of at least two classes, found one, 3"]);
    let two = Fit { folder: folder() };
    put("3-1438-8.png", &two.data().join("3/a.png"));
    put("8-1443-8.png", &two.data().join("8/a.png"));
    assert_refused(&two.run(&[]), &["expected at least 2 pictures of 3", "found 1"]);
    assert_eq!(two.files(), ["data", "new.features"]);

    let fit = Fit::of(&[3, 8]);
    for (arguments, part) in [
        (&["--holdout", "1"][..], "a share to hold out from 0 to less than 1"),
        (&["--holdout", "0.9"], "that are not held out"),
        (&["--folds", "1"], "--folds"),
        (&["--regularisation", "0"], "a regularisation above 0"),
        (&["--class-weight", "fair"], "balanced"),
    ] {
        assert_refused(&fit.run(arguments), &[part]);
    }
    assert_refused(&fit.run_on(&fit.path("nowhere"), &[]), &["nowhere"]);
    let missing = Fit::of_table("label", |digit, _| digit.to_string());
    assert_refused(&missing.run_on(&missing.table(), &["--pictures", "/"]), &["expected pictures that can be read, found none of 16"]);
    let empty = folder();
    assert_refused(&fit.run_on(empty.path(), &[]), &["picture"]);
    assert!(!fit.output().exists());
}

#[test]
fn other_files_are_not_overwritten() {
    let fit = Fit::of(&[3, 8]);
    fs::write(fit.output(), "my model").unwrap();
    assert_refused(&fit.run(&[]), &["or one that densenet wrote, found another", "--force"]);
    assert_says(&fit.run(&["--force"]), 0, &[]);
    fs::write(fit.path("new.features"), "my features").unwrap();
    assert_refused(&fit.run(&[]), &["new.features", "or the features of an earlier fit, found another"]);
    assert_eq!(fs::read(fit.path("new.features")).unwrap(), b"my features");
    let refused = densenet().arg("fit").args(CPU).arg(fit.data()).args(["--output", "new.pth"]).output().unwrap();
    assert_refused(&refused, &["new.pth: expected a name that ends in .safetensors"]);
    let nowhere = densenet().arg("fit").args(CPU).arg(fit.data()).args(["--output", "no/new.safetensors"]).output().unwrap();
    assert_refused(&nowhere, &["expected a folder that exists"]);
}

/// Ctrl-C keeps the features that are done, and leaves no half file; the same command continues.
#[cfg(unix)]
#[test]
fn an_interrupted_fit_continues() {
    use std::process::Stdio;

    let fit = Fit::of(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let features = fit.path("new.features");
    let mut command = densenet();
    command.env("SOURCE_DATE_EPOCH", "1796083200").arg("fit").args(CPU).arg(fit.data()).arg("--output").arg(fit.output());
    let mut child = command.args(["--batch", "1"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let ending = crate::given_up_on(&child);
    crate::until(
        || fs::metadata(&features).is_ok_and(|file| file.len() > 1000) || child.try_wait().unwrap().is_some(),
        "the first features",
    );
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    drop(ending);
    if output.status.code() == Some(0) {
        eprintln!("the fit ended before it was interrupted: not tested");
        return;
    }
    assert_says(&output, 130, &["stopped by a signal: ", "the same command continues"]);
    assert_eq!(fit.files(), ["data", "new.features"]);
    assert_says(&fit.run(&[]), 0, &["pictures are there, "]);
    let continued = fs::read(fit.output()).unwrap();
    fs::remove_file(features).unwrap();
    assert_says(&fit.run(&[]), 0, &[]);
    assert_eq!(fs::read(fit.output()).unwrap(), continued);
}
