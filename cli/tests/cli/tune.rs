//! `densenet tune`.

use serde_json::Value;

use super::{assert_refused, assert_says, densenet, folder, stderr, stdout};

/// Kernels that were measured are used by the commands after, until they are forgotten.
#[test]
fn what_was_tuned_is_kept_until_it_is_forgotten() {
    let cache = folder();
    let run = |arguments: &[&str]| densenet().env("DENSENET_CACHE_DIR", cache.path()).args(arguments).output().unwrap();
    let tuned = run(&["tune", "--model", "digits", "--batch", "1,2"]);
    assert_says(&tuned, 0, &[]);
    for batch in ["batch 1: 0 of ", "batch 2: 0 of "] {
        assert!(stderr(&tuned).contains(batch), "{}", stderr(&tuned));
    }
    let text = stdout(&tuned);
    for class in ["7x7 to 16x32x32 x 1", "3x3 to 8x16x16 x 2", "1x1 after norm to "] {
        assert!(text.contains(class), "{class} is not in\n{text}");
    }
    let kept = || -> Value {
        let files: Vec<_> = std::fs::read_dir(cache.path().join("tuning")).unwrap().map(|entry| entry.unwrap().path()).collect();
        let content = std::fs::read(&files[0]).unwrap();
        // Before the text is what seals it, in which any byte may be.
        (0..content.len()).find_map(|start| serde_json::from_slice(&content[start..]).ok().filter(Value::is_object)).unwrap()
    };
    let fastest = kept()["f32"]["7x7 to 16x32x32 x 1"].as_str().unwrap().to_owned();
    assert!(text.contains(&fastest), "{fastest} is not in\n{text}");
    // Where the batch must not count, one class stands for every batch.
    let invariant = run(&["tune", "--model", "digits", "--batch", "2", "--batch-invariant"]);
    assert_says(&invariant, 0, &[]);
    assert!(stdout(&invariant).contains("7x7 to 16x32x32 x 1") && !stdout(&invariant).contains(" x 2\n"), "{}", stdout(&invariant));
    assert_says(&run(&["bench", "--model", "digits", "--runs", "1"]), 0, &[]);
    assert_says(&run(&["tune", "--forget"]), 0, &["by the rule"]);
    assert_eq!(kept(), serde_json::json!({}));
}

#[test]
fn tune_refuses_what_it_cannot_tune() {
    let refused = |arguments: &[&str], parts: &[&str]| assert_refused(&densenet().arg("tune").args(arguments).output().unwrap(), parts);
    refused(&["--model", "digits", "--device", "cpu"], &["--device cpu", "reference"]);
    refused(&["--forget", "--device", "cpu"], &["--device cpu"]);
    refused(&["--forget", "--model", "digits"], &["--forget"]);
    refused(&[], &["--model"]);
}

/// Minutes are not spent on what would be lost.
#[test]
fn what_cannot_be_kept_is_not_measured() {
    let folder = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let remedy = "set DENSENET_CACHE_DIR to a folder that can be written to";
    for (cache, found) in [(file.as_path(), "file: "), (std::path::Path::new(""), "expected a cache folder")] {
        let output = densenet().env("DENSENET_CACHE_DIR", cache).args(["tune", "--model", "digits"]).output().unwrap();
        assert_refused(&output, &[found, remedy]);
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"no folder");
}
