//! A limit on memory under which drivers crash.

use std::process::Command;

use super::{ROOT, assert_refused, assert_says};

/// The program with at most this many MiB of address space.
fn limited(mebibytes: u32, arguments: &str) -> std::process::Output {
    let script = format!("ulimit -v {} && exec \"$0\" {arguments}", mebibytes << 10);
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_densenet")]).env("DENSENET_CACHE_DIR", "").current_dir(ROOT).output().unwrap()
}

#[test]
fn a_device_is_not_opened_where_that_would_be_a_crash() {
    let classify = "classify examples/digits/7-1442-8.png --model digits";
    for mebibytes in [400, 800, 2000] {
        let output = limited(mebibytes, classify);
        assert_refused(
            &output,
            &["expected at least 2048 MiB of address space", &format!("a limit of {mebibytes} MiB"), "ulimit -v unlimited"],
        );
    }
    let on_the_processor = format!("{classify} --device cpu");
    assert_refused(&limited(400, &on_the_processor), &["MiB of address space for threads on", "a limit of 400 MiB"]);
    assert_says(&limited(1 << 16, &on_the_processor), 0, &[]);
    assert_says(&limited(1 << 16, classify), 0, &[]);
}
