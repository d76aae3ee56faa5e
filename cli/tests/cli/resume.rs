//! Runs that end early and go on: their rows are neither lost nor doubled nor mixed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use densenet_wgpu::{Checkpoint, models};

use crate::bulk::pictures;
use crate::{CPU, assert_refused, assert_says, densenet, folder, given_up_on, stderr, stdout, until};

/// `classify` with `--resume`.
fn resume(inputs: &Path, rows: &Path) -> Command {
    let mut command = densenet();
    command.arg("classify").args(CPU).args(["--top-k", "2", "--batch", "1", "--resume"]).arg(rows).arg(inputs);
    command
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_goes_on_with_no_row_lost_or_doubled() {
    // Nothing writes to this pipe, so that no run ends before it is killed.
    let pipes = folder();
    let pipe = pipes.path().join("pipe.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (ending, all) in [("jsonl", 60), ("csv", 1 + 59 * 2 + 1)] {
        let folder = folder();
        let (inputs, rows) = (folder.path().join("in"), folder.path().join("rows").with_extension(ending));
        let count = pictures(&inputs, 60).len();
        for _ in 0..3 {
            let mut child = resume(&inputs, &rows).arg(&pipe).stderr(Stdio::null()).spawn().unwrap();
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
        // With nothing left to do, the status is that of a run that was never killed.
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

/// Applies the remedy that the message names.
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
        // As if the run had been stopped: the header of CSV and the rows of one picture.
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
        // The checkpoint's file name does not matter: a copy resumes.
        let copy = folder.path().join("copy.safetensors");
        fs::copy(&one, &copy).unwrap();
        assert_says(&resume(&copy), 1, &["0 inputs are left"]);
    }
}

/// Flags that change an answer, with the part that the refusal names, and flags that do not.
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
        // As if the run had been stopped: the header of CSV and the rows of one picture.
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
        // Other flags for the same answers are accepted.
        let again = resume(&inputs, &rows).args(["--activation", "softmax", "--truncated", "--size", "64x64"]).output().unwrap();
        assert_says(&again, 1, &["1 rows exist, 3 inputs are left"]);
        assert_eq!(fs::read_to_string(&rows).unwrap(), whole);
    }
    // Rows of earlier versions do not state their flags: the run resumes with a warning.
    let rows = folder.path().join("rows.jsonl");
    let whole = fs::read_to_string(&rows).unwrap();
    let settings = whole.split("\"settings\"").nth(1).unwrap().split(',').next().unwrap();
    fs::write(&rows, whole.replace(&format!("\"settings\"{settings},"), "")).unwrap();
    let output = resume(&inputs, &rows).output().unwrap();
    assert_says(&output, 1, &["rows.jsonl: 3 rows do not say with which flags they were made", "0 inputs are left"]);
}

#[cfg(unix)]
#[test]
fn after_control_c_files_hold_what_is_done() {
    let folder = folder();
    let (inputs, rows) = (folder.path().join("in"), folder.path().join("rows.jsonl"));
    pictures(&inputs, 30);
    // Nothing writes to this pipe, so that the run never ends by itself.
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
    // The third input is not a picture, and is reported when it is read.
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
