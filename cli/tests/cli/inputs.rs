//! The inputs of `classify`: folders, patterns, lists.

use std::fs;

use crate::{CPU, assert_refused, assert_says, classify, draw, fixture, folder, json_lines, paths};

#[test]
fn folders_are_sorted_by_bytes_and_skip_what_is_no_picture() {
    let folder = folder();
    for name in ["b/a.png", "b-.png", "a.png", "B.png", "b/c/no extension"] {
        draw(folder.path().join(name));
    }
    fs::write(folder.path().join("notes.txt"), "not a picture").unwrap();
    fs::write(folder.path().join("b/cut.png"), &fs::read(fixture("L.png")).unwrap()[..60]).unwrap();
    let output = classify(&[folder.path().to_str().unwrap(), "--format", "json"]);
    assert_says(&output, 1, &["skipped 1 file that is not a picture", "1 of 6 inputs failed"]);
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
    let output = classify(&[folder.path().to_str().unwrap(), "--format", "json"]);
    assert_says(&output, 0, &[]);
    assert_eq!(paths(&output), [folder.path().join("inner/a.png").to_str().unwrap()]);
}

/// Photos of a telephone beside one that was exported, and links to a disk that is not mounted.
#[test]
fn no_picture_vanishes() {
    let folder = folder();
    draw(folder.path().join("z.png"));
    for (name, content) in [("IMG_1.HEIC", &b"\0\0\0\x18ftypheic\0\0\0\0"[..]), ("IMG_2", b"\0\0\0\x18ftypheic\0\0\0\0"), ("a.txt", b"a")] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    fs::write(folder.path().join("._z.png"), b"\0\x05\x16\x07").unwrap();
    #[cfg(unix)]
    for name in ["b.jpg", "c.txt", "more"] {
        std::os::unix::fs::symlink("nowhere", folder.path().join(name)).unwrap();
    }
    let output = classify(&[folder.path().to_str().unwrap(), "--format", "json"]);
    let rows = json_lines(&output);
    let failed: Vec<&str> = rows.iter().filter_map(|row| row["error"].as_str()).collect();
    #[cfg(unix)]
    {
        let skipped = "skipped 3 files that are not pictures: 1 .txt, 1 link that leads nowhere, 1 of macOS's attributes (._*)";
        assert_says(&output, 1, &[skipped, "4 of 5 inputs failed"]);
        assert_eq!(failed[2..], ["expected a picture, found a link to nowhere, which does not exist"; 2]);
    }
    for error in &failed[..2] {
        assert_eq!(*error, "HEIC is not read here; convert it to PNG or JPEG first, as `heif-convert IN OUT.png` does");
    }
    assert!(rows.last().unwrap()["top"].is_array());
}

#[test]
fn a_folder_without_pictures_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("notes.txt"), "not a picture").unwrap();
    let path = folder.path().to_str().unwrap();
    assert_refused(&classify(&[path]), &["no input: no picture in", path]);
    assert_refused(&classify(&[&format!("{path}/*.png")]), &["no input: no picture matches"]);
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
