//! No file makes its reader take more memory than a small multiple of the file's own size.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use densenet_wgpu::Checkpoint;
use peak_alloc::PeakAlloc;

#[path = "common/checkpoint_files.rs"]
mod checkpoint_files;
use checkpoint_files::{cases, content};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How many times the file's size.
const MULTIPLE: usize = 8;

/// What any file may take: a value of a pickle is one byte there and 32 here, and there may be half a million of them.
const ALLOWANCE: usize = 12 << 20;

// One test: others in this process would be counted too.
#[test]
fn reading_takes_a_small_multiple_of_the_file() {
    let mut failures = Vec::new();
    for case in ["cases", "refused", "hostile"].into_iter().flat_map(cases) {
        let name = case["file"].as_str().unwrap();
        let bytes = content(&case);
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        drop(Checkpoint::from_bytes(&bytes, name));
        let taken = MEMORY.peak_usage() - before;
        if taken > MULTIPLE * bytes.len() + ALLOWANCE {
            failures.push(format!("{name}: {taken} bytes for a file of {}", bytes.len()));
        }
    }
    // What costs most for its size: instructions of one byte that add to a list, the memo, the stack or its marks.
    let many = |op: u8| vec![op; 1 << 23];
    for (name, body) in [
        ("dictionaries", many(b'}')),
        ("memo", [&b"N"[..], &many(0x94)].concat()),
        ("marks", many(b'(')),
        ("copies", [&b"N"[..], &many(b'2')].concat()),
    ] {
        let magic =
            [&b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02"[..], &body, b"."].concat();
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let message = Checkpoint::from_bytes(&magic, name).unwrap_err().to_string();
        assert!(message.contains("at most 524288 values"), "{name}: {message}");
        let taken = MEMORY.peak_usage() - before;
        if taken > MULTIPLE * magic.len() {
            failures.push(format!("{name}: {taken} bytes for a file of {}", magic.len()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
