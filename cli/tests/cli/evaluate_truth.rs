//! Where `evaluate` has the truth from: folders with traps, tables, lines of JSON.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::evaluate::{digits, evaluate, evaluated, put};
use crate::{assert_refused, assert_says, draw, folder};

/// A folder with four pictures and a file that says what they are.
fn table(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = folder();
    for (example, name) in [("3-1438-8.png", "a.png"), ("3-1460-8.png", "b.png"), ("8-1443-8.png", "c.png"), ("8-1453-8.png", "d.png")] {
        put(example, &folder.path().join("pictures").join(name));
    }
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

#[test]
fn folders_with_traps() {
    let folder = folder();
    let root = folder.path();
    digits(root, &[1, 2]);
    put("3-1438-8.png", &root.join("3/deep/er/a.png"));
    put("4-1439-8.png", &root.join(".ipynb_checkpoints/a.png"));
    put("5-1440-8.png", &root.join("loose.png"));
    put("6-1441-8.png", &root.join("Größe/a.png"));
    fs::write(root.join("1/notes.txt"), "text").unwrap();
    fs::write(root.join("2/._a.png"), b"\0\x05\x16\x07").unwrap();
    fs::write(root.join("1/.DS_Store"), "\0\0\0\x01Bud1").unwrap();
    fs::create_dir(root.join("9")).unwrap();
    let arguments = [root.to_str().unwrap()];
    let found = evaluated(&arguments, 0);
    assert_eq!(found["count"], 9);
    assert_eq!(found["per_class"][3]["support"], 1);
    assert_eq!(found["unmatched"], serde_json::json!([{"label": "Größe", "count": 1}]));
    let said =
        ["beside the folders of classes", "loose.png", "in hidden folders", "1 classes of the truth are none of the model's", "Größe (1)"];
    assert_says(&evaluate(&arguments), 0, &said);
}

#[test]
fn names_that_are_none_of_the_models_are_refused() {
    let folder = folder();
    draw(folder.path().join("cat/a.png"));
    draw(folder.path().join("dog/b.png"));
    let root = folder.path().to_str().unwrap();
    assert_refused(&evaluate(&[root]), &["expected classes of the model (0, 1, 2, 3, 4, and 5 more)", "found cat, dog", "--class-to-idx"]);
    let numbers = folder.path().join("numbers.json");
    fs::write(&numbers, r#"{"cat": 3, "dog": 8}"#).unwrap();
    let found = evaluated(&[root, "--class-to-idx", numbers.to_str().unwrap()], 0);
    assert_eq!((&found["per_class"][3]["support"], &found["per_class"][8]["support"]), (&1.into(), &1.into()));
    for (content, part) in
        [("{\"cat\": 10}", "found 10 for cat"), ("[1]", "expected JSON with a number for each class"), ("{\"x\": 1}", "found cat, dog")]
    {
        fs::write(&numbers, content).unwrap();
        assert_refused(&evaluate(&[root, "--class-to-idx", numbers.to_str().unwrap()]), &[part]);
    }
}

#[test]
fn tables_with_other_separators_and_marks_are_read() {
    let rows = "a.png,3\nb.png,3\nc.png,8\nd.png,3\n";
    for (content, note) in [
        ("path,label\n".to_owned() + rows, "paths are in the column path, classes are in the column label"),
        ("\u{feff}path;label\r\n".to_owned() + &rows.replace(',', ";").replace('\n', "\r\n"), "separated by semicolons"),
        ("File\tDigit\n".to_owned() + &rows.replace(',', "\t"), "separated by tabs"),
    ] {
        let (folder, path) = table("truth.csv", content);
        let pictures = folder.path().join("pictures");
        let arguments = [path.to_str().unwrap(), "--pictures", pictures.to_str().unwrap()];
        let found = evaluated(&arguments, 0);
        assert_eq!((&found["count"], &found["top1"]), (&4.into(), &0.75.into()), "{note}");
        assert_says(&evaluate(&arguments), 0, &[note]);
    }
}

#[test]
fn rows_that_cannot_be_read_are_named_by_their_line_and_the_others_count() {
    let (folder, path) = table("truth.csv", b"path,label\na.png,3\nb.png\n,3\nc.png,\nd.png,\xff\nno such.png,8\nc.png,8\n");
    let pictures = folder.path().join("pictures");
    let arguments = [path.to_str().unwrap(), "--pictures", pictures.to_str().unwrap()];
    let found = evaluated(&arguments, 1);
    assert_eq!((&found["count"], &found["failed"], &found["top1"]), (&2.into(), &5.into(), &1.0.into()));
    let said = [
        "line 3: expected 2 cells",
        "line 4: expected a path",
        "line 5: expected a class",
        "line 6: bytes that are not UTF-8",
        "no such.png: ",
    ];
    assert_says(&evaluate(&arguments), 1, &said);
}

#[test]
fn tables_that_say_nothing_are_refused() {
    for (content, parts) in [
        ("", &["found an empty file"][..]),
        ("path,label\n", &["expected a row for each picture"]),
        ("pictures/a.png,3\npictures/b.png,3\n", &["expected a header such as path,label in line 1"]),
        ("path,first,second\na.png,1,2\n", &["expected a column called label", "--label-column", "path, first, second"]),
        ("path,label\na.png,3\n", &["expected pictures that exist", "truth.csv", "--pictures DIR"]),
        ("path,label\npictures/a.png,cat\n", &["found cat"]),
    ] {
        let (_folder, path) = table("truth.csv", content);
        assert_refused(&evaluate(&[path.to_str().unwrap()]), parts);
    }
    let (_folder, path) = table("truth.csv", "path,label\na.png,3\n");
    assert_refused(&evaluate(&[path.to_str().unwrap(), "--label-column", "lable"]), &["a column called lable", "did you mean label?"]);
}

#[test]
fn findings_have_areas_and_operating_points() {
    let content = "path,3,8\npictures/a.png,1,0\npictures/b.png,1.0,-1\npictures/c.png,0,1\npictures/d.png,,1\n";
    let (_folder, path) = table("truth.csv", content);
    let arguments = [path.to_str().unwrap(), "--activation", "sigmoid"];
    let found = evaluated(&arguments, 0);
    let three = &found["per_class"][3];
    assert_eq!((&found["top1"], &found["confusion"], &found["unknown"]), (&Value::Null, &Value::Null, &34.into()));
    assert_eq!((&three["auroc"], &three["support"], three["operating_points"].as_array().unwrap().len()), (&1.0.into(), &2.into(), 2));
    assert_eq!(found["per_class"][0]["auroc"], Value::Null);
    assert!(found["log_loss"].as_f64().unwrap() > 0.0);
    assert_says(&evaluate(&arguments), 0, &["2 cells are empty or uncertain"]);
}

#[test]
fn lines_of_json_are_read() {
    let (_folder, path) = table(
        "truth.jsonl",
        "{\"path\":\"pictures/a.png\",\"label\":\"3\"}\n{\"path\":\"pictures/b.png\",\"label\":3}\n\nnonsense\n{\"path\":\"pictures/c.png\",\"label\":\"8\"}\n",
    );
    let found = evaluated(&[path.to_str().unwrap()], 1);
    assert_eq!((&found["count"], &found["failed"], &found["top1"]), (&3.into(), &1.into(), &1.0.into()));
    assert!(found["failures"][0]["path"].as_str().unwrap().ends_with("truth.jsonl: line 4"), "{found}");
    let (_folder, path) =
        table("truth.jsonl", "{\"path\":\"pictures/a.png\",\"labels\":[\"3\",\"8\"]}\n{\"path\":\"pictures/c.png\",\"labels\":[\"8\"]}\n");
    let found = evaluated(&[path.to_str().unwrap()], 0);
    assert_eq!((&found["per_class"][3]["support"], &found["per_class"][8]["support"]), (&1.into(), &2.into()));
}
