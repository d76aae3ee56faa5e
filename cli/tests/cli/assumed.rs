//! What a checkpoint does not state: assumed and reported, or left open; never guessed silently.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Output;

use densenet_wgpu::{Checkpoint, Config};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use crate::checkpoint_files::{self, cases, content};
use crate::{assert_refused, assert_says, bytes, densenet, fixture, folder, json_lines, stderr, stdout};

/// The file of the fixture of that name, at a place of its own.
pub(crate) fn checkpoint(folder: &Path, name: &str) -> PathBuf {
    let case = cases("cases").into_iter().find(|case| case["file"] == name).unwrap_or_else(|| panic!("no case {name}"));
    let path = folder.join(name);
    fs::write(&path, content(&case)).unwrap();
    path
}

/// The file of the fixture of that name, whose state dict lies beside other `entries`, as a trainer writes them: keys and values
/// of a pickle.
pub(crate) fn trained(folder: &Path, name: &str, entries: &[u8]) -> PathBuf {
    let case = cases("cases").into_iter().find(|case| case["file"] == name).unwrap_or_else(|| panic!("no case {name}"));
    let mut from = zip::ZipArchive::new(Cursor::new(content(&case))).unwrap();
    let path = folder.join("trained.pth");
    let mut to = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for index in 0..from.len() {
        let mut entry = from.by_index(index).unwrap();
        let mut bytes = Vec::new();
        let name = entry.name().unwrap().into_owned();
        entry.read_to_end(&mut bytes).unwrap();
        if name.ends_with("data.pkl") {
            let dictionary = bytes.strip_prefix(b"\x80\x02").unwrap().strip_suffix(b".").unwrap();
            bytes = [b"\x80\x02}(Vstate_dict\n", dictionary, entries, b"u."].concat();
        }
        to.start_file(name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored)).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap();
    path
}

/// A network with this many outputs; its file states nothing but its name.
pub(crate) fn of_outputs(folder: &Path, classes: usize) -> PathBuf {
    let path = folder.join("mine.safetensors");
    Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(classes)), 1).unwrap().with_name("mine").save(&path).unwrap();
    path
}

pub(crate) fn classify(model: &Path, arguments: &[&str]) -> Output {
    let mut command = densenet();
    command.args(["classify", &fixture("L.png"), "--device", "cpu", "--size", "64x64", "--model"]).arg(model).args(arguments);
    command.output().unwrap()
}

pub(crate) fn row(model: &Path, arguments: &[&str]) -> Value {
    let output = classify(model, &[&["--format", "json", "--top-k", "1000"], arguments].concat());
    assert_says(&output, 0, &[]);
    json_lines(&output).swap_remove(0)
}

pub(crate) fn report(model: &Path, arguments: &[&str]) -> Value {
    let output = densenet().arg("inspect").arg(model).args(["--format", "json"]).args(arguments).output().unwrap();
    assert_says(&output, 0, &[]);
    json_lines(&output).swap_remove(0)
}

fn convert(model: &Path, to: &Path, arguments: &[&str]) {
    assert_says(&densenet().arg("convert").args([model, to]).args(arguments).output().unwrap(), 0, &[]);
}

#[test]
fn rows_say_what_of_them_was_assumed() {
    let folder = folder();
    let path = checkpoint(folder.path(), "torchvision.pth");
    let output = classify(&path, &["--format", "json"]);
    let lines: Vec<String> = stderr(&output).lines().filter(|line| line.starts_with("torchvision: ")).map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "torchvision: preprocessing: the preset torchvision is assumed; the file does not say how pictures are prepared (--preprocess PRESET|FILE)",
            "torchvision: activation: softmax is assumed; weights alone do not tell it (--activation softmax|sigmoid|none)",
            "torchvision: labels: open; nothing names the model's 5 classes (--labels FILE)",
        ]
    );
    assert_eq!(json_lines(&output)[0]["assumed"], json!(["activation", "preprocessing"]));
    let sum = |row: &Value| row["top"].as_array().unwrap().iter().map(|class| class["probability"].as_f64().unwrap()).sum::<f64>();
    assert!((sum(&row(&path, &[])) - 1.0).abs() < 1e-6);

    let csv = classify(&path, &["--format", "csv", "--top-k", "1"]);
    let text = stdout(&csv);
    let lines: Vec<&str> = text.lines().collect();
    let column = lines[0].split(',').position(|name| name == "assumed").unwrap();
    assert_eq!(lines[1].split(',').nth(column), Some("activation preprocessing"));

    // Each flag settles what the message names it for.
    let sigmoid = row(&path, &["--activation", "sigmoid"]);
    assert_eq!(sigmoid["assumed"], json!(["preprocessing"]));
    for class in sigmoid["top"].as_array().unwrap() {
        let expected = 1.0 / (1.0 + (-class["logit"].as_f64().unwrap()).exp());
        assert!((class["probability"].as_f64().unwrap() - expected).abs() < 1e-6, "{class}");
    }
    assert_eq!(row(&path, &["--activation", "none"])["top"][0]["probability"], Value::Null);
    let names = folder.path().join("names.txt");
    fs::write(&names, "a\nb\nc\nd\ne\n").unwrap();
    let settled = classify(&path, &["--preprocess", "torchvision", "--labels", names.to_str().unwrap(), "--format", "json"]);
    assert!(!stderr(&settled).contains("torchvision: "), "{}", stderr(&settled));
    assert_eq!(json_lines(&settled)[0].get("assumed"), None);
}

#[test]
fn one_logit_is_no_probability_unless_somebody_says_so() {
    let folder = folder();
    let path = of_outputs(folder.path(), 1);
    let output = classify(&path, &["--format", "json"]);
    assert_says(&output, 0, &["mine: activation: open; one output may be", "(--activation sigmoid|none)"]);
    let row = &json_lines(&output)[0];
    assert_eq!((&row["top"][0]["probability"], &row["assumed"]), (&Value::Null, &json!(["preprocessing"])));
    let logit = row["top"][0]["logit"].as_f64().unwrap();
    assert!(logit.is_finite());
    let text = stdout(&classify(&path, &[]));
    assert!(!text.contains('%') && text.contains(&format!("logit {logit:>9.4}")), "{text}");
    let csv = stdout(&classify(&path, &["--format", "csv"]));
    assert_eq!(csv.lines().nth(1).unwrap().split(',').nth(4), Some(""), "{csv}");

    let sigmoid = self::row(&path, &["--activation", "sigmoid"]);
    assert!((sigmoid["top"][0]["probability"].as_f64().unwrap() - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-6, "{sigmoid}");
    for settled in [&["--activation", "none"][..], &["--activation", "sigmoid"], &["--preprocess", "chexnet"]] {
        let output = classify(&path, settled);
        assert!(!stderr(&output).contains("activation"), "{}", stderr(&output));
    }
    assert_eq!(self::row(&path, &["--preprocess", "torchvision"])["top"][0]["probability"], Value::Null, "softmax of one is 1");
    assert_refused(&classify(&path, &["--activation", "softmax"]), &["--activation softmax", "sigmoid or none", "one output"]);

    // Heatmaps have the logit alone.
    let maps = folder.path().join("maps");
    assert_says(&classify(&path, &["--heatmap", maps.to_str().unwrap()]), 0, &[]);
    assert_eq!(fs::read_dir(&maps).unwrap().count(), 2);
}

#[test]
fn what_a_file_has_after_its_logits_is_known() {
    let folder = folder();
    let sigmoid = report(&checkpoint(folder.path(), "keras-sigmoid.keras"), &[]);
    assert_eq!(sigmoid["preprocessing"]["activation"], "sigmoid");
    let fields = |report: &Value| report["assumed"].as_array().unwrap().iter().map(|it| it["field"].clone()).collect::<Vec<_>>();
    assert_eq!(fields(&sigmoid), ["labels", "preprocessing"]);
    let logits = report(&checkpoint(folder.path(), "keras-logits.keras"), &[]);
    assert_eq!(fields(&logits), ["activation", "labels", "preprocessing"]);
}

#[test]
fn only_a_loss_of_sigmoids_weighs_positives() {
    use safetensors::tensor::{Dtype, TensorView};
    let folder = folder();
    let path = folder.path().join("trained.safetensors");
    let model = Checkpoint::init(Config::imagenet(4, &[2, 2], 8).with_classes(Some(2)), 1).unwrap();
    let with = |extra: Option<&str>| {
        let mut tensors: Vec<_> = model.weights.iter().map(|(name, tensor)| (name, tensor.shape.clone(), bytes(&tensor.data))).collect();
        tensors.extend(extra.map(|name| (name, vec![2], bytes(&[1.0, 3.0]))));
        let views = tensors.iter().map(|(name, shape, data)| (*name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
        fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
        let report = report(&path, &[]);
        let is_assumed = report["assumed"].as_array().unwrap().iter().any(|assumed| assumed["field"] == "activation");
        (report["preprocessing"]["activation"].clone(), is_assumed)
    };
    assert_eq!(with(None), (json!("softmax"), true));
    assert_eq!(with(Some("criterion.pos_weight")), (json!("sigmoid"), false));
    assert_eq!(with(Some("criterion.weight")), (json!("softmax"), true), "that of any loss");
}

#[test]
fn timms_arguments_say_how_pictures_are_prepared() {
    let folder = folder();
    let arguments = |loss: &str| {
        let plain = "Vargs\ncargparse\nNamespace\n)\u{81}(dVmodel\nVdensenet121\nsVimg_size\nI160\nsVcrop_pct\nF0.8\n\
                     sVinterpolation\nVbilinear\nsVmean\n(F0.5\nF0.5\nF0.5\nlsVstd\nNs";
        // The instruction is one byte, not UTF-8.
        let bytes: Vec<u8> = plain.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        trained(folder.path(), "torchvision.pth", &[&bytes, loss.as_bytes(), b"b"].concat())
    };
    let report = report(&arguments(""), &[]);
    assert_eq!(report["preprocessing_source"], "the arguments it was trained with");
    assert_eq!((&report["preprocessing"]["crop"], &report["preprocessing"]["resize"]["size"]), (&json!([160, 160]), &json!(200)));
    assert_eq!(report["preprocessing"]["activation"], "softmax");
    assert_eq!(report["assumed"].as_array().unwrap().iter().map(|it| &it["field"]).collect::<Vec<_>>(), ["labels"]);
    assert_eq!(self::report(&arguments("Vbce_loss\nI01\ns"), &[])["preprocessing"]["activation"], "sigmoid");
}

#[test]
fn inspect_lists_what_is_assumed_with_its_flag() {
    let folder = folder();
    let path = checkpoint(folder.path(), "keras.weights.h5");
    let output = densenet().arg("inspect").arg(&path).output().unwrap();
    assert_says(&output, 0, &[]);
    assert_eq!(stderr(&output), "", "the report itself says it");
    let text = stdout(&output);
    for line in [
        "  assumed       activation: softmax is assumed; weights alone do not tell it (--activation softmax|sigmoid|none)\n",
        "                epsilon: 1.001e-5 is assumed; the file holds weights alone, and Keras Applications has this (--epsilon E)\n",
        "                final_relu: true is assumed; the file holds weights alone, and Keras Applications has this (--no-final-relu)\n",
        "                labels: open; nothing names the model's 4 classes (--labels FILE)\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in: {text}");
    }
    let assumed = &report(&path, &[])["assumed"];
    assert_eq!(assumed[1]["field"], "epsilon");
    assert_eq!(assumed[1]["value"], "1.001e-5");
    assert_eq!(assumed[1]["flag"], "--epsilon E");
    assert!(assumed[1]["why"].as_str().unwrap().contains("weights alone"));
    assert_eq!((&assumed[3]["field"], &assumed[3]["value"]), (&json!("labels"), &Value::Null));
    // The flags that were named settle all of it.
    let settled = ["--activation", "sigmoid", "--epsilon", "1e-5", "--no-final-relu", "--preprocess", "keras"];
    assert_eq!(report(&path, &settled)["assumed"].as_array().unwrap().len(), 1);
}

#[test]
fn a_converted_file_does_not_make_facts_of_assumptions() {
    let folder = folder();
    let path = checkpoint(folder.path(), "keras.weights.h5");
    let to = folder.path().join("out.safetensors");
    let fields = |arguments: &[&str]| {
        convert(&path, &to, arguments);
        let report = report(&to, &[]);
        report["assumed"].as_array().unwrap().iter().map(|it| it["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fields(&[]), ["activation", "epsilon", "final_relu", "labels", "preprocessing"]);
    let written = Checkpoint::open(&to).unwrap().to_bytes().unwrap();
    assert_eq!(written, fs::read(&to).unwrap(), "the same, as often as it is written");
    assert!(String::from_utf8_lossy(&written).contains(r#"{\"assumed\":[\"activation\",\"epsilon\",\"final_relu\",\"preprocessing\"],"#));
    assert_eq!(row(&to, &[])["assumed"], json!(["activation", "epsilon", "final_relu", "preprocessing"]));
    let told = ["--activation", "softmax", "--preprocess", "keras"];
    assert_eq!(fields(&told), ["epsilon", "final_relu", "labels"]);
    let names = folder.path().join("names.txt");
    fs::write(&names, "a\nb\nc\nd\n").unwrap();
    assert_eq!(fields(&[&told[..], &["--epsilon", "1.001e-5", "--no-final-relu", "--labels", names.to_str().unwrap()]].concat()), [""; 0]);

    // One output stays open until a flag states what it is.
    let one = of_outputs(folder.path(), 1);
    convert(&one, &to, &[]);
    assert_eq!(row(&to, &[])["top"][0]["probability"], Value::Null);
    assert_eq!(report(&to, &[])["assumed"][0]["value"], Value::Null);
    convert(&one, &to, &["--activation", "sigmoid"]);
    assert!(row(&to, &[])["top"][0]["probability"].is_number());
}

#[test]
fn kerashubs_uneven_padding_is_told_by_names_or_said_to_be_unknown() {
    let folder = folder();
    let mut archive = zip::ZipArchive::new(fs::File::open(checkpoint_files::folder().join("keras-hub.zip")).unwrap()).unwrap();
    let mut file = |name: &str| {
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let named = densenet().arg("inspect").arg(file("keras-hub.weights.h5")).output().unwrap();
    assert_refused(&named, &["keras-hub.weights.h5", "expected Keras Applications' DenseNet", "KerasHub's", "are not run"]);
    let bare = file("keras-hub-bare.h5");
    let assumed = &report(&bare, &[])["assumed"];
    let padding = assumed.as_array().unwrap().iter().find(|assumed| assumed["field"] == "padding").unwrap();
    assert_eq!((&padding["value"], padding["flag"].as_str().unwrap().contains("model.save('OUT.keras')")), (&json!("even"), true));
    // Applications' own names tell that it pads evenly.
    let applications = report(&checkpoint(folder.path(), "keras.weights.h5"), &[]);
    assert!(applications["assumed"].as_array().unwrap().iter().all(|assumed| assumed["field"] != "padding"), "{applications}");
}
