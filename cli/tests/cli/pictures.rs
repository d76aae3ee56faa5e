//! How pictures are read: orientation, 16-bit grey, limits, and files that end too early or are no picture.

use std::fs;
use std::path::Path;

use densenet_wgpu::image::Picture;
use serde_json::{Value, json};

use crate::infer::read_npy;
use crate::{CPU, assert_refused, assert_says, classify, densenet, draw, fixture, folder, json_lines, npz, stderr, stdout};

/// A file of an archive among the fixtures, in a folder.
pub(crate) fn extracted(folder: &Path, archive: &str, name: &str) -> String {
    let (_, content) = npz::read(Path::new(&fixture(archive))).into_iter().find(|(entry, _)| entry == name).unwrap();
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// An array of an archive among the fixtures.
pub(crate) fn array<T: npyz::Deserialize>(archive: &str, name: &str) -> (Vec<u64>, Vec<T>) {
    let (_, content) = npz::read(Path::new(&fixture(archive))).into_iter().find(|(entry, _)| entry == name).unwrap();
    let array = npyz::NpyFile::new(&content[..]).unwrap();
    (array.shape().to_vec(), array.into_vec().unwrap())
}

#[test]
fn an_orientation_is_warned_of_once_and_applied_when_asked() {
    let folder = folder();
    let lying = ["6.jpg", "3.png", "6.webp"].map(|name| extracted(folder.path(), "oriented.zip", name));
    let upright = extracted(folder.path(), "oriented.zip", "1.jpg");
    let all = [&upright[..], &lying[0], &lying[1], &lying[2], "--format", "json"];
    let output = classify(&all);
    assert_says(&output, 0, &["6.jpg: EXIF orientation 6 is not applied, as in torchvision; --exif turns"]);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    let turned = classify(&[&all[..], &["--exif"]].concat());
    assert_says(&turned, 0, &[]);
    assert_eq!(stderr(&turned), "");
    let (rows, turned) = (json_lines(&output), json_lines(&turned));
    assert_eq!(rows[0]["top"], turned[0]["top"]);
    assert!((1..4).all(|row| rows[row]["top"] != turned[row]["top"]));

    // Turned, it is what Pillow makes of it.
    let (shape, samples) = array::<u8>("oriented.npz", "3.png");
    let expected = folder.path().join("expected.ppm");
    fs::write(&expected, [format!("P6 {} {} 255\n", shape[1], shape[0]).into_bytes(), samples].concat()).unwrap();
    let [found, expected] = [lying[1].as_str(), expected.to_str().unwrap()].map(|path| {
        let dump = folder.path().join("dump.npy");
        assert_says(&classify(&[path, "--exif", "--dump-input", dump.to_str().unwrap()]), 0, &["[1, 3, 64, 64]"]);
        fs::read(dump).unwrap()
    });
    assert!(found == expected);
}

/// `embed` reads pictures as `classify` does.
#[test]
fn features_are_of_pictures_turned_when_asked() {
    let folder = folder();
    let output = folder.path().join("features.npy");
    let embed = |arguments: &[&str]| {
        let told = densenet().arg("embed").args(CPU).arg("--output").arg(&output).args(arguments).output().unwrap();
        assert_says(&told, 0, &[]);
        (stderr(&told), read_npy(&output).1)
    };
    let lying = extracted(folder.path(), "oriented.zip", "6.png");
    let (shape, samples) = array::<u8>("oriented.npz", "6.png");
    let expected = folder.path().join("expected.ppm");
    fs::write(&expected, [format!("P6 {} {} 255\n", shape[1], shape[0]).into_bytes(), samples].concat()).unwrap();
    let (told, found) = embed(&[&lying, &fixture("I16.png"), &lying]);
    assert!(told.contains("6.png: EXIF orientation 6 is not applied") && told.contains("I16.png: 16-bit grey is scaled"), "{told}");
    assert_eq!(told.lines().count(), 3, "{told}");
    let (told, turned) = embed(&[&lying, "--exif"]);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(turned == embed(&[expected.to_str().unwrap()]).1);
    assert!(turned != found[..turned.len()]);
}

#[test]
fn heatmaps_are_over_pictures_turned_when_asked() {
    let folder = folder();
    let [maps, dump] = ["maps", "dump.npy"].map(|name| folder.path().join(name));
    let run = |path: &str, options: &[&str]| {
        let output = classify(&[&[path, "--format", "json", "--heatmap", maps.to_str().unwrap()], options].concat());
        assert_says(&output, 0, &[]);
        let heatmap = json_lines(&output)[0]["heatmaps"][0].clone();
        (read_npy(Path::new(heatmap["npy"].as_str().unwrap())), Picture::open(heatmap["png"].as_str().unwrap()).unwrap())
    };
    let lying = extracted(folder.path(), "oriented.zip", "6.jpg");
    let upright = Picture::open(&lying).unwrap().upright();
    let expected = folder.path().join("expected.ppm");
    let header = format!("P6 {} {} 255\n", upright.width(), upright.height()).into_bytes();
    fs::write(&expected, [&header, upright.samples()].concat()).unwrap();
    let turned = run(&lying, &["--exif", "--dump-input", dump.to_str().unwrap()]);
    assert_eq!(read_npy(&dump).0, [1, 3, 64, 64]);
    assert!(turned == run(expected.to_str().unwrap(), &[]));
    assert!(turned.1 != run(&lying, &[]).1);
    let output = classify(&[&fixture("L.png"), "--heatmap", maps.to_str().unwrap(), "--ten-crop"]);
    assert_refused(&output, &["'--heatmap <DIR>' cannot be used with '--ten-crop'"]);
}

#[test]
fn wide_grey_is_told_once() {
    let output = classify(&[&fixture("I16.png"), &fixture("L.png"), &fixture("I16.png"), "--format", "json"]);
    assert_says(&output, 0, &["I16.png: 16-bit grey is scaled by its range"]);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    assert_eq!(json_lines(&output).len(), 3);
}

#[test]
fn bits_within_16_are_told_and_scaled_when_asked() {
    let folder = folder();
    let twelve: Vec<u8> = (0..4096_u16).flat_map(u16::to_be_bytes).collect();
    let write = |name: &str, header: &str| {
        let path = folder.path().join(name);
        fs::write(&path, [header.as_bytes(), &twelve].concat()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let [dark, said] = [write("dark.pgm", "P5 64 64 65535 "), write("said.pgm", "P5 64 64 4095 ")];
    let dumped = |path: &str, options: &[&str], status: i32, told: &[&str]| {
        let dump = folder.path().join("dump.npy");
        let output = classify(&[&[path, path, "--dump-input", dump.to_str().unwrap()], options].concat());
        assert_says(&output, status, told);
        // What was dumped, and what was reported.
        assert_eq!(stderr(&output).lines().count(), 1 + told.len(), "{}", stderr(&output));
        read_npy(&dump).1
    };
    let narrow = "dark.pgm: samples from 0 to 4095 in a range of 0 to 65535 leave 17 of 256 levels; --range 0:4095 if they are of 12 bits, --range auto";
    let whole = dumped(&dark, &[], 0, &[narrow]);
    let scaled = dumped(&said, &[], 0, &["said.pgm: 16-bit grey is scaled by its range"]);
    assert!(whole != scaled);
    assert!(dumped(&dark, &["--range", "0:4095"], 0, &["16-bit grey is scaled from 0 to 4095"]) == scaled);
    assert!(dumped(&dark, &["--range=auto"], 0, &["16-bit grey is scaled from 0 to 4095"]) == scaled);
    let cut = "samples from 0 to 4095 are clipped to -5 and 1023; a wider --range";
    assert!(dumped(&dark, &["--range", "-5:1023"], 0, &[cut, "scaled from -5 to 1023"]) != scaled);
    assert_refused(&classify(&[&dark, "--range", "4095"]), &["expected two whole numbers, the smaller one first, as in 0:4095, or auto"]);
    let output = densenet().arg("embed").args(CPU).args([&dark, "--range", "0:4095", "--output"]).arg(folder.path().join("f.npy")).output();
    assert_says(&output.unwrap(), 0, &["scaled from 0 to 4095"]);
}

#[test]
fn limits_on_pictures_are_adjustable() {
    let picture = fixture("source.png");
    let output = classify(&[&picture, "--max-pixels", "2k", "--format", "json"]);
    assert_says(&output, 1, &["1 of 1 inputs failed"]);
    let said = "61x43 is 2623 pixels; expected at most 2000: make it smaller first, or give a larger --max-pixels";
    assert_eq!(json_lines(&output)[0]["error"], said);
    let output = classify(&[&picture, "--max-bytes", "1Ki", "--format", "json"]);
    let error = json_lines(&output)[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("expected at most 1024") && error.contains("give a larger --max-bytes"), "{error}");
    assert_says(&classify(&[&picture, "--max-bytes", "1Mi", "--max-pixels", "3k"]), 0, &[]);
    let output = classify(&[&fixture("huge.png"), "--max-pixels", "4G", "--format", "json"]);
    let error = json_lines(&output)[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("expected at most 1073741824") && error.contains("--max-bytes"), "{error}");
    assert_refused(&classify(&[&picture, "--max-pixels", "lots"]), &["expected a whole number from 1, with or without k, M, G, T"]);
}

#[test]
fn files_are_what_their_content_says_whatever_they_are_called() {
    let folder = folder();
    let jpeg = extracted(folder.path(), "kinds.zip", "rgb-420-95.jpg");
    let names = ["photo.png", "photo.tif", "photo.dcm", "photo", "photo.txt", "photo.JPG"];
    let mut renamed: Vec<String> = names.iter().map(|name| folder.path().join(name).to_str().unwrap().to_owned()).collect();
    for path in &renamed {
        fs::copy(&jpeg, path).unwrap();
    }
    renamed.push(jpeg);
    let paths: Vec<&str> = renamed.iter().map(String::as_str).collect();
    let output = classify(&[&paths[..], &["--format", "json"]].concat());
    assert_says(&output, 0, &[]);
    let rows = json_lines(&output);
    assert!(rows.iter().all(|row| row["top"] == rows[0]["top"]));
    // In a folder too.
    let output = classify(&[folder.path().to_str().unwrap(), "--format", "json"]);
    assert_says(&output, 0, &[]);
    assert_eq!(json_lines(&output).len(), names.len() + 1);
}

#[test]
fn a_jpeg_that_ends_too_early_is_read_when_asked() {
    let folder = folder();
    let cut = extracted(folder.path(), "odd.zip", "rgb-420-60.jpg");
    let output = classify(&[&cut, "--format", "json"]);
    assert_says(&output, 1, &["1 of 1 inputs failed"]);
    let error = json_lines(&output)[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("damaged or cut off") && error.contains("--truncated"), "{error}");
    let output = classify(&[&cut, &cut, "--truncated", "--format", "json"]);
    assert_says(&output, 0, &["rgb-420-60.jpg: the file is truncated or damaged; the missing part of the picture is grey (reported once)"]);
    assert_eq!((stderr(&output).lines().count(), json_lines(&output).len()), (1, 2));
    // Each row states it in every format, except the row of a whole picture.
    let whole = fixture("RGB.png");
    let output = classify(&[&cut, &whole, "--truncated", "--format", "json"]);
    let notes: Vec<Value> = json_lines(&output).iter().map(|row| row["notes"].clone()).collect();
    assert_eq!(notes, [json!(["truncated"]), Value::Null]);
    let text = stdout(&classify(&[&cut, &whole, "--truncated", "--format", "csv", "--top-k", "2"]));
    let column = text.lines().next().unwrap().split(',').position(|name| name == "notes").unwrap();
    let notes: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').nth(column).unwrap()).collect();
    assert_eq!(notes, ["truncated", "truncated", "", ""]);
    let text = stdout(&classify(&[&cut, &whole, "--truncated", "--top-k", "1"]));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[2], lines[3]), (5, "  note: truncated", whole.as_str()), "{text}");
    let features = folder.path().join("features.npy");
    let mut command = densenet();
    command.arg("embed").args(CPU).args([&cut, &whole, "--truncated", "--output"]).arg(&features);
    assert_says(&command.output().unwrap(), 0, &[]);
    let list = fs::read_to_string(features.with_extension("jsonl")).unwrap();
    let notes: Vec<bool> = list.lines().map(|line| line.ends_with(",\"notes\":[\"truncated\"]}")).collect();
    assert_eq!(notes, [true, false], "{list}");
}

#[test]
fn phones_pictures_are_refused_with_what_converts_them() {
    let folder = folder();
    let path = folder.path().join("IMG_0001.HEIC");
    fs::write(&path, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic and more").unwrap();
    draw(folder.path().join("a.png"));
    let output = classify(&[folder.path().to_str().unwrap(), "--format", "json"]);
    assert_says(&output, 1, &["1 of 2 inputs failed"]);
    let rows = json_lines(&output);
    let error = rows.iter().find_map(|row| row["error"].as_str()).unwrap();
    assert_eq!(error, "HEIC is not read here; convert it to PNG or JPEG first, as `heif-convert IN OUT.png` does");
}
