//! What the network reads: crops, resizing, preprocessing files, and the input that is dumped.

use std::fs;
use std::path::Path;

use crate::infer::read_npy;
use crate::pictures::{array, extracted};
use crate::{CPU, assert_refused, assert_says, classify, densenet, draw, fixture, folder, json_lines, paths, stderr, stdout};

#[test]
fn the_dumped_input_is_torchvisions_tensor() {
    let folder = folder();
    let dump = folder.path().join("dump.npy");
    let how = preprocessing(folder.path(), CROPPED);
    let options = ["--preprocess", &how, "--dump-input", dump.to_str().unwrap(), "--format", "json", "--batch", "2"];
    let pictures = [&fixture("source.png")[..], "no such.png", &fixture("RGB.png"), &fixture("source.png")];
    let output = classify(&[&pictures[..], &options].concat());
    assert_says(&output, 1, &["dump.npy: [3, 3, 37, 37]", "1 of 4 inputs failed"]);
    assert_eq!(paths(&output).len(), 4);
    let (shape, found) = read_npy(&dump);
    let (_, expected) = array::<f32>("preprocessed.npz", "tensor");
    assert_eq!(shape, [3, 3, 37, 37]);
    let rows: Vec<&[f32]> = found.chunks_exact(expected.len()).collect();
    assert!(rows[0] == expected && rows[2] == expected && rows[1] != expected);
    // NumPy maps such a file into memory: its values begin where NumPy's own would.
    assert_eq!(fs::read(&dump).unwrap().len(), 128 + 4 * found.len());
}

#[test]
fn a_dump_of_no_inputs_is_empty_and_one_of_several_sizes_is_refused() {
    let folder = folder();
    let dump = folder.path().join("dump.npy");
    let output = classify(&["no such.png", "--dump-input", dump.to_str().unwrap()]);
    assert_says(&output, 1, &["dump.npy: [0, 3, 64, 64]"]);
    assert_eq!(read_npy(&dump), (vec![0, 3, 64, 64], vec![]));
    fs::remove_file(&dump).unwrap();

    let how = preprocessing(folder.path(), &CROPPED.replace("[37,37]", "null"));
    let options = ["--preprocess", &how, "--dump-input", dump.to_str().unwrap()];
    let output = classify(&[&[&fixture("source.png")[..], &fixture("L.png")], &options[..]].concat());
    assert_says(&output, 1, &["expected inputs of one size, 40x56 as from", "found 40x73 from", "--size HxW makes them equal"]);
    assert!(!dump.exists());
    let nowhere = folder.path().join("no/dump.npy");
    assert_refused(&classify(&[&fixture("L.png"), "--dump-input", nowhere.to_str().unwrap()]), &["make it first"]);
}

#[test]
fn ten_crops_are_averaged() {
    let folder = folder();
    let [dump, logits] = ["dump.npy", "logits.npy"].map(|name| folder.path().join(name));
    let how = preprocessing(folder.path(), CROPPED);
    draw(folder.path().join("grey.png"));
    let small = extracted(folder.path(), "kinds.zip", "one-pixel.jpg");
    let grey = folder.path().join("grey.png");
    let pictures = [&fixture("source.png")[..], grey.to_str().unwrap(), "no such.png", &small];
    let options = ["--preprocess", &how, "--ten-crop", "--top-k", "10", "--format", "json"];
    let arguments = [&pictures[..], &options].concat();
    let output = classify(&[&arguments[..], &["--dump-input", dump.to_str().unwrap()]].concat());
    assert_says(&output, 1, &["dump.npy: [30, 3, 37, 37]", "1 of 4 inputs failed"]);
    for batch in ["1", "20"] {
        assert_eq!(stdout(&classify(&[&arguments[..], &["--batch", batch]].concat())), stdout(&output), "{batch}");
    }

    let mut infer = densenet();
    infer.arg("infer").arg(&dump).args(CPU).arg("--output").arg(&logits);
    assert_says(&infer.output().unwrap(), 0, &[]);
    let (shape, logits) = read_npy(&logits);
    assert_eq!(shape, [30, 10]);
    let rows = json_lines(&output);
    for (row, crops) in [(0, &logits[..100]), (1, &logits[100..200]), (3, &logits[200..])] {
        for class in rows[row]["top"].as_array().unwrap() {
            let index = class["index"].as_u64().unwrap() as usize;
            let probability = |crop: &[f32]| f64::from(crop[index]).exp() / crop.iter().map(|&logit| f64::from(logit).exp()).sum::<f64>();
            let probability = crops.chunks_exact(10).map(probability).sum::<f64>() / 10.0;
            let logit = crops.chunks_exact(10).map(|crop| f64::from(crop[index])).sum::<f64>() / 10.0;
            assert!((class["probability"].as_f64().unwrap() - probability).abs() < 1e-6, "{class}, not {probability}");
            assert!((class["logit"].as_f64().unwrap() - logit).abs() < 1e-5, "{class}, not {logit}");
        }
    }
}

#[test]
fn ten_crops_need_a_crop() {
    let output = classify(&[&fixture("L.png"), "--ten-crop"]);
    let remedy = "--preprocess torchvision has one";
    assert_refused(&output, &["--ten-crop: expected a preprocessing with a crop, found: squashed to 64x64", remedy]);
    // The remedy; at the size of the model's own pictures it takes less time.
    let options = ["--ten-crop", "--preprocess", "torchvision", "--size", "64x64"];
    assert_says(&classify(&[&[&fixture("L.png")[..]], &options[..]].concat()), 0, &[]);
}

#[test]
fn a_picture_and_its_mirror_image_are_averaged() {
    let folder = folder();
    let [dump, logits] = ["dump.npy", "logits.npy"].map(|name| folder.path().join(name));
    let picture = "examples/digits/7-1459-64.png";
    let options = [picture, "--flip", "--top-k", "10", "--format", "json"];
    let output = classify(&[&options[..], &["--dump-input", dump.to_str().unwrap()]].concat());
    assert_says(&output, 0, &["dump.npy: [2, 3, 64, 64]"]);
    let (_, values) = read_npy(&dump);
    let (own, mirrored) = values.split_at(3 * 64 * 64);
    let turned: Vec<f32> = own.chunks_exact(64).flat_map(|row| row.iter().rev()).copied().collect();
    assert_eq!(mirrored, turned);

    let mut infer = densenet();
    infer.arg("infer").arg(&dump).args(CPU).arg("--output").arg(&logits);
    assert_says(&infer.output().unwrap(), 0, &[]);
    let (_, logits) = read_npy(&logits);
    let softmax = |logits: &[f64]| {
        let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
        logits.iter().map(|logit| logit.exp() / sum).collect::<Vec<f64>>()
    };
    let views: Vec<Vec<f64>> = logits.chunks_exact(10).map(|view| view.iter().map(|&logit| f64::from(logit)).collect()).collect();
    let mean = |first: &[f64], second: &[f64]| first.iter().zip(second).map(|(a, b)| (a + b) / 2.0).collect::<Vec<f64>>();
    let of_probabilities = mean(&softmax(&views[0]), &softmax(&views[1]));
    let of_logits = softmax(&mean(&views[0], &views[1]));
    assert!((of_probabilities[7] - of_logits[7]).abs() > 1e-3, "they differ");
    let by_logits = classify(&[&options[..], &["--average", "logits"]].concat());
    for (output, expected) in [(output, of_probabilities), (by_logits, of_logits)] {
        for class in json_lines(&output)[0]["top"].as_array().unwrap() {
            let expected = expected[class["index"].as_u64().unwrap() as usize];
            assert!((class["probability"].as_f64().unwrap() - expected).abs() < 1e-6, "{class}, not {expected}");
        }
    }
    assert_refused(&classify(&[picture, "--flip", "--ten-crop"]), &["'--flip' cannot be used with '--ten-crop'"]);
}

/// torchvision's transform of the fixture `tensor`.
const CROPPED: &str = r#"{"activation":"softmax","channels":3,"crop":[37,37],"mean":[0.485,0.456,0.406],"range":"zero_one","resize":{"filter":"bilinear","mode":"short_side","size":40},"std":[0.229,0.224,0.225]}"#;

/// Writes a description of a preprocessing, and returns its path.
fn preprocessing(folder: &Path, text: &str) -> String {
    let path = folder.join("preprocessing.json");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The checkpoint is not at fault.
#[test]
fn a_preprocessing_file_that_cannot_be_is_refused_by_its_name_and_field() {
    let folder = folder();
    for (from, to, told) in [
        ("[0.485,0.456,0.406]", "[123.675,116.28,103.53]", "mean: expected numbers in the range, 0 to 1; numbers meant for 0 to 255"),
        ("[0.229,0.224,0.225]", "[0.229,0,0.225]", "std: expected numbers above 0 and up to 1"),
        ("[0.229,0.224,0.225]", "[0.229,-0.224,0.225]", "std: expected numbers above 0"),
        ("[0.229,0.224,0.225]", "[58.395,57.12,57.375]", "std: expected numbers above 0 and up to 1"),
        ("[37,37]", "[48,48]", "crop: expected at most what resize leaves (short side to 40), found [48, 48]"),
        ("[37,37]", "[0,37]", "crop: expected sizes from 1 to 65536"),
        (
            r#""channels":3,"crop":[37,37],"mean":[0.485,0.456,0.406]"#,
            r#""channels":1,"crop":null,"mean":[0.5]"#,
            "std: expected 1 numbers, one for each channel, found 3",
        ),
        ("zero_one", "zero_two", "unknown variant `zero_two`"),
    ] {
        assert!(CROPPED.contains(from));
        let how = preprocessing(folder.path(), &CROPPED.replace(from, to));
        let output = classify(&[&fixture("L.png"), "--preprocess", &how]);
        assert_refused(&output, &[&format!("--preprocess {how}: "), told]);
        assert!(!stderr(&output).contains("checkpoint"), "{}", stderr(&output));
    }
    let grey = r#"{"activation":"softmax","channels":1,"crop":null,"mean":[0.5],"range":"zero_one","resize":null,"std":[0.5]}"#;
    let how = preprocessing(folder.path(), grey);
    let told = format!("--preprocess {how}: channels: expected 3, as the first layer has, found 1");
    assert_refused(&classify(&[&fixture("L.png"), "--preprocess", &how]), &[&told]);
}

#[test]
fn resizing_is_what_was_asked_for_wherever_it_is_said() {
    let folder = folder();
    let dumped = |options: &[&str]| {
        let dump = folder.path().join("dump.npy");
        let output = classify(&[&[&fixture("source.png")[..], "--dump-input", dump.to_str().unwrap()], options].concat());
        assert_says(&output, 0, &[]);
        read_npy(&dump)
    };
    // The digits are squashed to 64x64, bicubic.
    let own = dumped(&[]);
    assert!(dumped(&["--resize", "squash"]) == own && dumped(&["--resize", "squash:bicubic"]) == own);
    let cubic = dumped(&["--resize", "squash:cubic"]);
    let covered = dumped(&["--resize", "cover:linear"]);
    assert!(cubic.0 == own.0 && covered.0 == own.0 && cubic.1 != own.1 && covered.1 != own.1);
    assert_eq!(dumped(&["--resize", "short-side", "--size", "32x48"]).0, [1, 3, 32, 48]);

    // A file says the same, and so does what a model becomes.
    let plain = CROPPED.replace(r#""filter":"bilinear""#, r#""antialias":false,"filter":"bilinear""#);
    let [antialiased, plain] = [("a.json", CROPPED), ("b.json", &plain)].map(|(name, text)| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let asked = dumped(&["--preprocess", &antialiased, "--resize", "short_side:linear"]);
    assert!(asked == dumped(&["--preprocess", &plain]) && asked != dumped(&["--preprocess", &antialiased]));
    assert!(asked == dumped(&["--preprocess", &plain, "--resize", "short_side"]));
    let converted = folder.path().join("converted.safetensors");
    let output = densenet().args(["convert", "digits"]).arg(&converted).args(["--resize", "squash:linear"]).output().unwrap();
    assert_says(&output, 0, &[]);
    let inspected = densenet().arg("inspect").arg(&converted).args(["--format", "json"]).output().unwrap();
    assert!(stdout(&inspected).contains(r#""antialias":false,"filter":"bilinear","mode":"squash""#), "{}", stdout(&inspected));

    for preset in ["opencv", "tensorflow", "monai-tensor"] {
        assert_eq!(dumped(&["--preprocess", preset]).0, [1, 3, 224, 224], "{preset}");
    }
    assert_refused(
        &classify(&[&fixture("L.png"), "--resize", "squsah"]),
        &["short_side, long_side, cover, square, squash", "did you mean squash?"],
    );
}
