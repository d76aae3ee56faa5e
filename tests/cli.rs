//! The real binary: exit statuses, standard output and error, what bad input gets.
//!
//! Networks run on `--device cpu`, so that these tests say the same on any machine; those that use the default device
//! say so in their names.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use densenet_wgpu::weights::Checkpoint;
use densenet_wgpu::{Config, Reference, models};
use serde_json::Value;
use tempfile::TempDir;

const CPU: [&str; 4] = ["--model", "digits", "--device", "cpu"];

fn densenet() -> Command {
    Command::new(env!("CARGO_BIN_EXE_densenet"))
}

fn classify(arguments: &[&str]) -> Output {
    densenet().arg("classify").args(CPU).args(arguments).output().unwrap()
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pillow").join(name);
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

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
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

// classify: rows

#[test]
fn json_has_a_row_for_each_picture_in_order() {
    let [b, a] = [fixture("RGBA.png"), fixture("1.png")];
    let output = classify(&[&b, &a, "--format", "json"]);
    assert_says(&output, 0, &[]);
    assert_eq!(stderr(&output), "");
    assert_eq!(paths(&output), [b, a]);
    for row in json_lines(&output) {
        assert_eq!(row["model"], "digits");
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
    assert_eq!(lines[0], "path,rank,index,label,probability,logit,error");
    let quoted = format!("\"{}\"", path.to_str().unwrap().replace('"', "\"\""));
    for (rank, line) in [(1, lines[1]), (2, lines[2])] {
        let rest = line.strip_prefix(&format!("{quoted},{rank},")).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(rest.split(',').count(), 5, "{line}");
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
fn another_size_is_another_answer() {
    let [own, larger] = ["64x64", "96x80"].map(|size| classify(&[&fixture("RGB.png"), "--format", "json", "--size", size]));
    assert_eq!(stdout(&own), stdout(&classify(&[&fixture("RGB.png"), "--format", "json"])));
    assert_says(&larger, 0, &[]);
    assert_ne!(stdout(&own), stdout(&larger));
    assert_refused(&classify(&[&fixture("RGB.png"), "--size", "8x8"]), &["features.", "3x8x8", "too small"]);
    assert_refused(&classify(&[&fixture("RGB.png"), "--size", "eight"]), &["as in 224x224"]);
}

#[test]
fn the_bundled_model_reads_the_bundled_digits_on_the_default_device() {
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits");
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

// classify: inputs

#[test]
fn folders_are_sorted_by_bytes_and_skip_what_is_no_picture() {
    let folder = folder();
    for name in ["b/a.png", "b-.png", "a.png", "B.png", "b/c/no extension"] {
        draw(folder.path().join(name));
    }
    fs::write(folder.path().join("notes.txt"), "not a picture").unwrap();
    fs::write(folder.path().join("b/cut.png"), &fs::read(fixture("L.png")).unwrap()[..60]).unwrap();
    let output = classify(&[folder.path().to_str().unwrap(), "--format", "json"]);
    assert_says(&output, 1, &["skipped 1 file that is no picture", "1 of 6 inputs failed"]);
    let expected = ["B.png", "a.png", "b-.png", "b/a.png", "b/c/no extension", "b/cut.png"];
    assert_eq!(paths(&output), expected.map(|name| folder.path().join(name).to_str().unwrap().to_owned()));
    assert!(json_lines(&output)[5]["error"].as_str().unwrap().contains("damaged or cut off"));
}

#[cfg(unix)]
#[test]
fn a_symlink_loop_ends() {
    let folder = folder();
    draw(folder.path().join("inner/a.png"));
    std::os::unix::fs::symlink(folder.path(), folder.path().join("inner/loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.png")).unwrap();
    let output = classify(&[folder.path().to_str().unwrap(), "--format", "json"]);
    assert_says(&output, 0, &["skipped 1 file"]);
    assert_eq!(paths(&output), [folder.path().join("inner/a.png").to_str().unwrap()]);
}

#[test]
fn a_folder_without_pictures_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("notes.txt"), "not a picture").unwrap();
    let path = folder.path().to_str().unwrap();
    assert_refused(&classify(&[path]), &["nothing to classify: no picture in", path]);
    assert_refused(&classify(&[&format!("{path}/*.png")]), &["nothing to classify: no picture matches"]);
    let output = classify(&[path, &fixture("L.png"), "--format", "json"]);
    assert_says(&output, 0, &["warning: no picture in"]);
    assert_eq!(paths(&output), [fixture("L.png")]);
    let output = classify(&[&format!("{path}/*.png"), &fixture("L.png"), "--format", "json"]);
    assert_says(&output, 1, &["1 of 2 inputs failed"]);
}

#[test]
fn patterns_the_shell_left_are_expanded() {
    let folder = folder();
    for name in ["b.png", "a.png", "[ab].png", "sub/c.png"] {
        draw(folder.path().join(name));
    }
    let paths_of = |pattern: &str| paths(&classify(&[folder.path().join(pattern).to_str().unwrap(), "--format", "json"]));
    let full = |names: &[&str]| -> Vec<String> { names.iter().map(|name| folder.path().join(name).to_str().unwrap().to_owned()).collect() };
    assert_eq!(paths_of("?.png"), full(&["a.png", "b.png"]));
    assert_eq!(paths_of("[ab].png"), full(&["[ab].png"]), "a path that exists wins");
    assert_eq!(paths_of("**/c.png"), full(&["sub/c.png"]));
}

#[test]
fn a_list_of_paths_comes_on_standard_input() {
    let list = format!("{}\n\nno such\n{}\r\n", fixture("RGB.png"), fixture("L.png"));
    let run = |arguments: &[&str], list: &str| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_densenet"));
        command.arg("classify").args(CPU).args(arguments).write_stdin(list).output().unwrap()
    };
    let output = run(&["-", &fixture("P.png"), "--format", "json"], &list);
    assert_says(&output, 1, &["1 of 4 inputs failed"]);
    assert_eq!(paths(&output), [fixture("RGB.png"), "no such".into(), fixture("L.png"), fixture("P.png")]);
    assert_refused(&run(&["-"], "\n"), &["standard input listed no path"]);
    assert_refused(&run(&["-", "-"], ""), &["`-` is given twice"]);
}

// Streams

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let pictures = vec![fixture("RGB.png"); 200];
    let mut child = densenet();
    child.arg("classify").args(CPU).args(&pictures).args(["--batch", "1", "--format", "json"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_says(&output, 0, &[]);
    assert_eq!(stderr(&output), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = densenet().arg("classify").args(CPU).arg(fixture("L.png")).stdout(full).output().unwrap();
    assert_says(&output, 1, &["error: standard output: No space left on device"]);
}

#[cfg(unix)]
#[test]
fn control_c_is_status_130_and_finished_rows_are_there() {
    use std::io::{BufRead, BufReader};
    let folder = folder();
    // Nobody writes to this pipe, so that the second picture never comes.
    let pipe = folder.path().join("pipe.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = densenet();
    command.arg("classify").args(CPU).arg(fixture("L.png")).arg(&pipe).args(["--format", "json", "--batch", "1"]);
    let mut child = command.env("RAYON_NUM_THREADS", "1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut row = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut row).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&row).unwrap()["path"], fixture("L.png"));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_says(&output, 130, &[]);
    assert_eq!(stderr(&output), "");
}

// Models and devices

#[test]
fn no_model_names_the_bundled_one() {
    assert_refused(&densenet().args(["classify", &fixture("L.png")]).output().unwrap(), &["--model", "digits"]);
}

#[test]
fn an_unknown_model_gets_a_suggestion() {
    let run = |model: &str| densenet().args(["classify", &fixture("L.png"), "--model", model]).output().unwrap();
    assert_refused(&run("digit"), &["no model or file is called \"digit\"", "did you mean digits?", "safetensors"]);
    assert_refused(&run("densenet121"), &["densenet121 is not bundled", "digits"]);
    assert_refused(&run("weights/none.safetensors"), &["weights/none.safetensors: No such file"]);
    assert_refused(&run(env!("CARGO_MANIFEST_DIR")), &["expected a checkpoint file", "found a folder"]);
}

/// A checkpoint in which one tensor contradicts the others.
fn misshaped() -> Vec<u8> {
    use safetensors::tensor::{Dtype, TensorView};
    let model = models::bundled("digits").unwrap().unwrap();
    let contradicts = |name: &str| name == "features.denseblock2.denselayer1.norm1.bias";
    let tensors: Vec<(&str, Vec<usize>, Vec<u8>)> = model
        .weights
        .iter()
        .map(|(name, tensor)| {
            let elements = tensor.data.len() - usize::from(contradicts(name));
            let shape = if contradicts(name) { vec![elements] } else { tensor.shape.clone() };
            (name, shape, bytes(&tensor.data[..elements]))
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, data)| (*name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn a_bad_checkpoint_is_refused_by_name() {
    let folder = folder();
    let path = folder.path().join("bad.safetensors");
    let good = models::bundled("digits").unwrap().unwrap().to_bytes().unwrap();
    let nan = [&good[..good.len() - 4], &f32::NAN.to_le_bytes()].concat();
    for (bytes, parts) in [
        (&good[..good.len() / 2], &["bad.safetensors"][..]),
        (&good[..4], &["bad.safetensors"]),
        (b"", &["bad.safetensors", "empty"]),
        (b"PK\x03\x04 an archive of PyTorch", &["bad.safetensors", "torch.save"]),
        (&nan, &["checkpoint tensor", "finite", "NaN"]),
        (&misshaped(), &["features.denseblock2.denselayer1.norm1.bias", "[20]", "[19]"]),
    ] {
        fs::write(&path, bytes).unwrap();
        let output = densenet().args(["classify", &fixture("L.png"), "--device", "cpu", "--model"]).arg(&path).output().unwrap();
        assert_refused(&output, parts);
    }
}

#[test]
fn precision_and_device_are_checked() {
    assert_refused(&classify(&[&fixture("L.png"), "--precision", "f16"]), &["f16 is not in this version"]);
    assert_refused(&classify(&[&fixture("L.png"), "--precision", "f8"]), &["f32"]);
    let output = densenet().args(["classify", &fixture("L.png"), "--model", "digits", "--device", "no such device"]).output().unwrap();
    assert_refused(&output, &["error: "]);
    for adapter in densenet_wgpu::Gpu::adapters() {
        assert!(stderr(&output).contains(&adapter.name), "{}", stderr(&output));
    }
}

#[test]
fn devices_lists_what_there_is() {
    let output = densenet().args(["devices", "--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let devices = report["devices"].as_array().unwrap();
    if devices.is_empty() {
        assert_says(&output, 2, &["no GPU adapter was found", "apt-get install mesa-vulkan-drivers"]);
        return;
    }
    assert_says(&output, 0, &[]);
    let text = stdout(&densenet().arg("devices").output().unwrap());
    for device in devices {
        for key in ["name", "backend", "kind"] {
            assert!(text.contains(device[key].as_str().unwrap()), "{text}");
        }
    }
}

// infer

/// Writes a `.npy` file as NumPy would.
fn write_npy(path: &Path, descr: &str, fortran: bool, shape: &[usize], data: &[u8]) {
    let order = if fortran { "True" } else { "False" };
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({}), }}", shape.trim_end_matches(' '));
    header += &" ".repeat(63 - (10 + header.len()) % 64);
    header.push('\n');
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    fs::write(path, [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()).unwrap();
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn ramp(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.37).sin()).collect()
}

fn read_npy(path: &Path) -> (Vec<u64>, Vec<f32>) {
    let content = fs::read(path).unwrap();
    let npy = npyz::NpyFile::new(&content[..]).unwrap();
    (npy.shape().to_vec(), npy.into_vec().unwrap())
}

struct Infer {
    folder: TempDir,
}

impl Infer {
    fn new() -> Self {
        Self { folder: folder() }
    }

    fn input(&self) -> PathBuf {
        self.folder.path().join("in.npy")
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out.npy")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = densenet();
        command.arg("infer").arg(self.input()).args(CPU).arg("--output").arg(self.output());
        command.args(arguments).output().unwrap()
    }
}

#[test]
fn infer_is_the_network_and_nothing_else() {
    let infer = Infer::new();
    let [count, height, width] = [3, 37, 41];
    let input = ramp(count * 3 * height * width);
    write_npy(&infer.input(), "<f4", false, &[count, 3, height, width], &bytes(&input));
    let output = infer.run(&["--batch", "2"]);
    assert_says(&output, 0, &["out.npy: [3, 10]"]);
    assert_eq!(stdout(&output), "");
    let model = models::bundled("digits").unwrap().unwrap();
    let graph = model.graph(height, width).unwrap();
    let reference = Reference::new(graph.clone(), model.weights).unwrap();
    assert_eq!(read_npy(&infer.output()), (vec![3, 10], reference.run(&input, height, width).unwrap()));

    for layer in ["features.denseblock1.denselayer2.conv1", "features.transition1.conv", "features.norm5"] {
        assert_says(&infer.run(&["--layer", layer]), 0, &[]);
        let value = graph.find(layer).unwrap();
        let shape = graph.shape(value);
        let expected = vec![count as u64, shape.channels as u64, shape.height as u64, shape.width as u64];
        assert_eq!(read_npy(&infer.output()), (expected, reference.run_to(&input, height, width, value).unwrap()), "{layer}");
    }
    let left = fs::read_dir(infer.folder.path()).unwrap().count();
    assert_eq!(left, 2, "nothing but input and output");
}

#[test]
fn infer_computes_the_same_on_the_default_device() {
    let infer = Infer::new();
    let [count, height, width] = [3, 47, 35];
    write_npy(&infer.input(), "<f4", false, &[count, 3, height, width], &bytes(&ramp(count * 3 * height * width)));
    let gpu_output = infer.folder.path().join("gpu.npy");
    for arguments in [&["--batch", "2"][..], &["--no-fusion"], &["--layer", "features.denseblock1.denselayer2.conv1"]] {
        assert_says(&infer.run(arguments), 0, &[]);
        let mut command = densenet();
        command.arg("infer").arg(infer.input()).args(["--model", "digits", "--output"]).arg(&gpu_output);
        assert_says(&command.args(arguments).output().unwrap(), 0, &[]);
        let [(shape, expected), (gpu_shape, found)] = [infer.output(), gpu_output.clone()].map(|path| read_npy(&path));
        assert_eq!(shape, gpu_shape);
        for (expected, found) in expected.chunks_exact(expected.len() / count).zip(found.chunks_exact(found.len() / count)) {
            let largest = expected.iter().fold(0_f32, |largest, value| largest.max(value.abs()));
            let off = expected.iter().zip(found).fold(0_f32, |off, (a, b)| off.max((a - b).abs()));
            assert!(off <= 2e-5 * largest, "{arguments:?}: {off} of {largest}");
        }
    }
}

#[test]
fn infer_says_what_is_wrong_with_an_array() {
    let infer = Infer::new();
    let image = [1, 3, 32, 32];
    let good = bytes(&ramp(3 * 32 * 32));
    let mut nan = ramp(3 * 32 * 32);
    nan[32 * 32 + 5 * 32 + 7] = f32::NAN;
    let cases: [(&str, bool, &[usize], &[u8], &[&str]); 9] = [
        ("<f8", false, &image, &[0; 8 * 3 * 32 * 32], &["expected float32", "found float64", "astype('float32')"]),
        ("|u1", false, &image, &[0; 3 * 32 * 32], &["found uint8"]),
        ("<i4", false, &image, &good, &["found", "<i4"]),
        ("<f4", false, &[3, 32, 32], &good, &["expected 4 dimensions [N, C, H, W], found 3 [3, 32, 32]", "array[None]"]),
        ("<f4", true, &image, &good, &["found Fortran order", "ascontiguousarray"]),
        ("<f4", false, &[3, 1, 32, 32], &good, &["expected 3 channels", "found 1"]),
        ("<f4", false, &image, &bytes(&nan), &["expected finite values, found NaN at [0, 1, 5, 7]"]),
        ("<f4", false, &[100, 3, 32, 32], &good, &["it was cut off"]),
        ("<f4", false, &[64, 3, 4, 4], &good, &["too small", "3x4x4"]),
    ];
    for (descr, fortran, shape, data, parts) in cases {
        write_npy(&infer.input(), descr, fortran, shape, data);
        let output = infer.run(&[]);
        assert_says(&output, 1, parts);
        assert!(stderr(&output).contains("in.npy: "), "{}", stderr(&output));
        assert!(!infer.output().exists());
    }
    fs::write(infer.input(), "not an array").unwrap();
    assert_says(&infer.run(&[]), 1, &["expected a .npy file"]);
    fs::remove_file(infer.input()).unwrap();
    assert_says(&infer.run(&[]), 1, &["in.npy: cannot be opened"]);
}

#[test]
fn infer_refuses_what_it_cannot_begin() {
    let infer = Infer::new();
    write_npy(&infer.input(), "<f4", false, &[1, 3, 32, 32], &bytes(&ramp(3 * 32 * 32)));
    assert_refused(&infer.run(&["--layer", "features.denseblok1"]), &["no layer is called", "did you mean \"features.denseblock1\""]);
    let mut command = densenet();
    command.arg("infer").arg(infer.input()).args(CPU).arg("--output").arg(infer.folder.path().join("none/out.npy"));
    assert_refused(&command.output().unwrap(), &["none/out.npy"]);
    let mut command = densenet();
    command.arg("infer").arg(infer.input()).args(CPU).arg("--output").arg(infer.folder.path());
    assert_refused(&command.output().unwrap(), &["expected a file to write"]);
}

// init, plan, completions, help

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
fn plan_prints_without_a_device() {
    let run = |arguments: &[&str]| densenet().arg("plan").args(arguments).output().unwrap();
    let fused = run(&["--arch", "densenet121", "--batch", "2"]);
    assert_says(&fused, 0, &[]);
    assert!(stdout(&fused).contains("features.denseblock4.denselayer16.conv2"), "{}", stdout(&fused));
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
    for command in ["classify", "infer", "init", "plan", "devices", "completions"] {
        let output = densenet().args([command, "--help"]).output().unwrap();
        assert_says(&output, 0, &[]);
        assert!(stdout(&output).contains("Example"), "{command}");
    }
    assert_refused(&densenet().output().unwrap(), &["Usage"]);
    assert_refused(&densenet().args(["classify", "--model", "digits"]).output().unwrap(), &["PATH"]);
    assert_refused(&densenet().args(["clasify"]).output().unwrap(), &["classify"]);
}
