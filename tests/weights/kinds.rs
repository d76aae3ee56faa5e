//! Files that are no checkpoints.

use crate::files::{expect, refused};

#[test]
fn other_content_is_recognised() {
    let tar = [&[b'x'; 257][..], b"ustar"].concat();
    for (content, looks_like) in [
        (&b""[..], "is empty"),
        (b"PK\x03\x04\0\0\0\0archive/data.pkl", "zip directory"),
        (b"\x80\x04\x95\0\0\0\0\0\0\0\0", "bare Python pickle"),
        (b"\x89HDF\r\n\x1a\n\0\0", "HDF5"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\n<!DOCTYPE html>", "web page"),
        (b"{}", "is a text file, not a checkpoint"),
        ("héron\nchouette\n".repeat(100).as_bytes(), "give the file that the weights are in"),
        (b"nearly text\0", "unknown format"),
        (b"\x08\x07\x12\x07pytorch", "ONNX"),
        (b"\x0a\x0cDENSENET_121\x9a", "Caffe"),
        (b"\x04\0\0\0\x01\0\0\0", "Torch7"),
        (b"\x1f\x8b\x08\0", "gunzip"),
        (&tar, "tar archive"),
    ] {
        expect(&refused(content), &["file: ", looks_like]);
    }
}
