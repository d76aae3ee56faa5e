//! Many inputs: parts of them, and several devices.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::{CPU, assert_refused, assert_says, classify, densenet, draw, fixture, folder, json_lines, paths, stderr};

/// `count` files in a folder, all of them pictures but the third.
pub(crate) fn pictures(folder: &Path, count: usize) -> Vec<String> {
    let path = |index: usize| folder.join(format!("{index:04}.png"));
    (0..count).for_each(|index| draw(path(index)));
    fs::write(path(2), "no picture").unwrap();
    (0..count).map(|index| path(index).to_str().unwrap().to_owned()).collect()
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
