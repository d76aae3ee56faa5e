//! `classify --heatmap`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use densenet_wgpu::image::{Heatmap, Picture, View};
use densenet_wgpu::models;
use densenet_wgpu::verify::Reference;
use serde_json::Value;
use tempfile::TempDir;

use crate::infer::read_npy;
use crate::{CPU, ROOT, assert_refused, assert_says, classify, densenet, fixture, folder, json_lines, stderr, stdout};

struct Maps {
    folder: TempDir,
}

impl Maps {
    fn new() -> Self {
        Self { folder: folder() }
    }

    /// Where heatmaps go.
    fn target(&self) -> PathBuf {
        self.folder.path().join("new/maps")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        classify(&[&["--format", "json", "--heatmap", self.target().to_str().unwrap()], arguments].concat())
    }

    /// The names of all files, sorted.
    fn names(&self) -> Vec<String> {
        let files = fs::read_dir(self.target()).unwrap();
        let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// The CPU's map of a class of the bundled model, `[H, W]`, and what of the picture the network saw.
fn expected(path: &str, class: usize, size: Option<[usize; 2]>) -> ([u64; 2], Vec<f32>, View) {
    let mut model = models::bundled("digits").unwrap().unwrap();
    let own = model.complete_description(None).preprocessing;
    let preprocessing = size.map_or_else(|| own.clone(), |[height, width]| own.sized(height, width));
    let picture = Picture::open(path).unwrap();
    let input = preprocessing.apply(&picture).unwrap();
    let (graph, weights) = model.with_class_maps(input.height, input.width).unwrap();
    let shape = graph.shape(graph.outputs()[1]);
    let outputs = Reference::new(graph, weights).unwrap().run_all(&input.values, input.height, input.width).unwrap();
    let map = outputs[1][class * shape.pixels()..][..shape.pixels()].to_vec();
    ([shape.height as u64, shape.width as u64], map, preprocessing.view(picture.height(), picture.width()))
}

fn of(heatmap: &Value, key: &str) -> PathBuf {
    PathBuf::from(heatmap[key].as_str().unwrap())
}

#[test]
fn a_row_has_the_heatmap_of_its_first_class() {
    let maps = Maps::new();
    let [a, b] = [fixture("L.png"), fixture("source.png")];
    let output = maps.run(&[&a, &b]);
    assert_says(&output, 0, &[]);
    assert_eq!(stderr(&output), "");
    let model = models::bundled("digits").unwrap().unwrap();
    let bias = &model.weights.tensor("classifier.bias").unwrap().data;
    for (row, (path, stem)) in json_lines(&output).iter().zip([(a, "00000-L"), (b, "00001-source")]) {
        let [heatmap] = row["heatmaps"].as_array().unwrap().as_slice() else { panic!("{row}") };
        let class = row["top"][0]["index"].as_u64().unwrap() as usize;
        assert_eq!(heatmap["index"], class);
        assert_eq!(of(heatmap, "npy"), maps.target().join(format!("{stem}.{class}.npy")));
        assert_eq!(of(heatmap, "png"), maps.target().join(format!("{stem}.{class}.png")));

        let (shape, map, view) = expected(&path, class, None);
        assert_eq!(read_npy(&of(heatmap, "npy")), (shape.to_vec(), map.clone()));
        let mean = map.iter().map(|&value| f64::from(value)).sum::<f64>() / map.len() as f64;
        let logit = row["top"][0]["logit"].as_f64().unwrap();
        assert!((mean + f64::from(bias[class]) - logit).abs() < 1e-5, "{mean} {logit}");

        let caption =
            [format!("class {class}"), format!("{:.2} %  logit {logit:.4}", 100.0 * row["top"][0]["probability"].as_f64().unwrap())];
        let heatmap_of = Heatmap::new(shape[0] as usize, shape[1] as usize, map).unwrap();
        let figure = heatmap_of.figure(&Picture::open(&path).unwrap(), view, &caption).unwrap();
        assert!(Picture::open(of(heatmap, "png")).unwrap() == figure, "{path}");
    }
    assert_eq!(maps.names().len(), 4);
}

#[test]
fn a_larger_size_is_a_finer_map() {
    for (size, side) in [("64x64", 4), ("256x256", 16)] {
        let maps = Maps::new();
        let output = maps.run(&[&fixture("RGB.png"), "--size", size, "--heatmap-class", "3"]);
        assert_says(&output, 0, &[]);
        let heatmap = &json_lines(&output)[0]["heatmaps"][0];
        let (shape, map, _) = expected(&fixture("RGB.png"), 3, Some([16 * side, 16 * side]));
        assert_eq!(shape, [side as u64; 2]);
        assert_eq!(read_npy(&of(heatmap, "npy")), (shape.to_vec(), map));
    }
}

#[test]
fn any_classes_have_heatmaps() {
    let labels = "zero\none\ntwo\n\nfour\nfive\nsix\nseven\neight\nnine\n";
    let run = |classes: &[&str]| {
        let maps = Maps::new();
        let path = maps.folder.path().join("labels.txt");
        fs::write(&path, labels).unwrap();
        let picture = fixture("L.png");
        let mut arguments = vec![picture.as_str(), "--labels", path.to_str().unwrap()];
        arguments.extend(classes.iter().flat_map(|class| ["--heatmap-class", class]));
        let output = maps.run(&arguments);
        assert_says(&output, 0, &[]);
        let row = json_lines(&output).remove(0);
        let indices = row["heatmaps"].as_array().unwrap().iter().map(|map| map["index"].as_u64().unwrap()).collect::<Vec<_>>();
        assert_eq!(maps.names().len(), 2 * indices.len());
        (row["top"][0]["index"].as_u64().unwrap(), indices)
    };
    assert_eq!(run(&["Seven", "3", "7", "zero"]).1, [7, 3, 0]);
    assert_eq!(run(&["all"]).1, [0, 1, 2, 4, 5, 6, 7, 8, 9], "a hidden output is not among them");
    let (first, indices) = run(&["8", "top"]);
    assert!(indices == [8, first] || (first == 8 && indices == [8]));
}

/// The answers are those without heatmaps, and the maps those of the CPU.
#[test]
fn heatmaps_cost_no_answer_on_the_default_device() {
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/digits");
    let run = |arguments: &[&str]| {
        let output = densenet().args(["classify", "--model", "digits", "--format", "json", digits]).args(arguments).output().unwrap();
        assert_says(&output, 0, &[]);
        json_lines(&output)
    };
    for (precision, tolerance) in [("f32", 2e-5), ("f16", 2e-2)] {
        let maps = Maps::new();
        let rows = run(&["--precision", precision, "--batch", "7", "--heatmap", maps.target().to_str().unwrap()]);
        for (row, without) in rows.iter().zip(run(&["--precision", precision, "--batch", "7"])) {
            assert_eq!(row["top"], without["top"]);
            let heatmap = &row["heatmaps"][0];
            let class = heatmap["index"].as_u64().unwrap() as usize;
            let (shape, map, _) = expected(row["path"].as_str().unwrap(), class, None);
            let (found_shape, found) = read_npy(&of(heatmap, "npy"));
            assert_eq!(found_shape, shape);
            let largest = map.iter().fold(0_f32, |largest, value| largest.max(value.abs()));
            let off = map.iter().zip(&found).fold(0_f32, |off, (a, b)| off.max((a - b).abs()));
            assert!(off <= tolerance * largest, "{precision}, {}: {off} of {largest}", row["path"]);
        }
        assert_eq!(maps.names().len(), 80);
    }
}

/// Also pictures of many sizes, which share no batch, and one that is read again.
#[test]
fn pictures_of_any_size_have_heatmaps() {
    let maps = Maps::new();
    let preprocessing = maps.folder.path().join("uncropped.json");
    let uncropped = r#"{"activation":"softmax","channels":3,"crop":null,"mean":[0.5,0.4,0.3],"range":"min_max","resize":{"filter":"bilinear","mode":"short_side","size":40},"std":[0.5,0.5,0.5]}"#;
    fs::write(&preprocessing, uncropped).unwrap();
    let write = |name: &str, height: usize, width: usize| {
        let path = maps.folder.path().join(name);
        let content =
            [format!("P5 {width} {height} 255\n").into_bytes(), (0..height * width).map(|at| (at % 251) as u8).collect()].concat();
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let [tiny, wide, large] = [write("tiny.pgm", 8, 8), write("wide.pgm", 20, 90), write("large.pgm", 1030, 1100)];
    let output = maps.run(&[&tiny, &wide, &large, &tiny, "--preprocess", preprocessing.to_str().unwrap()]);
    assert_says(&output, 0, &[]);
    let sizes: Vec<(Vec<u64>, [usize; 2])> = json_lines(&output)
        .iter()
        .map(|row| {
            let png = Picture::open(of(&row["heatmaps"][0], "png")).unwrap();
            (read_npy(&of(&row["heatmaps"][0], "npy")).0, [png.height(), png.width()])
        })
        .collect();
    let maps: Vec<&[u64]> = sizes.iter().map(|(map, _)| map.as_slice()).collect();
    assert_eq!(maps, [[2, 2], [2, 11], [2, 2], [2, 2]]);
    assert_eq!(sizes[0].1[1], 256, "a picture of 8x8 pixels is shown 32 times as large");
    assert_eq!(sizes[1].1[1], 11 * 90);
    assert_eq!(sizes[2].1[1], 1100);
    assert_eq!(sizes[0], sizes[3]);
}

#[test]
fn what_fails_costs_nothing_else() {
    let maps = Maps::new();
    let good = fixture("L.png");
    let first = maps.run(&[&good, "--heatmap-class", "4"]);
    assert_says(&first, 0, &[]);
    let png = of(&json_lines(&first)[0]["heatmaps"][0], "png");
    fs::remove_file(&png).unwrap();
    fs::create_dir(&png).unwrap();
    let output = maps.run(&[&good, "no such.png", &good, "--heatmap-class", "4", "--heatmap-class", "5"]);
    let told = ["no heatmap of class 4", "expected a file to write, found a folder", "1 of 3 inputs failed", "1 of 3 inputs lack some"];
    assert_says(&output, 1, &told);
    let rows = json_lines(&output);
    let heatmaps =
        |row: usize| rows[row]["heatmaps"].as_array().map(|maps| maps.iter().map(|map| map["index"].clone()).collect::<Vec<_>>());
    assert_eq!([heatmaps(0), heatmaps(1), heatmaps(2)], [Some(vec![5.into()]), None, Some(vec![4.into(), 5.into()])]);
    assert_eq!(rows[0]["top"], rows[2]["top"]);
    assert!(rows[1]["error"].is_string());
}

#[test]
fn heatmaps_that_cannot_be_are_refused() {
    let maps = Maps::new();
    let good = fixture("L.png");
    assert_refused(&maps.run(&[&good, "--heatmap-class", "10"]), &["expected a class from 0 to 9, found 10"]);
    assert_refused(&maps.run(&[&good, "--heatmap-class", "seven"]), &["--heatmap-class seven", "a label of the model"]);
    assert_refused(&classify(&[&good, "--heatmap-class", "1"]), &["--heatmap"]);
    assert!(!maps.target().exists());
    let file = maps.folder.path().join("file");
    fs::write(&file, "").unwrap();
    let to = |folder: &Path| classify(&[&good, "--heatmap", folder.to_str().unwrap()]);
    assert_refused(&to(&file), &["--heatmap", "expected a folder to write to"]);
    assert_refused(&to(&file.join("below")), &["expected a folder to write to"]);

    let output = classify(&[&good, "--format", "json"]);
    assert!(!stdout(&output).contains("heatmaps"), "only where they are asked for");
    let mut model = models::bundled("digits").unwrap().unwrap();
    model.config.num_classes = None;
    (model.labels, model.thresholds) = (None, None);
    model.weights.remove("classifier.weight");
    model.weights.remove("classifier.bias");
    let path = maps.folder.path().join("headless.safetensors");
    model.save(&path).unwrap();
    let mut command = densenet();
    command.args(["classify", &good, "--device", CPU[3], "--heatmap"]).arg(maps.target()).arg("--model").arg(&path);
    assert_refused(&command.output().unwrap(), &["expected a model with a classifier"]);
}

/// As docs/heatmaps.md says it was made; the processor's numbers may round to another shade.
#[test]
fn the_heatmap_in_the_readme_is_this_programs() {
    let maps = Maps::new();
    let root = Path::new(ROOT);
    assert_says(&maps.run(&[root.join("examples/digits/7-1459-64.png").to_str().unwrap()]), 0, &[]);
    let [shown, made] =
        [root.join("docs/heatmap.png"), maps.target().join("00000-7-1459-64.7.png")].map(|path| Picture::open(path).unwrap());
    assert_eq!([shown.height(), shown.width()], [made.height(), made.width()]);
    assert!(shown.samples().iter().zip(made.samples()).all(|(a, b)| a.abs_diff(*b) <= 2));
}
