//! Files that are cut, changed or absurd.

use densenet_wgpu::Checkpoint;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::files::{Tensors, described, expect, file, header_end, refused, refused_tensors, small, with_header, zeros};

#[test]
fn every_truncation_is_refused() {
    let bytes = described().to_bytes().unwrap();
    let header = header_end(&bytes);
    let everywhere = (0..header + 64).chain((header..bytes.len()).step_by(97)).chain(bytes.len() - 9..bytes.len());
    for length in everywhere {
        let message = refused(&bytes[..length]);
        assert!(length <= 8 || message.contains("truncated"), "{length}: {message}");
    }
    let message = refused(&[bytes.as_slice(), b"more"].concat());
    assert!(message.ends_with("no tensor covers the rest; the file is damaged, get it again"), "{message}");
}

#[test]
fn contradicting_headers_are_refused() {
    let bytes = small().to_bytes().unwrap();
    let name = "features.norm0.bias";
    for (field, value, complaint) in [
        ("data_offsets", json!([0, 24]), "invalid offset for tensor"),
        ("data_offsets", json!([24, 0]), "invalid offset for tensor"),
        ("data_offsets", json!([-1, 4]), "safetensors header"),
        ("data_offsets", json!([0, u64::MAX]), "invalid offset for tensor"),
        ("shape", json!([7]), "invalid shape, data type, or offset"),
        ("shape", json!([1u64 << 62, 8]), "overflow"),
        ("dtype", json!("F16"), "invalid shape, data type, or offset"),
    ] {
        let changed = with_header(&bytes, |header| header[name][field] = value);
        let message = refused(&changed);
        assert!(message.contains(complaint) && message.ends_with("; the file is damaged, get it again"), "{message}");
    }
    // Sizes that add up to more than there are numbers for: no addition may overflow.
    let huge = (0..8u64).map(|i| {
        let [start, end] = [i, i + 1].map(|n| (u64::MAX / 8) * n);
        (format!("t{i}"), json!({"dtype": "U8", "shape": [end - start], "data_offsets": [start, end]}))
    });
    expect(&refused(&file(&Value::Object(huge.collect()), b"")), &["truncated"]);
}

#[test]
fn absurd_files_are_refused_at_once() {
    let header = json!({"__metadata__": {"densenet": " ".repeat(3 << 20)}});
    expect(&refused(&file(&header, b"")), &["expected at most 2097152 bytes"]);
    let names = (1..=1025).flat_map(|layer| ["conv1", "conv2"].map(|conv| format!("features.denseblock1.denselayer{layer}.{conv}.weight")));
    let mut tensors: Tensors = names.map(|name| (name, zeros(&[1, 1, 1, 1]))).collect();
    tensors.insert("features.conv0.weight".into(), zeros(&[1, 1, 3, 3]));
    expect(&refused_tensors(&tensors), &["expected at most 1024 dense layers in all, found 1025"]);
    let long = json!({"a\nerror: b".repeat(1000): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}});
    let message = refused(&file(&long, b""));
    assert!(message.len() < 1200 && !message.contains('\n'), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4), in_header in any::<bool>()) {
        let mut bytes = described().to_bytes().unwrap();
        let length = if in_header { header_end(&bytes) } else { bytes.len() };
        for (index, flip) in flips {
            bytes[index.index(length)] ^= flip;
        }
        // Changed weights may load; a result of either kind is right, a panic is not.
        let _ = Checkpoint::from_bytes(&bytes, "file");
    }

    #[test]
    fn garbage_never_panics(length in 0u64..80, text in "[\\[\\]{}\":,0-9a-z_ ]{0,60}", garbage in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut bytes = [&length.to_le_bytes(), b"{".as_slice(), text.as_bytes()].concat();
        prop_assert!(Checkpoint::from_bytes(&bytes, "file").is_err());
        bytes.extend(&garbage);
        prop_assert!(Checkpoint::from_bytes(&bytes, "file").is_err());
        prop_assert!(Checkpoint::from_bytes(&garbage, "file").is_err());
    }
}
