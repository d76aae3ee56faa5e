//! The rows of `classify`.

use std::fs;
use std::path::Path;

use crate::{ROOT, assert_refused, assert_says, classify, densenet, draw, fixture, folder, json_lines, paths, stderr, stdout};

/// The identity of the bundled model.
const DIGITS: &str = "4d8a1abd3f2c32fb";

#[test]
fn json_has_a_row_for_each_picture_in_order() {
    let [b, a] = [fixture("RGBA.png"), fixture("1.png")];
    let output = classify(&[&b, &a, "--format", "json"]);
    assert_says(&output, 0, &[]);
    assert_eq!(stderr(&output), "");
    assert_eq!(paths(&output), [b, a]);
    let line = stdout(&output);
    let places: Vec<Option<usize>> = ["path", "model", "identity", "settings", "top", "index", "label", "probability", "logit"]
        .map(|key| line.find(&format!("\"{key}\":")))
        .to_vec();
    assert!(places.is_sorted() && places[0].is_some(), "{line}");
    for row in json_lines(&output) {
        assert_eq!((&row["model"], &row["identity"]), (&"digits".into(), &DIGITS.into()));
        let top = row["top"].as_array().unwrap();
        assert_eq!(top.len(), 5);
        let probabilities: Vec<f64> = top.iter().map(|class| class["probability"].as_f64().unwrap()).collect();
        assert!(probabilities.is_sorted_by(|a, b| a >= b) && probabilities.iter().sum::<f64>() <= 1.0 + 1e-9);
        for class in top {
            assert_eq!(class["label"], class["index"].to_string());
            assert!(class["logit"].is_f64());
        }
    }
}

#[test]
fn a_failed_input_keeps_its_row_and_loses_no_other() {
    let folder = folder();
    let empty = folder.path().join("empty.png");
    fs::write(&empty, "").unwrap();
    let [good, missing, huge] = [fixture("L.png"), "no such picture.png".to_owned(), fixture("huge.png")];
    let output = classify(&[&good, empty.to_str().unwrap(), &missing, &good, &huge, "--format", "json", "--batch", "2"]);
    assert_says(&output, 1, &["3 of 5 inputs failed"]);
    let rows = json_lines(&output);
    assert_eq!(paths(&output), [&good, empty.to_str().unwrap(), &missing, &good, &huge]);
    assert!(rows[0]["top"].is_array() && rows[3]["top"].is_array());
    for (row, message) in [(1, "the file is empty"), (2, "cannot be opened"), (4, "60000x60000 is 3600000000 pixels; expected at most")] {
        let error = rows[row]["error"].as_str().unwrap();
        assert!(error.contains(message), "{error}");
        assert!(rows[row].get("top").is_none());
    }
}

#[test]
fn nothing_but_failures_is_status_1() {
    let output = classify(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "--format", "csv"]);
    assert_says(&output, 1, &["1 of 1 inputs failed"]);
    assert!(stdout(&output).contains("Cargo.toml,,,,,,\"not a picture; expected PNG"), "{}", stdout(&output));
}

#[test]
fn csv_quotes_what_needs_it() {
    let folder = folder();
    let path = folder.path().join("a,\"b\".png");
    draw(&path);
    let output = classify(&[path.to_str().unwrap(), "no,such", "--format", "csv", "--top-k", "2"]);
    assert_says(&output, 1, &[]);
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "path,rank,index,label,probability,logit,error,identity,assumed,settings,notes");
    let quoted = format!("\"{}\"", path.to_str().unwrap().replace('"', "\"\""));
    for (rank, line) in [(1, lines[1]), (2, lines[2])] {
        let rest = line.strip_prefix(&format!("{quoted},{rank},")).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(rest.split(',').count(), 9, "{line}");
        assert!(line.contains(&format!(",,{DIGITS},,")), "{line}");
    }
    assert!(lines[3].starts_with("\"no,such\",,,,,,cannot be opened"), "{}", lines[3]);
    assert_eq!(lines.len(), 4);
}

#[test]
fn text_is_for_reading() {
    let output = classify(&[&fixture("L.png"), "no such picture.png", "--top-k", "1"]);
    assert_says(&output, 1, &[]);
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], fixture("L.png"));
    assert!(lines[1].contains(" %  ") && lines[1].contains("logit"), "{text}");
    assert_eq!(lines[2], "no such picture.png");
    assert!(lines[3].starts_with("  error: cannot be opened"), "{text}");
}

#[test]
fn top_k_is_at_most_every_class() {
    let output = classify(&[&fixture("L.png"), "--top-k", "1000", "--format", "json"]);
    assert_eq!(json_lines(&output)[0]["top"].as_array().unwrap().len(), 10);
    assert_refused(&classify(&[&fixture("L.png"), "--top-k", "0"]), &["--top-k"]);
}

#[test]
fn labels_may_come_from_a_file() {
    let folder = folder();
    let path = folder.path().join("labels.txt");
    let names: Vec<String> = (0..10).map(|digit| format!("digit {digit}")).collect();
    fs::write(&path, names.join("\n")).unwrap();
    let output = classify(&[&fixture("L.png"), "--format", "json", "--labels", path.to_str().unwrap()]);
    let class = &json_lines(&output)[0]["top"][0];
    assert_eq!(class["label"], names[class["index"].as_u64().unwrap() as usize].as_str());
    fs::write(&path, "one\ntwo\n").unwrap();
    let output = classify(&[&fixture("L.png"), "--labels", path.to_str().unwrap()]);
    assert_refused(&output, &["expected 10 labels", "found 2 lines", "labels.txt"]);
}

#[test]
fn the_batch_changes_no_answer() {
    let pictures = ["L.png", "RGB.png", "P.png", "1.png", "LA.png"].map(fixture);
    let mut arguments: Vec<&str> = pictures.iter().map(String::as_str).collect();
    arguments.extend(["--format", "csv", "--batch"]);
    let [one, three] = ["1", "3"].map(|batch| classify(&[&arguments[..], &[batch]].concat()));
    assert_says(&one, 0, &[]);
    assert_eq!(stdout(&one), stdout(&three));
}

#[test]
fn the_batch_changes_no_answer_on_the_default_device() {
    let folder = folder();
    let damaged = folder.path().join("damaged.png");
    fs::write(&damaged, "no picture").unwrap();
    // Without a crop, pictures of other proportions are of other sizes: neighbours cannot run together.
    let preprocessing = folder.path().join("uncropped.json");
    let uncropped = r#"{"activation":"softmax","channels":3,"crop":null,"mean":[0.5,0.4,0.3],"range":"min_max","resize":{"filter":"bilinear","mode":"short_side","size":40},"std":[0.5,0.5,0.5]}"#;
    fs::write(&preprocessing, uncropped).unwrap();
    let names = ["L.png", "RGB.png", "P.png", "no such.png", "source.png", "LA.png", "RGB16.png", "source.png", "L.png"];
    let pictures = names.map(fixture);
    for options in [&[][..], &["--preprocess", preprocessing.to_str().unwrap()]] {
        let [one, three, all] = ["1", "3", "16"].map(|batch| {
            let mut command = densenet();
            command.args(["classify", "--model", "digits", "--format", "csv", "--batch", batch]).args(options);
            command.args(&pictures).arg(&damaged).output().unwrap()
        });
        assert_says(&one, 1, &["2 of 10 inputs failed"]);
        assert_eq!(stdout(&one), stdout(&three));
        assert_eq!(stdout(&one), stdout(&all));
    }
}

#[test]
fn another_size_is_another_answer() {
    let [own, larger] = ["64x64", "96x80"].map(|size| classify(&[&fixture("RGB.png"), "--format", "json", "--size", size]));
    assert_eq!(stdout(&own), stdout(&classify(&[&fixture("RGB.png"), "--format", "json"])));
    assert_says(&larger, 0, &[]);
    assert_ne!(json_lines(&own)[0]["top"], json_lines(&larger)[0]["top"]);
    assert_refused(&classify(&[&fixture("RGB.png"), "--size", "8x8"]), &["features.", "3x8x8", "too small"]);
    assert_refused(&classify(&[&fixture("RGB.png"), "--size", "eight"]), &["as in 224x224"]);
}

#[test]
fn the_bundled_model_reads_the_bundled_digits_on_the_default_device() {
    let digits = Path::new(ROOT).join("examples/digits");
    let arguments = ["classify", "--model", "digits", "--format", "json", "--top-k", "1"];
    let output = densenet().args(arguments).arg(digits).output().unwrap();
    assert_says(&output, 0, &[]);
    let rows = json_lines(&output);
    let right = rows.iter().filter(|row| {
        let path = Path::new(row["path"].as_str().unwrap());
        path.file_name().unwrap().to_str().unwrap().starts_with(row["top"][0]["label"].as_str().unwrap())
    });
    assert_eq!(rows.len(), 40);
    assert!(right.count() >= 39, "{}", stdout(&output));
}

#[test]
fn a_cache_that_cannot_be_written_costs_no_word_on_the_default_device() {
    let folder = folder();
    let not_a_folder = folder.path().join("file");
    fs::write(&not_a_folder, "untouched").unwrap();
    let run = |cache: &Path| {
        let mut command = densenet();
        command.env("DENSENET_CACHE_DIR", cache).args(["classify", "--model", "digits"]).arg(fixture("L.png"));
        command.output().unwrap()
    };
    let [unwritable, off] = [run(&not_a_folder), run(Path::new(""))];
    assert_says(&unwritable, 0, &[]);
    assert_eq!((stdout(&unwritable), stderr(&unwritable)), (stdout(&off), stderr(&off)));
    assert_eq!(fs::read(&not_a_folder).unwrap(), b"untouched");
}
