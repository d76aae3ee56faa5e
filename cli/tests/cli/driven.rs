//! Another program that drives it by lines of JSON.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::{CPU, assert_refused, assert_says, classify, densenet, fixture, folder, given_up_on, json_lines, stdout};

fn driven() -> Child {
    let mut command = densenet();
    command.arg("classify").args(CPU).args(["--stdin-jsonl", "--top-k", "1"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let four = |three: &[u8]| {
        let bits = three.iter().chain(&[0, 0]).take(3).fold(0usize, |bits, &byte| bits << 8 | usize::from(byte));
        let letter = |at: usize| if at <= three.len() { letters[bits >> (18 - 6 * at) & 63] } else { '=' };
        [0, 1, 2, 3].map(letter)
    };
    bytes.chunks(3).flat_map(four).collect()
}

#[test]
fn a_program_that_drives_it_has_each_answer_before_it_asks_again() {
    let mut child = driven();
    let _end = given_up_on(&child);
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ask = |question: &str| -> Value {
        writeln!(questions, "{question}").unwrap();
        serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap()
    };
    let path = fixture("L.png");
    let by_path = ask(&json!({"id": 1, "path": path}).to_string());
    assert_eq!((&by_path["id"], &by_path["path"], &by_path["model"]), (&json!(1), &json!(path), &json!("digits")));
    let text = base64(&fs::read(&path).unwrap());
    let by_content = ask(&json!({"id": {"any": "value"}, "b64": text, "more": "is not looked at"}).to_string());
    assert_eq!(by_content["id"], json!({"any": "value"}));
    assert_eq!(by_content.get("path"), None);
    assert_eq!(by_content["top"], by_path["top"]);
    for (question, id, part) in [
        (json!({"id": "x", "path": "no such.png"}).to_string(), json!("x"), "cannot be opened"),
        (json!({"id": 2, "b64": "bm8gcGljdHVyZQ=="}).to_string(), json!(2), "not a picture"),
        (json!({"id": 3, "b64": "*"}).to_string(), json!(3), "bytes in base 64"),
        (json!({"id": 4}).to_string(), json!(4), "line 6 of standard input"),
        ("garbage".into(), Value::Null, "line 7 of standard input"),
    ] {
        let answer = ask(&question);
        assert_eq!(answer["id"], id);
        assert!(answer["error"].as_str().unwrap().contains(part), "{answer}");
    }
    assert_eq!(ask(&json!({"id": 5, "path": path}).to_string())["top"], by_path["top"], "it goes on after errors");
    drop(questions);
    assert_says(&child.wait_with_output().unwrap(), 1, &["5 of 8 inputs failed"]);
}

#[cfg(unix)]
#[test]
fn an_answer_waits_for_no_later_line() {
    let folder = folder();
    // Nothing writes to this pipe: the second picture never arrives.
    let pipe = folder.path().join("pipe.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = driven();
    let _end = given_up_on(&child);
    let mut questions = child.stdin.take().unwrap();
    for (id, path) in [(1, fixture("L.png")), (2, pipe.to_str().unwrap().to_owned()), (3, fixture("L.png"))] {
        writeln!(questions, "{}", json!({"id": id, "path": path})).unwrap();
    }
    let mut answer = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut answer).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["id"], 1);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn standard_input_that_cannot_be_read_is_told() {
    let folder = fs::File::open(env!("CARGO_MANIFEST_DIR")).unwrap();
    let output = densenet().arg("classify").args(CPU).arg("--stdin-jsonl").stdin(folder).output().unwrap();
    assert_says(&output, 1, &["1 of 1 inputs failed"]);
    assert!(stdout(&output).contains("cannot be read"), "{}", stdout(&output));
}

#[test]
fn lines_that_come_at_once_are_answered_in_order() {
    let mut child = driven();
    let lines: String =
        (0..100).map(|id| json!({"id": id, "path": fixture(if id % 7 == 3 { "no such" } else { "1.png" })}).to_string() + "\n\n").collect();
    let mut questions = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || questions.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let ids: Vec<u64> = json_lines(&output).iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..100).collect::<Vec<u64>>());
}

#[test]
fn driving_has_one_form() {
    for format in ["csv", "text"] {
        let found = format!("--stdin-jsonl: expected --format json, in which each line is answered, found {format}");
        assert_refused(&classify(&["--stdin-jsonl", "--format", format]), &[&found]);
    }
    assert_refused(&classify(&["--stdin-jsonl", "a.png"]), &["--stdin-jsonl", "cannot be used with"]);
    assert_refused(&classify(&[]), &["<PATH>"]);
    assert_says(&classify(&["--stdin-jsonl"]), 0, &[]);
}
