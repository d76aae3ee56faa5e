//! DICOM files among the inputs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{ROOT, assert_says, classify, draw, folder, json_lines, npz};

/// A file among the fixtures, in a folder.
fn extracted(folder: &Path, name: &str, path: &str) -> String {
    let archives = ["files.zip", "coded.zip"].map(|archive| npz::read(&Path::new(ROOT).join("tests/fixtures/dicom").join(archive)));
    let (_, content) = archives.into_iter().flatten().find(|(entry, _)| entry == name).unwrap();
    let path: PathBuf = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[cfg(not(feature = "dicom"))]
#[test]
fn a_build_without_dicom_says_what_is_missing() {
    let folder = folder();
    let radiograph = extracted(folder.path(), "grey-12", "a.dcm");
    let picture = folder.path().join("b.png");
    draw(&picture);
    let output = classify(&[&radiograph, picture.to_str().unwrap(), "--format", "json"]);
    assert_says(&output, 1, &["1 of 2 inputs failed"]);
    let rows = json_lines(&output);
    assert!(rows[0]["error"].as_str().unwrap().contains("with its feature `dicom`"), "{}", rows[0]);
    assert!(rows[1]["top"].is_array());
}

#[cfg(feature = "dicom")]
mod with_dicom {
    use super::*;
    use crate::infer::read_npy;
    use crate::{CPU, densenet, paths, stderr};

    const NOTICE: &str = "DICOM: this is not a medical device, and its results are not a diagnosis (reported once)";

    #[test]
    fn a_person_is_told_once_and_rows_stay_as_they_are() {
        let folder = folder();
        let [one, three] = [("grey-12", "1"), ("rle-three-frames", "3")].map(|(name, path)| extracted(folder.path(), name, path));
        let output = classify(&[&one, &three, &one, &three, "--format", "json", "--top-k", "1"]);
        assert_says(&output, 0, &[NOTICE, &format!("{three}: only the first of its 3 frames is read (reported once)")]);
        assert_eq!(stderr(&output).lines().count(), 2, "{}", stderr(&output));
        let rows = json_lines(&output);
        assert_eq!(rows.len(), 4);
        for row in &rows {
            assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), ["identity", "model", "path", "settings", "top"]);
        }
        let features = folder.path().join("features.npy");
        let output = densenet().arg("embed").args(CPU).args([&one, &three, "--output"]).arg(&features).output().unwrap();
        assert_says(&output, 0, &[NOTICE, "the first of its 3 frames"]);
        let picture = folder.path().join("picture.png");
        draw(&picture);
        assert_eq!(stderr(&classify(&[picture.to_str().unwrap()])), "");
    }

    #[test]
    fn folders_have_dicom_files_with_and_without_an_ending_and_no_directory_of_them() {
        let folder = folder();
        for (name, path) in [("grey-12", "a/IM0001"), ("lossless-12", "b.dcm"), ("refused/jpeg-ls-rgb", "c.dcm")] {
            extracted(folder.path(), name, path);
        }
        let directory = [&[0; 128], &b"DICM\x02\0\x02\0UI\x14\x001.2.840.10008.1.3.10"[..]].concat();
        fs::write(folder.path().join("DICOMDIR"), directory).unwrap();
        let output = classify(&[folder.path().to_str().unwrap(), "--format", "json"]);
        assert_says(&output, 1, &["skipped 1 file that is not a picture", "1 of 3 inputs failed"]);
        let expected = ["a/IM0001", "b.dcm", "c.dcm"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
        assert_eq!(paths(&output), expected);
        let error = json_lines(&output)[2]["error"].as_str().unwrap().to_owned();
        assert!(error.contains("expected a JPEG-LS of grey") && error.contains("gdcmconv --raw"), "{error}");
    }

    #[test]
    fn a_window_is_looked_through_when_asked() {
        let folder = folder();
        let [windowed, plain] = ["window", "grey-12"].map(|name| extracted(folder.path(), name, name));
        let dumped = |options: &[&str]| {
            let dump = folder.path().join("dump.npy");
            let output = classify(&[&[&windowed[..], &plain, "--dump-input", dump.to_str().unwrap()], options].concat());
            assert_says(&output, 0, &[NOTICE]);
            (stderr(&output), read_npy(&dump).1)
        };
        let (told, whole) = dumped(&[]);
        assert!(!told.contains("VOI LUT"), "{told}");
        let (told, seen) = dumped(&["--voi-lut"]);
        assert!(told.contains(&format!("{plain}: has no VOI LUT and no window")), "{told}");
        let half = whole.len() / 2;
        assert!(whole[..half] != seen[..half] && whole[half..] == seen[half..]);
    }

    #[test]
    fn limits_are_those_of_other_pictures() {
        let folder = folder();
        let radiograph = extracted(folder.path(), "grey-12", "a.dcm");
        for (option, error) in [
            (["--max-pixels", "200"], "18x13 is 234 pixels; expected at most 200: make it smaller first, or give a larger --max-pixels"),
            (["--max-bytes", "900"], "the file has more bytes; expected at most 900: make it smaller first, or give a larger --max-bytes"),
        ] {
            let output = classify(&[&[&radiograph[..], "--format", "json"], &option[..]].concat());
            assert_says(&output, 1, &[]);
            assert_eq!(json_lines(&output)[0]["error"], error);
        }
    }
}
