//! `embed`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use densenet_wgpu::image::Picture;
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Checkpoint, models};
use serde_json::Value;
use tempfile::TempDir;

use crate::infer::read_npy;
use crate::{CPU, assert_refused, assert_says, densenet, draw, fixture, folder, stdout};

struct Embed {
    folder: TempDir,
}

impl Embed {
    fn new() -> Self {
        Self { folder: folder() }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("features.npy")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        densenet().arg("embed").args(CPU).arg("--output").arg(self.output()).args(arguments).output().unwrap()
    }

    /// The paths beside the features.
    fn paths(&self) -> Vec<String> {
        let lines = fs::read_to_string(self.output().with_extension("jsonl")).unwrap();
        let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(rows.iter().enumerate().all(|(at, row)| row["row"] == at && row["identity"].is_string()), "{lines}");
        rows.iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect()
    }
}

/// What the CPU makes of a picture before the classifier.
fn features(model: &Checkpoint, path: &str, size: Option<[usize; 2]>) -> Vec<f32> {
    let mut preprocessing = model.clone().complete_description(None).preprocessing;
    if let Some([height, width]) = size {
        preprocessing = preprocessing.sized(height, width);
    }
    let input = preprocessing.apply(&Picture::open(path).unwrap()).unwrap();
    let graph = model.graph(input.height, input.width).unwrap();
    let pool = graph.find("global_pool").unwrap();
    Reference::new(graph, model.weights.clone()).unwrap().run_to(&input.values, input.height, input.width, pool).unwrap()
}

#[test]
fn features_are_the_pooled_ones_and_failures_have_no_row() {
    let embed = Embed::new();
    let model = models::bundled("digits").unwrap().unwrap();
    let empty = embed.folder.path().join("empty.png");
    fs::write(&empty, "").unwrap();
    let [a, b] = [fixture("L.png"), fixture("RGB.png")];
    let output = embed.run(&[&a, empty.to_str().unwrap(), &b, "no such.png", &a, "--batch", "2"]);
    assert_says(&output, 1, &["empty.png: the file is empty", "no such.png: cannot be opened", "2 of 5 inputs failed", "npy: [3, 50]"]);
    assert_eq!(stdout(&output), "");
    assert_eq!(embed.paths(), [&a, &b, &a].map(String::as_str));
    let expected = [&a, &b, &a].map(|path| features(&model, path, None)).concat();
    assert_eq!(read_npy(&embed.output()), (vec![3, 50], expected));

    assert_says(&embed.run(&[&b, "--size", "96x80"]), 0, &[]);
    assert_eq!(read_npy(&embed.output()), (vec![1, 50], features(&model, &b, Some([96, 80]))));
    assert_eq!(fs::read_dir(embed.folder.path()).unwrap().count(), 3, "nothing but the input and two outputs");
}

#[test]
fn features_are_the_same_on_the_default_device() {
    let embed = Embed::new();
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/digits");
    assert_says(&embed.run(&[digits]), 0, &["[40, 50]"]);
    let (shape, expected) = read_npy(&embed.output());
    for (precision, tolerance) in [("f32", 2e-5), ("f16", 2e-2)] {
        let mut command = densenet();
        command.args(["embed", digits, "--model", "digits", "--batch", "7", "--precision", precision, "--output"]).arg(embed.output());
        assert_says(&command.output().unwrap(), 0, &[]);
        let (found_shape, found) = read_npy(&embed.output());
        assert_eq!(found_shape, shape);
        let largest = expected.iter().fold(0_f32, |largest, value| largest.max(value.abs()));
        let off = expected.iter().zip(&found).fold(0_f32, |off, (a, b)| off.max((a - b).abs()));
        assert!(off <= tolerance * largest, "{precision}: {off} of {largest}");
    }
}

#[test]
fn a_model_that_ends_in_features_has_them() {
    let embed = Embed::new();
    let mut model = models::bundled("digits").unwrap().unwrap();
    let expected = features(&model, &fixture("L.png"), None);
    model.config.num_classes = None;
    (model.labels, model.thresholds) = (None, None);
    model.weights.remove("classifier.weight");
    model.weights.remove("classifier.bias");
    let path = embed.folder.path().join("headless.safetensors");
    model.save(&path).unwrap();
    let mut command = densenet();
    command.args(["embed", &fixture("L.png"), "--device", "cpu", "--model"]).arg(&path).arg("--output").arg(embed.output());
    assert_says(&command.output().unwrap(), 0, &[]);
    assert_eq!(read_npy(&embed.output()), (vec![1, 50], expected));
}

#[test]
#[cfg(unix)]
fn a_path_stays_on_its_line() {
    let embed = Embed::new();
    let path = embed.folder.path().join("two\nlines \"quoted\".png");
    draw(&path);
    assert_says(&embed.run(&[path.to_str().unwrap()]), 0, &[]);
    assert_eq!(embed.paths(), [path.to_str().unwrap()]);
}

#[test]
fn embed_refuses_what_it_cannot_begin() {
    let embed = Embed::new();
    let to = |output: &Path| {
        let output = densenet().args(["embed", &fixture("L.png")]).args(CPU).arg("--output").arg(output).output().unwrap();
        assert_eq!(stdout(&output), "");
        output
    };
    assert_refused(&to(&embed.folder.path().join("none/out.npy")), &["none/out.npy", "make it first"]);
    assert_refused(&to(embed.folder.path()), &["expected a file to write, found a folder"]);
    assert_refused(&to(&embed.folder.path().join("out.jsonl")), &["expected an ending other than .jsonl"]);
    // What a shell makes of `--output *.png`.
    let picture = embed.folder.path().join("picture.png");
    fs::copy(fixture("L.png"), &picture).unwrap();
    assert_refused(&to(&picture), &["picture.png", "expected a new name or a .npy file to replace"]);
    assert_eq!(fs::read(&picture).unwrap(), fs::read(fixture("L.png")).unwrap());
    // What `classify --resume` wrote; no flag names it.
    let rows = embed.folder.path().join("photos.jsonl");
    fs::write(&rows, "{\"path\":\"a.png\",\"error\":\"x\"}\n").unwrap();
    assert_refused(&to(&embed.folder.path().join("photos.npy")), &["photos.jsonl", "give --output another name"]);
    assert!(fs::read_to_string(&rows).unwrap().contains("a.png"));
    assert!(!embed.folder.path().join("photos.npy").exists());
    #[cfg(unix)]
    assert_refused(&to(Path::new("/dev/null")), &["expected a file to write, found a device or pipe"]);
    assert_refused(&embed.run(&[]), &["PATH"]);
}

#[test]
fn where_no_input_has_features_what_was_there_stays() {
    let embed = Embed::new();
    let failing = || assert_says(&embed.run(&["no such.png"]), 1, &["1 of 1 inputs failed", "features.npy: no input has a row"]);
    failing();
    assert_eq!(fs::read_dir(embed.folder.path()).unwrap().count(), 0);
    assert_says(&embed.run(&[&fixture("L.png")]), 0, &[]);
    let before = read_npy(&embed.output());
    failing();
    assert_eq!((read_npy(&embed.output()), embed.paths().len()), (before, 1));
}

#[test]
fn a_shard_without_inputs_has_an_array_without_rows() {
    let embed = Embed::new();
    let mut counts = ["0/2", "1/2"].map(|shard| {
        assert_says(&embed.run(&[&fixture("L.png"), "--shard", shard]), 0, &[]);
        read_npy(&embed.output()).0
    });
    counts.sort_unstable();
    assert_eq!(counts, [[0, 50], [1, 50]]);
}
