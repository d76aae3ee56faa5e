//! Dtypes: which are converted to 32-bit floats, which are refused.

use std::io::{Cursor, Write};

use densenet_wgpu::Checkpoint;
use densenet_wgpu::checkpoint::{Tensor, Weights};
use half::{bf16, f16};

use crate::files::{encoded, expect, read, refused, refused_tensors, small, tensors};

#[test]
fn element_types_are_converted_or_refused() {
    let checkpoint = small();
    let rounded = |round: fn(f32) -> f32| {
        let mut weights = Weights::new();
        for (name, tensor) in checkpoint.weights.iter() {
            weights.insert(name, Tensor { shape: tensor.shape.clone(), data: tensor.data.iter().map(|&v| round(v)).collect() });
        }
        weights
    };
    let converted = |dtype: &str, element: fn(f32) -> Vec<u8>| read(&encoded(&checkpoint, dtype, element)).weights;
    assert_eq!(converted("F32", |v| v.to_le_bytes().into()), checkpoint.weights);
    assert_eq!(converted("F64", |v| f64::from(v).to_le_bytes().into()), checkpoint.weights);
    assert_eq!(converted("F16", |v| f16::from_f32(v).to_le_bytes().into()), rounded(|v| f16::from_f32(v).into()));
    assert_eq!(converted("BF16", |v| bf16::from_f32(v).to_le_bytes().into()), rounded(|v| bf16::from_f32(v).into()));

    let mut tensors = tensors(&checkpoint);
    let counter = "features.norm0.num_batches_tracked";
    tensors.insert(counter.into(), ("I64".into(), vec![], 5i64.to_le_bytes().into()));
    assert_eq!(read(&tensors).weights, checkpoint.weights);
    for dtype in ["I64", "U64", "C64"] {
        let integers: Vec<u8> = [0; 6 * 8].into();
        tensors.insert("features.norm0.bias".into(), (dtype.into(), vec![6], integers));
        expect(&refused_tensors(&tensors), &["features.norm0.bias: expected elements of f32, f16, bf16 or f64, found"]);
    }
    // Of 8 bits, of 4, and of a type that the format may have one day.
    for (dtype, bytes, named) in [("F8_E4M3", 6, "f8_e4m3"), ("F4", 3, "F4"), ("F3_E1M1", 6, "F3_E1M1")] {
        tensors.insert("features.norm0.bias".into(), (dtype.into(), vec![6], vec![0; bytes]));
        let message = refused_tensors(&tensors);
        expect(&message, &[&format!("features.norm0.bias: expected elements of f32, f16, bf16 or f64, found {named}; save the model")]);
        assert!(!message.contains("damaged"), "{message}");
    }
}

/// What `torch.save` makes of tensors whose types have no storage of their own: bytes, and behind them the type.
fn typed_bytes(checkpoint: &Checkpoint, dtype: impl Fn(&str) -> &'static str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut write = |name: &str, content: &[u8]| {
        archive.start_file(format!("archive/{name}"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    };
    // In the words of pickle's protocol 0: a dictionary, and of each item its name, what rebuilds it, and its arguments.
    let mut pickle = "(d".to_owned();
    for (key, (name, tensor)) in checkpoint.weights.iter().enumerate() {
        let numbers = |numbers: &[usize]| numbers.iter().map(|number| format!("I{number}\n")).collect::<String>();
        let strides: Vec<usize> = (1..=tensor.shape.len()).map(|axis| tensor.shape[axis..].iter().product()).collect();
        let bytes: Vec<u8> = tensor.data.iter().flat_map(|value| value.to_le_bytes()).collect();
        let storage = format!("(Vstorage\nctorch\nUntypedStorage\nV{key}\nVcpu\nI{}\ntQ", bytes.len());
        let (shape, strides) = (numbers(&tensor.shape), numbers(&strides));
        pickle +=
            &format!("V{name}\nctorch._utils\n_rebuild_tensor_v3\n({storage}I0\n({shape}t({strides}tI00\nNctorch\n{}\ntRs", dtype(name));
        write(&format!("data/{key}"), &bytes);
    }
    write("data.pkl", (pickle + ".").as_bytes());
    archive.finish().unwrap().into_inner()
}

#[test]
fn tensors_behind_bytes_have_their_own_type() {
    let read = Checkpoint::from_bytes(&typed_bytes(&small(), |_| "float32"), "any").unwrap();
    assert_eq!(read.weights, small().weights);
    let short = typed_bytes(&small(), |name| if name == "classifier.weight" { "float8_e4m3fn" } else { "float32" });
    assert!(refused(&short).contains("classifier.weight: expected elements of f32, f16, bf16 or f64, found f8_e4m3; save the model"));
}
