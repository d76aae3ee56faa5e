//! Many inputs: parts of them, runs that end early and go on, other programs that drive, several devices.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use densenet_wgpu::{Checkpoint, models};
use serde_json::{Value, json};

use crate::{
    CPU, assert_refused, assert_says, classify, densenet, draw, fixture, folder, given_up_on, json_lines, paths, stderr, stdout, until,
};

/// So many pictures in a folder, the third of which is none.
fn pictures(folder: &Path, count: usize) -> Vec<String> {
    let path = |index: usize| folder.join(format!("{index:04}.png"));
    (0..count).for_each(|index| draw(path(index)));
    fs::write(path(2), "no picture").unwrap();
    (0..count).map(|index| path(index).to_str().unwrap().to_owned()).collect()
}

/// `classify` with `--resume`.
fn resume(inputs: &Path, rows: &Path) -> Command {
    let mut command = densenet();
    command.arg("classify").args(CPU).args(["--top-k", "2", "--batch", "1", "--resume"]).arg(rows).arg(inputs);
    command
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_goes_on_with_no_row_lost_or_doubled() {
    // Nobody writes to this pipe, so that no run ends before it is killed.
    let pipes = folder();
    let pipe = pipes.path().join("pipe.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (ending, all) in [("jsonl", 60), ("csv", 1 + 59 * 2 + 1)] {
        let folder = folder();
        let (inputs, rows) = (folder.path().join("in"), folder.path().join("rows").with_extension(ending));
        let count = pictures(&inputs, 60).len();
        for _ in 0..3 {
            let mut child = resume(&inputs, &rows).arg(&pipe).stderr(Stdio::null()).spawn().unwrap();
            // Wherever it then is.
            let _end = given_up_on(&child);
            let enough = all.min(lines(&rows) + 9);
            until(|| lines(&rows) >= enough, "a few rows more than there were");
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
        }
        assert_says(&resume(&inputs, &rows).output().unwrap(), 1, &["rows exist"]);
        let found = fs::read_to_string(&rows).unwrap();
        let mut command = densenet();
        command.arg("classify").args(CPU).args(["--top-k", "2", "--format", if ending == "csv" { "csv" } else { "json" }]);
        let whole = command.arg(&inputs).output().unwrap();
        assert_eq!(found, stdout(&whole));
        // And with nothing left to do: the same status as that of a run that was never killed.
        let again = resume(&inputs, &rows).output().unwrap();
        assert_says(&again, 1, &[&format!("{count} rows exist, 0 inputs are left"), &format!("1 of {count} inputs failed")]);
        assert_eq!((stdout(&again), fs::read_to_string(&rows).unwrap()), (String::new(), found));
    }
}

fn lines(path: &Path) -> usize {
    fs::read(path).map_or(0, |content| content.iter().filter(|&&byte| byte == b'\n').count())
}

#[test]
fn torn_rows_are_cut_off_and_written_again() {
    for ending in ["jsonl", "csv"] {
        let folder = folder();
        let (inputs, rows) = (folder.path().join("in"), folder.path().join("rows").with_extension(ending));
        pictures(&inputs, 4);
        assert_says(&resume(&inputs, &rows).output().unwrap(), 1, &["0 rows exist, 4 inputs are left"]);
        let whole = fs::read(&rows).unwrap();
        for torn in (1..whole.len()).step_by(whole.len() / 12) {
            fs::write(&rows, &whole[..torn]).unwrap();
            assert_says(&resume(&inputs, &rows).output().unwrap(), 1, &["rows exist"]);
            assert_eq!(String::from_utf8(fs::read(&rows).unwrap()).unwrap(), String::from_utf8_lossy(&whole), "torn at {torn}");
        }
    }
}

#[test]
fn only_rows_are_resumed() {
    let folder = folder();
    let inputs = folder.path().join("in");
    pictures(&inputs, 3);
    for (name, content, parts) in [
        ("notes.txt", "my notes", ["line 1", "expected a row"]),
        ("other.csv", "a,b\n1,2\n", ["line 1", "expected what"]),
        (
            "classes.jsonl",
            "{\"path\":\"a\",\"model\":\"digits\",\"identity\":\"4d8a1abd3f2c32fb\",\"top\":[]}\n",
            ["rows of 2 classes, found one of 0", "; give another file"],
        ),
        ("model.jsonl", "{\"path\":\"a\",\"model\":\"densenet121\",\"top\":[]}\n", ["rows of the model digits", "densenet121"]),
    ] {
        let rows = folder.path().join(name);
        fs::write(&rows, content).unwrap();
        assert_refused(&resume(&inputs, &rows).output().unwrap(), &[name, parts[0], parts[1]]);
        assert_eq!(fs::read_to_string(&rows).unwrap(), content, "it is somebody's file");
    }
    assert_refused(
        &resume(&inputs, folder.path()).output().unwrap(),
        &["expected a file", "found a folder; give the name of a file in it"],
    );
    let rows = folder.path().join("rows.txt");
    assert_refused(&resume(&inputs, &rows).args(["--format", "text"]).output().unwrap(), &["expected --format json or csv", "found text"]);
    assert_refused(&resume(&inputs, &folder.path().join("no such/rows.csv")).output().unwrap(), &["rows.csv", "make it first"]);
}

/// The remedy is tried.
#[test]
fn rows_of_another_number_of_classes_go_on_with_as_many() {
    let folder = folder();
    let inputs = folder.path().join("in");
    pictures(&inputs, 3);
    for ending in ["jsonl", "csv"] {
        let rows = folder.path().join("rows").with_extension(ending);
        let with = |classes: &str| {
            let mut command = densenet();
            command.arg("classify").args(CPU).args(["--top-k", classes, "--resume"]).arg(&rows).arg(&inputs);
            command.output().unwrap()
        };
        assert_says(&with("4"), 1, &["0 rows exist"]);
        assert_refused(&with("3"), &["expected rows of 3 classes, found one of 4; give --top-k 4, or another file"]);
        assert_says(&with("4"), 1, &["3 rows exist, 0 inputs are left"]);
    }
}

/// Two checkpoints of one name, as training runs leave them.
#[test]
fn rows_of_two_checkpoints_are_not_mixed() {
    let folder = folder();
    let inputs = folder.path().join("in");
    pictures(&inputs, 4);
    let model = models::bundled("digits").unwrap().unwrap();
    let other = Checkpoint::init(model.config.clone(), 1).unwrap().with_preprocessing(model.preprocessing.clone().unwrap());
    let [one, two] = [("1", model), ("2", other)].map(|(run, model)| {
        let path = folder.path().join("runs").join(run).join("best.safetensors");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        model.with_name("best").save(&path).unwrap();
        path
    });
    for ending in ["jsonl", "csv"] {
        let rows = folder.path().join("rows").with_extension(ending);
        let resume = |model: &Path| {
            let mut command = densenet();
            command.args(["classify", "--device", "cpu", "--top-k", "2", "--resume"]).arg(&rows).arg("--model").arg(model);
            command.arg(&inputs).output().unwrap()
        };
        assert_says(&resume(&one), 1, &["0 rows exist, 4 inputs are left"]);
        // As if it had been ended: the header of CSV and the rows of a picture.
        let whole = fs::read_to_string(&rows).unwrap();
        let begun: String = whole.split_inclusive('\n').take(if ending == "csv" { 3 } else { 1 }).collect();
        fs::write(&rows, &begun).unwrap();
        assert_refused(
            &resume(&two),
            &["expected rows of the model best of identity ", "found one of ", "4d8a1abd3f2c32fb; give another file"],
        );
        assert_eq!(fs::read_to_string(&rows).unwrap(), begun);
        assert_says(&resume(&one), 1, &["1 rows exist, 3 inputs are left"]);
        assert_eq!(fs::read_to_string(&rows).unwrap(), whole);
        // What the file is called does not tell: a copy goes on.
        let copy = folder.path().join("copy.safetensors");
        fs::copy(&one, &copy).unwrap();
        assert_says(&resume(&copy), 1, &["0 inputs are left"]);
    }
}

/// Whatever decides an answer, each by the part that the refusal names; and what decides none.
#[test]
fn rows_of_other_flags_are_not_mixed() {
    let folder = folder();
    let inputs = folder.path().join("in");
    pictures(&inputs, 4);
    let names = folder.path().join("names.txt");
    fs::write(&names, "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n").unwrap();
    let [network, prepared, meant] = ["the network (", "how pictures are prepared (", "what its outputs mean ("];
    for ending in ["jsonl", "csv"] {
        let rows = folder.path().join("rows").with_extension(ending);
        assert_says(&resume(&inputs, &rows).output().unwrap(), 1, &["0 rows exist, 4 inputs are left"]);
        // As if it had been ended: the header of CSV and the rows of a picture.
        let whole = fs::read_to_string(&rows).unwrap();
        let begun: String = whole.split_inclusive('\n').take(if ending == "csv" { 3 } else { 1 }).collect();
        fs::write(&rows, &begun).unwrap();
        for (flags, part) in [
            (&["--epsilon", "0.001"][..], network),
            (&["--no-final-relu"], network),
            (&["--preprocess", "cifar"], prepared),
            (&["--resize", "squash:nearest"], prepared),
            (&["--size", "48x48"], prepared),
            (&["--range", "0:4095"], prepared),
            (&["--range", "auto"], prepared),
            (&["--exif"], prepared),
            (&["--activation", "sigmoid"], meant),
            (&["--labels", names.to_str().unwrap()], meant),
        ] {
            let output = resume(&inputs, &rows).args(flags).output().unwrap();
            assert_refused(
                &output,
                &["rows.", "expected rows of the settings ", part, "give the flags that it was made with, or another file"],
            );
            assert!(stderr(&output).contains(flags[0]), "{}", stderr(&output));
            assert_eq!(fs::read_to_string(&rows).unwrap(), begun);
        }
        // The same answers by other ways; the remedy is the same flags.
        let again = resume(&inputs, &rows).args(["--activation", "softmax", "--truncated", "--size", "64x64"]).output().unwrap();
        assert_says(&again, 1, &["1 rows exist, 3 inputs are left"]);
        assert_eq!(fs::read_to_string(&rows).unwrap(), whole);
    }
    // Of earlier versions, which did not say it: goes on, and is said.
    let rows = folder.path().join("rows.jsonl");
    let whole = fs::read_to_string(&rows).unwrap();
    let settings = whole.split("\"settings\"").nth(1).unwrap().split(',').next().unwrap();
    fs::write(&rows, whole.replace(&format!("\"settings\"{settings},"), "")).unwrap();
    let output = resume(&inputs, &rows).output().unwrap();
    assert_says(&output, 1, &["rows.jsonl: 3 rows do not say with which flags they were made", "0 inputs are left"]);
}

#[test]
fn shards_are_disjoint_and_complete() {
    let folder = folder();
    pictures(&folder.path().join("in"), 20);
    let all: BTreeSet<String> = (0..20).map(|index| format!("in/{index:04}.png")).collect();
    let mut found = Vec::new();
    for index in 0..3 {
        let mut command = densenet();
        // The path is the same in every run of this test, and with it who is in which part.
        command.current_dir(&folder).args(["classify", "in", "--format", "json", "--shard", &format!("{index}/3")]);
        let output = command.args(CPU).output().unwrap();
        let shard = paths(&output);
        assert!(shard.is_sorted() && !shard.is_empty(), "{shard:?}");
        assert!(stderr(&output).contains(&format!("{} of 20 inputs are in this shard", shard.len())), "{}", stderr(&output));
        found.extend(shard);
    }
    assert_eq!(found.len(), 20, "{found:?}");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all);
    for wrong in ["3/3", "1", "0/0"] {
        assert_refused(&classify(&[&fixture("L.png"), "--shard", wrong]), &["expected i/n", "0/4"]);
    }
}

#[test]
fn a_shard_without_inputs_is_well() {
    let outputs = ["0/2", "1/2"].map(|shard| classify(&[&fixture("L.png"), "--format", "json", "--shard", shard]));
    let mut rows: Vec<usize> = outputs.iter().map(|output| json_lines(output).len()).collect();
    outputs.iter().for_each(|output| assert_says(output, 0, &["of 1 inputs are in this shard"]));
    rows.sort_unstable();
    assert_eq!(rows, [0, 1]);
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
    // Nobody writes to this pipe: the second picture never comes.
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
fn several_devices_keep_the_order_on_the_default_device() {
    let folder = folder();
    let expected = pictures(folder.path(), 40);
    let mut command = densenet();
    command.args(["classify", "--model", "digits", "--device", "0,cpu", "--batch", "1", "--format", "json", "--top-k", "1"]);
    let output = command.arg(folder.path()).output().unwrap();
    assert_says(&output, 1, &["1 of 40 inputs failed"]);
    assert_eq!(paths(&output), expected);
    // The two compute the same, but for last bits.
    let logits: BTreeSet<String> =
        json_lines(&output).iter().filter_map(|row| row["top"][0]["logit"].as_f64()).map(|logit| format!("{logit:.3}")).collect();
    assert_eq!(logits.len(), 1, "{logits:?}");

    for (devices, parts) in [
        ("cpu,cpu", ["--device cpu,cpu: expected each device once", "found cpu again"]),
        ("0,0", ["--device 0,0: expected each device once", " again"]),
        ("cpu,no such", ["no such", "There are"]),
    ] {
        let output = densenet().args(["classify", "--model", "digits", "--device", devices]).arg(fixture("L.png")).output().unwrap();
        assert_refused(&output, &parts);
    }
    let output = densenet().args(["bench", "--model", "digits", "--device", "0,cpu"]).output().unwrap();
    assert_refused(&output, &["expected one device, found 2"]);
}

#[cfg(unix)]
#[test]
fn after_control_c_files_hold_what_is_done() {
    let folder = folder();
    let (inputs, rows) = (folder.path().join("in"), folder.path().join("rows.jsonl"));
    pictures(&inputs, 30);
    // Nobody writes to this pipe, so that the run never ends by itself.
    assert!(Command::new("mkfifo").arg(inputs.join("9999.png")).status().unwrap().success());
    let interrupt =
        |child: &Child, signal: &str| assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());

    let pipe = inputs.join("9999.png");
    let mut command = resume(&inputs, &rows);
    let child = command.arg(&pipe).stderr(Stdio::piped()).spawn().unwrap();
    let _end = given_up_on(&child);
    until(|| lines(&rows) >= 30, "30 rows");
    interrupt(&child, "-INT");
    assert_says(&child.wait_with_output().unwrap(), 130, &["30 of 31 inputs have a row", "the same command continues"]);
    assert_eq!(lines(&rows), 30);

    let features = folder.path().join("features.npy");
    let mut command = densenet();
    command.arg("embed").args(CPU).args(["--batch", "1", "--output"]).arg(&features).arg(&inputs).arg(&pipe);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let _end = given_up_on(&child);
    // The third input is no picture, and told as soon as it is met.
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("0002.png") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0);
    }
    interrupt(&child, "-TERM");
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut said, &mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143), "{rest}");
    let rows = lines(&features.with_extension("jsonl"));
    assert!(rows >= 2 && rest.contains(&format!("{rows} of 31 inputs have a row")), "{rows} {rest}");
    assert_eq!(fs::metadata(&features).unwrap().len() % 4, 0);
}
