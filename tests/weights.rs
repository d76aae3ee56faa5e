//! Checkpoint files: what loads, what is refused and how it is said, what is written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use densenet_wgpu::checkpoint::{Dialect, Field, HeadStep, Reading, Tensor};
use densenet_wgpu::network::{HeadLayer, Stem};
use densenet_wgpu::preprocessing::Preprocessing;
use densenet_wgpu::verify::Reference;
use densenet_wgpu::{Checkpoint, Config, Error};
use half::{bf16, f16};
use proptest::prelude::*;
use serde_json::{Value, json};

fn small() -> Checkpoint {
    let config = Config::imagenet(4, &[2, 1], 6).with_classes(Some(2)).with_bn_size(2);
    Checkpoint::init(config, 7).unwrap()
}

fn described() -> Checkpoint {
    let labels = vec!["cat".into(), "\"dog\" \u{1f415}".into()];
    let mut checkpoint = small().with_name("pets").with_labels(labels).with_preprocessing(Preprocessing::torchvision(3));
    checkpoint.config.epsilon = 1e-3;
    checkpoint
}

/// As if it had been made here.
fn without_origin(mut checkpoint: Checkpoint) -> Checkpoint {
    checkpoint.origin = None;
    checkpoint
}

/// The message of a refusal.
fn refused(bytes: &[u8]) -> String {
    match Checkpoint::from_bytes(bytes, "file") {
        Err(error @ (Error::Checkpoint { .. } | Error::Tensor { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A file with another header.
fn with_header(bytes: &[u8], edit: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    edit(header.as_object_mut().unwrap());
    file(&header, &bytes[8 + length..])
}

fn file(header: &Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string().into_bytes();
    [&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat()
}

/// A file's tensors by name: element type, shape, bytes.
type Tensors = BTreeMap<String, (String, Vec<usize>, Vec<u8>)>;

/// The checkpoint's tensors in another element type.
fn encoded(checkpoint: &Checkpoint, dtype: &str, element: impl Fn(f32) -> Vec<u8>) -> Tensors {
    let tensors = checkpoint.weights.iter();
    tensors.map(|(n, t)| (n.into(), (dtype.into(), t.shape.clone(), t.data.iter().flat_map(|&v| element(v)).collect()))).collect()
}

fn assembled(tensors: &Tensors) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, (dtype, shape, bytes)) in tensors {
        let start = data.len();
        data.extend(bytes);
        header.insert(name.clone(), json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]}));
    }
    file(&Value::Object(header), &data)
}

#[test]
fn what_is_saved_is_opened_again_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pets.v1.safetensors");
    let checkpoint = described();
    checkpoint.save(&path).unwrap();
    let opened = Checkpoint::open(&path).unwrap();
    assert_eq!(without_origin(opened.clone()), checkpoint);
    assert_eq!(opened.to_bytes().unwrap(), std::fs::read(&path).unwrap());
    assert_eq!(checkpoint.to_bytes().unwrap(), described().to_bytes().unwrap());
    small().save(&path).unwrap();
    assert_eq!(without_origin(Checkpoint::open(&path).unwrap()), small());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no unfinished file is left behind");
}

#[test]
fn a_file_without_description_is_named_after_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pets.bin");
    let bytes = with_header(&described().to_bytes().unwrap(), |header| {
        header.remove("__metadata__");
    });
    std::fs::write(&path, bytes).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!((checkpoint.name.as_str(), &checkpoint.labels, &checkpoint.preprocessing), ("pets", &None, &None));
    assert_eq!(checkpoint.config.epsilon, 1e-5);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing.safetensors");
    assert!(matches!(Checkpoint::open(&path), Err(Error::File { path: found, .. }) if found == path));
    assert!(matches!(Checkpoint::open(folder.path()), Err(Error::File { .. })));
    assert!(matches!(small().save(folder.path().join("no/folder")), Err(Error::File { .. })));
    std::fs::write(&path, b"").unwrap();
    let message = Checkpoint::open(&path).unwrap_err().to_string();
    assert!(message.contains(&path.display().to_string()) && message.contains("is empty"), "{message}");
}

#[test]
fn all_architectures_load() {
    let cifar = Config::imagenet(12, &[2, 2, 2], 24).with_stem(Stem::Cifar);
    let plain = cifar.clone().with_bottleneck(false).with_compression(1.0);
    let features = Config::imagenet(8, &[3], 8).with_classes(None).with_channels(1);
    for config in [cifar, plain, features, Config::densenet121()] {
        let checkpoint = Checkpoint::init(config.clone(), 1).unwrap();
        assert_eq!(checkpoint.graph(64, 64).unwrap().parameters(), checkpoint.weights.parameters());
        let read = Checkpoint::from_bytes(&checkpoint.to_bytes().unwrap(), "any").unwrap();
        assert_eq!(read.config, config);
        assert_eq!(read.weights, checkpoint.weights);
    }
}

#[test]
fn a_deep_stem_blurs_where_nothing_says_otherwise() {
    let opened = |config: Config, bytes: fn(&Checkpoint) -> Vec<u8>| {
        let found = Checkpoint::from_bytes(&bytes(&Checkpoint::init(config.clone(), 1).unwrap()), "any").unwrap();
        (found.config == config, found.assumed.iter().filter(|assumed| assumed.field == Field::Blur).count())
    };
    let written = |checkpoint: &Checkpoint| checkpoint.to_bytes().unwrap();
    let bare = |checkpoint: &Checkpoint| assembled(&encoded(checkpoint, "F32", |v| v.to_le_bytes().into()));
    let small = |blur| Config::imagenet(4, &[2, 1], 8).with_stem(Stem::Deep { widths: [4, 6], blur });
    for config in [small(true), small(false), Config::densenetblur121d()] {
        assert_eq!(opened(config, written), (true, 0), "the file says so");
    }
    assert_eq!(opened(small(true), bare), (true, 1));
    assert_eq!(opened(small(false), bare), (false, 1), "assumed to blur");
}

/// timm and segmentation_models_pytorch have a pool of maxima too, torchvision has none.
#[test]
fn a_pool_that_may_be_another_is_said_to_be_assumed() {
    let bare = |config: Config, rename: [&str; 2]| {
        let tensors = encoded(&Checkpoint::init(config.with_classes(Some(2)), 1).unwrap(), "F32", |v| v.to_le_bytes().into());
        assembled(&tensors.into_iter().map(|(name, tensor)| (name.replace(rename[0], rename[1]), tensor)).collect())
    };
    let deep = Config::imagenet(4, &[2, 1], 8).with_stem(Stem::Deep { widths: [4, 6], blur: true });
    let plain = Config::imagenet(4, &[2, 1], 8);
    let assumed = |bytes: &[u8], reading: Reading| {
        let found = reading.from_bytes(bytes, "any").unwrap();
        found.assumed.iter().find(|assumed| assumed.field == Field::Pool).map(|assumed| assumed.to_string())
    };
    let timm = bare(deep, ["", ""]);
    let smp = bare(plain.clone(), ["classifier", "classification_head.3"]);
    for (bytes, whose) in [(&timm, "timm's `global_pool`"), (&smp, "segmentation_models_pytorch's `pooling`")] {
        let told = format!("pool: mean is assumed; weights do not tell it, and {whose} is avg by default");
        assert_eq!(assumed(bytes, Reading::default()), Some(told));
        assert_eq!(assumed(bytes, Reading::default().with_head_layers(vec![HeadStep::Linear])), None, "it was said");
        let converted = Checkpoint::from_bytes(bytes, "any").unwrap().to_bytes().unwrap();
        assert!(assumed(&converted, Reading::default()).unwrap().ends_with("it was when this file was written"));
    }
    assert_eq!(assumed(&bare(plain, ["", ""]), Reading::default()), None);
}

#[test]
fn element_types_are_converted_or_refused() {
    let checkpoint = small();
    let rounded = |round: fn(f32) -> f32| {
        let mut weights = densenet_wgpu::checkpoint::Weights::new();
        for (name, tensor) in checkpoint.weights.iter() {
            weights.insert(name, Tensor { shape: tensor.shape.clone(), data: tensor.data.iter().map(|&v| round(v)).collect() });
        }
        weights
    };
    let read = |dtype: &str, element: fn(f32) -> Vec<u8>| {
        Checkpoint::from_bytes(&assembled(&encoded(&checkpoint, dtype, element)), "any").unwrap().weights
    };
    assert_eq!(read("F32", |v| v.to_le_bytes().into()), checkpoint.weights);
    assert_eq!(read("F64", |v| f64::from(v).to_le_bytes().into()), checkpoint.weights);
    assert_eq!(read("F16", |v| f16::from_f32(v).to_le_bytes().into()), rounded(|v| f16::from_f32(v).into()));
    assert_eq!(read("BF16", |v| bf16::from_f32(v).to_le_bytes().into()), rounded(|v| bf16::from_f32(v).into()));

    let mut tensors = encoded(&checkpoint, "F32", |v| v.to_le_bytes().into());
    let counter = "features.norm0.num_batches_tracked";
    tensors.insert(counter.into(), ("I64".into(), vec![], 5i64.to_le_bytes().into()));
    assert_eq!(Checkpoint::from_bytes(&assembled(&tensors), "any").unwrap().weights, checkpoint.weights);
    for dtype in ["I64", "U64", "C64"] {
        let integers: Vec<u8> = [0; 6 * 8].into();
        tensors.insert("features.norm0.bias".into(), (dtype.into(), vec![6], integers));
        let message = refused(&assembled(&tensors));
        assert!(message.contains("features.norm0.bias: expected elements of f32, f16, bf16 or f64, found"), "{message}");
    }
    // Of 8 bits, of 4, and of a type that the format may have one day.
    for (dtype, bytes, named) in [("F8_E4M3", 6, "f8_e4m3"), ("F4", 3, "F4"), ("F3_E1M1", 6, "F3_E1M1")] {
        tensors.insert("features.norm0.bias".into(), (dtype.into(), vec![6], vec![0; bytes]));
        let message = refused(&assembled(&tensors));
        assert!(
            message.contains(&format!("features.norm0.bias: expected elements of f32, f16, bf16 or f64, found {named}; save the model")),
            "{message}"
        );
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
        let message = refused(content);
        assert!(message.contains("file: ") && message.contains(looks_like), "{message}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = described().to_bytes().unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let everywhere = (0..header + 64).chain((header..bytes.len()).step_by(97)).chain(bytes.len() - 9..bytes.len());
    for length in everywhere {
        let message = refused(&bytes[..length]);
        assert!(length <= 8 || message.contains("truncated"), "{length}: {message}");
    }
    let message = refused(&[bytes.as_slice(), b"more"].concat());
    assert!(message.ends_with("no tensor covers the rest; the file is damaged, get it again"), "{message}");
}

/// A network with random norms, and the same with its stem's and bottlenecks' folded into the convolutions before them.
fn folded(stem: Stem) -> [Tensors; 2] {
    let config = Config::imagenet(4, &[2, 1], 6).with_classes(Some(2)).with_bn_size(2).with_stem(stem);
    let mut whole = encoded(&Checkpoint::init(config, 7).unwrap(), "F32", |v| v.to_le_bytes().into());
    let floats = |bytes: &[u8]| -> Vec<f32> { bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect() };
    let bytes = |floats: Vec<f32>| -> Vec<u8> { floats.into_iter().flat_map(f32::to_le_bytes).collect() };
    for (name, (_, _, data)) in whole.iter_mut().filter(|(name, _)| name.contains("norm")) {
        let least = if name.ends_with("running_var") || name.ends_with("weight") { 0.5 } else { -0.5 };
        *data = bytes((0..data.len() / 4).map(|at| least + ((at * 37 + name.len() * 11) % 100) as f32 / 100.0).collect());
    }
    let mut folded = whole.clone();
    let convs: Vec<String> = whole.keys().filter_map(|name| name.strip_suffix(".weight")).map(str::to_owned).collect();
    for conv in convs.iter().filter(|name| name.contains("features.conv") || name.ends_with(".conv1")) {
        let norm = if conv.contains("layer") { conv.replace("conv1", "norm2") } else { conv.replace("conv", "norm") };
        let [Some(scale), Some(shift), Some(mean), Some(variance)] = ["weight", "bias", "running_mean", "running_var"]
            .map(|parameter| folded.remove(&format!("{norm}.{parameter}")).map(|(_, _, data)| floats(&data)))
        else {
            continue;
        };
        let scale: Vec<f32> = scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + 1e-5).sqrt()).collect();
        let (_, _, weight) = folded.get_mut(&format!("{conv}.weight")).unwrap();
        let values = floats(weight);
        let taps = values.len() / scale.len();
        *weight = bytes(values.iter().enumerate().map(|(at, value)| value * scale[at / taps]).collect());
        let bias = (0..scale.len()).map(|at| shift[at] - mean[at] * scale[at]).collect();
        folded.insert(format!("{conv}.bias"), ("F32".into(), vec![scale.len()], bytes(bias)));
    }
    [whole, folded]
}

#[test]
fn norms_that_were_folded_into_convolutions_are_the_same_network() {
    let logits = |tensors: &Tensors| {
        let checkpoint = Checkpoint::from_bytes(&assembled(tensors), "any").unwrap();
        let graph = checkpoint.graph(32, 32).unwrap();
        let input: Vec<f32> = (0..graph.input_shape().elements()).map(|at| (at as f32 * 0.37).sin()).collect();
        let logits = Reference::new(graph, checkpoint.weights.clone()).unwrap().run(&input, 32, 32).unwrap();
        (logits, checkpoint.config, checkpoint.origin.unwrap().notes.join(""))
    };
    for (stem, count) in [(Stem::ImageNet, 4), (Stem::Deep { widths: [4, 6], blur: true }, 6), (Stem::Cifar, 3)] {
        let [whole, folded] = folded(stem).map(|tensors| logits(&tensors));
        assert!(whole.0.iter().zip(&folded.0).all(|(one, other)| (one - other).abs() < 1e-5), "{stem:?}: {:?} {:?}", whole.0, folded.0);
        assert_eq!((whole.1, whole.2.as_str()), (folded.1, ""), "{stem:?}");
        assert!(folded.2.contains(&format!("had {count} batch norms folded")), "{}", folded.2);
    }
    // A bias that may have been the stem's own.
    let [_, mut open] = folded(Stem::Cifar);
    open.insert("features.conv0.bias".into(), ("F32".into(), vec![6], vec![0; 24]));
    assert!(refused(&assembled(&open)).contains("its 3x3 stem has a bias: one was behind it, or none"));
    // A layer with neither its norm nor a bias is no such network.
    let [_, mut cut] = folded(Stem::ImageNet);
    cut.remove("features.denseblock1.denselayer2.conv1.bias");
    assert!(refused(&assembled(&cut)).contains("denselayer2.norm2.bias [8]"));
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
    assert!(refused(&file(&Value::Object(huge.collect()), b"")).contains("truncated"));
}

#[test]
fn absurd_files_are_refused_at_once() {
    let header = json!({"__metadata__": {"densenet": " ".repeat(3 << 20)}});
    assert!(refused(&file(&header, b"")).contains("expected at most 2097152 bytes"));
    let names = (1..=1025).flat_map(|layer| ["conv1", "conv2"].map(|conv| format!("features.denseblock1.denselayer{layer}.{conv}.weight")));
    let mut tensors: Tensors = names.map(|name| (name, ("F32".into(), vec![1, 1, 1, 1], vec![0; 4]))).collect();
    tensors.insert("features.conv0.weight".into(), ("F32".into(), vec![1, 1, 3, 3], vec![0; 36]));
    assert!(refused(&assembled(&tensors)).contains("expected at most 1024 dense layers in all, found 1025"));
    let long = json!({"a\nerror: b".repeat(1000): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}});
    let message = refused(&file(&long, b""));
    assert!(message.len() < 1200 && !message.contains('\n'), "{message}");
}

#[test]
fn wrong_tensors_are_named() {
    let message = |edit: fn(&mut Tensors)| {
        let mut tensors = encoded(&small(), "F32", |v| v.to_le_bytes().into());
        edit(&mut tensors);
        refused(&assembled(&tensors))
    };
    let expect = |message: String, parts: &[&str]| {
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    let missing = message(|t| t.retain(|name, _| !name.contains("norm5")));
    expect(missing, &["4 missing (features.norm5.weight [11], ", " and 1 more)"]);
    let unexpected = message(|t| {
        for name in ["extra.a", "extra.b"] {
            t.insert(name.into(), ("F32".into(), vec![1], vec![0; 4]));
        }
    });
    expect(unexpected.clone(), &["2 left over (extra.a [1], extra.b [1])", "beside the DenseNet: `root` . passes over them"]);
    assert!(!unexpected.contains("state_dict()"), "who saved nothing else cannot save less: {unexpected}");
    for (name, named) in [
        ("pool.p", "pool.p is the power of a generalised mean (GeM)"),
        ("temperature", "temperature is a temperature, by which logits are divided"),
        ("classifier.scale", "what is left over is in the classifier (classifier)"),
    ] {
        let mut tensors = encoded(&small(), "F32", |v| v.to_le_bytes().into());
        tensors.insert(name.into(), ("F32".into(), vec![1], vec![0; 4]));
        let message = refused(&assembled(&tensors));
        assert!(message.contains(named) && !message.contains("beside the DenseNet"), "{message}");
    }
    let beside = message(|t| {
        *t = std::mem::take(t).into_iter().map(|(name, tensor)| (format!("net.{name}"), tensor)).collect();
        t.insert("decoder.a".into(), ("F32".into(), vec![1], vec![0; 4]));
    });
    expect(beside, &["1 left over (decoder.a [1])", "beside the DenseNet: `root` net passes over them"]);
    let wrapped = message(|t| {
        *t = std::mem::take(t).into_iter().map(|(name, tensor)| (format!("net.{name}"), tensor)).collect();
        t.get_mut("net.classifier.bias").unwrap().2[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    expect(wrapped, &["checkpoint tensor ", ": net.classifier.bias: expected finite numbers"]);
    let renamed = message(|t| {
        let tensor = t.remove("features.norm5.bias").unwrap();
        t.insert("features.norm_5.bias".into(), tensor);
    });
    expect(renamed, &["1 missing (features.norm5.bias [11])", "1 left over (features.norm_5.bias [11])"]);
    let shaped = message(|t| t.get_mut("features.norm5.bias").unwrap().1 = vec![11, 1]);
    expect(shaped, &["1 of another shape (features.norm5.bias [11, 1] instead of [11])"]);
    let wider = message(|t| {
        let name = "features.denseblock1.denselayer2.conv2.weight";
        t.insert(name.into(), ("F32".into(), vec![5, 8, 3, 3], vec![0; 5 * 8 * 9 * 4]));
    });
    expect(wider, &["features.denseblock1.denselayer2.conv2.weight [5, 8, 3, 3] instead of [4, 8, 3, 3]"]);
    let wide_head = message(|t| {
        t.insert("classifier.weight".into(), ("F32".into(), vec![2, 22], vec![0; 2 * 22 * 4]));
    });
    expect(wide_head, &["maxima and means together", "`head_layers` maxmeanpool,linear"]);
    let no_statistics = message(|t| t.retain(|name, _| !name.contains("running")));
    expect(no_statistics, &["instance or group norms"]);
    let no_stem = message(|t| t.retain(|name, _| !name.contains("conv0")));
    expect(no_stem, &["expected the tensors of a DenseNet", "classifier.bias [2]"]);

    for (name, value, parts) in [
        ("classifier.weight", f32::NAN, ["classifier.weight: expected finite numbers", "NaN at index 3"]),
        ("features.conv0.weight", f32::NEG_INFINITY, ["features.conv0.weight: expected finite numbers", "-inf at index 3"]),
        ("features.norm0.running_var", -1e-9, ["features.norm0.running_var: expected variances of at least 0", "at index 3"]),
    ] {
        let mut checkpoint = small();
        let mut tensor = checkpoint.weights.remove(name).unwrap();
        tensor.data[3] = value;
        checkpoint.weights.insert(name, tensor);
        expect(refused(&assembled(&encoded(&checkpoint, "F32", |v| v.to_le_bytes().into()))), &parts);
        expect(checkpoint.to_bytes().unwrap_err().to_string(), &parts);
    }
}

/// A layer of features: its outputs, where it is linear, else it is a norm.
type Layer<'n> = (&'n str, Option<usize>);

/// A file of the small network with a head of these layers between 11 features, each filled with its own number: 1, 2, ….
fn headed(layers: &[Layer]) -> Vec<u8> {
    let mut tensors = encoded(&small(), "F32", |v| v.to_le_bytes().into());
    tensors.retain(|name, _| !name.starts_with("classifier."));
    let mut number = 0f32;
    for (name, outputs) in layers {
        number += 1.0;
        let mut insert = |parameter: &str, shape: Vec<usize>| {
            let bytes = number.to_le_bytes().repeat(shape.iter().product());
            tensors.insert(format!("{name}.{parameter}"), ("F32".into(), shape, bytes));
        };
        match outputs {
            Some(outputs) => {
                insert("weight", vec![*outputs, 11]);
                insert("bias", vec![*outputs]);
            }
            None => ["weight", "bias", "running_mean", "running_var"].iter().for_each(|parameter| insert(parameter, vec![11])),
        }
    }
    assembled(&tensors)
}

#[test]
fn the_order_of_a_head_is_told_by_numbers_or_not_at_all() {
    let read = |layers: &[Layer], said: Option<&str>| {
        let steps = said.map(|words| words.split(',').map(|word| word.parse().unwrap()).collect::<Vec<HeadStep>>());
        steps.map_or(Reading::default(), |steps| Reading::default().with_head_layers(steps)).from_bytes(&headed(layers), "file")
    };
    let first = |checkpoint: &Checkpoint, layer: &str| checkpoint.weights.tensor(&format!("{layer}.weight")).unwrap().data[0];
    let refusal = |layers: &[Layer], said, parts: &[&str]| {
        let message = read(layers, said).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    let three = Some("linear,relu,linear,relu,linear");
    let unnumbered = [("head.a", Some(11)), ("head.b", Some(11)), ("head.c", Some(2))];
    refusal(&unnumbered, three, &["does not tell the order of head.a [11, 11] and head.b [11, 11]", "torch.save"]);
    let numbered = [("head.fc2", Some(11)), ("head.fc1", Some(11)), ("head.out", Some(2))];
    let found = read(&numbered, three).unwrap();
    assert_eq!(["classifier.0", "classifier.2", "classifier.4"].map(|layer| first(&found, layer)), [2.0, 1.0, 3.0]);
    // Which of norm and linear layer comes first is for whoever opens it to say.
    let mixed = [("head.fc1", Some(11)), ("head.bn1", None), ("head.out", Some(2))];
    refusal(&mixed, None, &["the order of head.bn1 [11] and head.fc1 [11, 11]", "`head_layers` linear,batchnorm,relu,linear"]);
    let found = read(&mixed, Some("linear,batchnorm,relu,linear")).unwrap();
    assert_eq!((first(&found, "classifier.0"), first(&found, "classifier.1")), (1.0, 2.0));
    let found = read(&mixed, Some("batchnorm,linear,silu,linear")).unwrap();
    assert_eq!((first(&found, "classifier.0"), first(&found, "classifier.1")), (2.0, 1.0));
    assert!(matches!(found.config.head[0], HeadLayer::BatchNorm { .. }));
}

#[test]
fn two_tensors_for_one_are_refused() {
    let mut tensors = encoded(&small(), "F32", |v| v.to_le_bytes().into());
    let (dtype, shape, bytes) = tensors["features.denseblock1.denselayer1.norm1.weight"].clone();
    let other = bytes.iter().map(|byte| byte ^ 1).collect();
    tensors.insert("features.denseblock1.denselayer1.norm.1.weight".into(), (dtype, shape, other));
    let message = refused(&assembled(&tensors));
    let both = "features.denseblock1.denselayer1.norm.1.weight and features.denseblock1.denselayer1.norm1.weight";
    assert!(message.contains(both) && message.contains("one tensor"), "{message}");
}

/// The small network with numbers for names: its first dense block has this one.
fn numbered(block: usize) -> Tensors {
    let names = ["conv0", "norm0", "denseblock1", "transition1", "denseblock2", "norm5"];
    let numbers = [0, 1, block, block + 1, block + 2, block + 3];
    let rename = |name: String| {
        let layer = name.strip_prefix("features.").and_then(|name| name.split('.').next());
        let number = names.iter().position(|own| Some(*own) == layer).map(|position| numbers[position]);
        number.map_or(name.clone(), |number| name.replacen(layer.unwrap_or_default(), &number.to_string(), 1))
    };
    encoded(&small(), "F32", |v| v.to_le_bytes().into()).into_iter().map(|(name, tensor)| (rename(name), tensor)).collect()
}

#[test]
fn numbers_tell_a_pool_or_that_something_else_is_there() {
    let found = Checkpoint::from_bytes(&assembled(&numbered(4)), "file").unwrap();
    assert_eq!((&found.config, &found.weights), (&small().config, &small().weights));
    let stem = |found: Checkpoint| found.config.stem;
    let slower = Stem::Single { kernel: 7, stride: 2, bias: false, norm: true, pool: false };
    assert_eq!(stem(Checkpoint::from_bytes(&assembled(&numbered(3)), "file").unwrap()), slower);
    let message = refused(&assembled(&numbered(5)));
    for part in ["between features.1 and its first dense block features.5", "room for 3 modules", "`entry` stride=2,pool=yes"] {
        assert!(message.contains(part), "{message}");
    }
    let said = Reading::default().with_entry("pool=yes".parse().unwrap());
    assert_eq!(stem(said.from_bytes(&assembled(&numbered(5)), "file").unwrap()), Stem::ImageNet);
}

#[test]
fn numbered_networks_are_told_by_the_files_names() {
    let message = |edit: fn(&mut Tensors)| {
        let mut tensors = numbered(4);
        edit(&mut tensors);
        refused(&assembled(&tensors))
    };
    for (message, part) in [
        (message(|t| drop(t.remove("features.7.bias"))), "1 missing (features.norm5.bias [11], in torchvision's names)"),
        (message(|t| t.get_mut("features.7.bias").unwrap().1 = vec![11, 1]), "features.7.bias [11, 1] instead of [11]"),
        (
            message(|t| t.get_mut("features.7.bias").unwrap().2[..4].copy_from_slice(&f32::NAN.to_le_bytes())),
            "features.7.bias: expected finite",
        ),
        (message(|t| drop(t.insert("features.5.gate".into(), ("F32".into(), vec![1, 1], vec![0; 4])))), "features.5.gate [1, 1]"),
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_head_is_found_by_what_it_takes() {
    let renamed = |head: &str| {
        let tensors = encoded(&small(), "F32", |v| v.to_le_bytes().into());
        let tensors = tensors.into_iter().map(|(name, tensor)| (name.replace("classifier.", head), tensor)).collect();
        Checkpoint::from_bytes(&assembled(&tensors), "any").unwrap()
    };
    for head in ["fc.", "head.fc.", "classifier.0.", "classifier.1.", "model.linear."] {
        let found = renamed(head);
        assert_eq!(found.weights, small().weights, "{head}");
        // Two classes are no CheXNet, whose head has that name.
        assert_eq!(found.origin.unwrap().dialect, Dialect::Torchvision, "{head}");
    }
    let mut tensors = encoded(&small(), "F32", |v| v.to_le_bytes().into());
    tensors.remove("classifier.bias");
    let unbiased = Checkpoint::from_bytes(&assembled(&tensors), "any").unwrap();
    assert_eq!(unbiased.weights.tensor("classifier.bias").unwrap().data, [0.0; 2]);
    tensors.insert("other.weight".into(), tensors["classifier.weight"].clone());
    let message = refused(&assembled(&tensors));
    assert!(message.contains("2 layers that read the features: classifier [2, 11], other [2, 11]; take one with `head`"), "{message}");
}

#[test]
fn what_training_adds_is_passed_over() {
    let mut tensors = encoded(&small(), "F32", |v| v.to_le_bytes().into());
    let sharded = |name: String| name.replace("denseblock1.", "denseblock1._fsdp_wrapped_module.");
    tensors = tensors.into_iter().map(|(name, tensor)| (format!("model.{}", sharded(name)), tensor)).collect();
    tensors.insert("criterion.pos_weight".into(), ("F32".into(), vec![2], vec![0; 8]));
    tensors.insert("rng_state".into(), ("U8".into(), vec![16], vec![0; 16]));
    tensors.insert("model.features.norm0.num_batches_tracked".into(), ("I64".into(), vec![], vec![0; 8]));
    let found = Checkpoint::from_bytes(&assembled(&tensors), "any").unwrap();
    assert_eq!((found.weights, found.origin.unwrap().wrapper.as_str()), (small().weights, "model."));
    // A count is one number: what is more may be anything.
    tensors.insert("model.attention.steps".into(), ("F32".into(), vec![4], vec![0; 16]));
    let message = refused(&assembled(&tensors));
    assert!(message.contains("1 left over (model.attention.steps [4])"), "{message}");
}

#[test]
fn descriptions_that_contradict_the_network_are_refused() {
    let labels = |labels: &[&str]| small().with_labels(labels.iter().map(|&l| l.into()).collect());
    for (checkpoint, complaint) in [
        (labels(&["one"]), "expected 2 labels"),
        (small().with_preprocessing(Preprocessing::torchvision(1)), "preprocessing channels: expected 3, as the first layer has"),
        (small().with_preprocessing(Preprocessing::torchvision(3).with_normalisation(vec![0.5; 3], vec![0.0; 3])), "std"),
    ] {
        let message = checkpoint.to_bytes().unwrap_err().to_string();
        assert!(message.contains(complaint), "{message}");
    }
    let bytes = small().to_bytes().unwrap();
    for (text, complaint) in [
        (r#"{"labels":["a","b","c"]}"#, "expected 2 labels"),
        (r#"{"epsilon":-1}"#, "epsilon"),
        (r#"{"epsilon":1e999}"#, "metadata `densenet`"),
        (r#"{"colour":"red"}"#, "unknown field `colour`"),
        ("[", "metadata `densenet`"),
    ] {
        let message = refused(&with_header(&bytes, |header| header["__metadata__"] = json!({"densenet": text, "format": "pt"})));
        assert!(message.contains(complaint), "{message}");
        let remedy = "; convert its source again, or get the file again";
        assert_eq!(message.ends_with(remedy), message.contains("metadata `densenet`"), "{message}");
    }
}

#[test]
fn initial_weights_have_torchvisions_distribution() {
    let Checkpoint { config, weights, name, .. } = Checkpoint::init(Config::densenet121(), 42).unwrap();
    assert_eq!((name.as_str(), config), ("densenet121", Config::densenet121()));
    let moments = |values: &[f32]| {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        (mean, (values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n).sqrt())
    };
    for (name, tensor) in weights.iter() {
        let suffix = name.rsplit('.').next().unwrap();
        match (suffix, tensor.shape.as_slice()) {
            ("weight", [_, inputs, height, width]) => {
                let expected = (2.0 / (inputs * height * width) as f64).sqrt();
                let (mean, deviation) = moments(&tensor.data);
                // Four standard errors: 2 % for 20,000 numbers, more for the smallest tensors.
                let error = 4.0 / (2.0 * tensor.data.len() as f64).sqrt();
                assert!((deviation / expected - 1.0).abs() < error && mean.abs() < 2.0 * error * expected, "{name}: {mean} {deviation}");
                assert!(tensor.data.len() < 20_000 || error <= 0.02);
            }
            ("weight", [_, inputs]) => {
                let bound = 1.0 / (*inputs as f64).sqrt();
                let (mean, deviation) = moments(&tensor.data);
                assert!(tensor.data.iter().all(|&v| f64::from(v).abs() <= bound));
                assert!((deviation / (bound / 3f64.sqrt()) - 1.0).abs() < 0.01 && mean.abs() < 0.01 * bound);
            }
            ("weight" | "running_var", _) => assert!(tensor.data.iter().all(|&v| v == 1.0), "{name}"),
            _ => assert!(tensor.data.iter().all(|&v| v == 0.0), "{name}"),
        }
    }
}

#[test]
fn a_seed_fixes_every_bit() {
    let bits = |seed: u64, name: &str| -> Vec<u32> {
        let config = Config::imagenet(4, &[2, 1], 6).with_classes(Some(2));
        let weights = Checkpoint::init(config, seed).unwrap().weights;
        weights.tensor(name).unwrap().data[..3].iter().map(|v| v.to_bits()).collect()
    };
    let (conv, linear) = ("features.conv0.weight", "classifier.weight");
    assert_ne!(bits(7, conv), bits(8, conv));
    // From the documented formula in Python: a change here changes what `densenet init` writes.
    assert_eq!(bits(7, conv), [3_174_484_324, 3_186_937_318, 1_050_001_042]);
    assert_eq!(bits(7, linear), [1_049_728_802, 1_045_387_442, 3_183_642_426]);
    assert!(Checkpoint::init(Config::densenet121().with_growth_rate(0), 1).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4), in_header in any::<bool>()) {
        let mut bytes = described().to_bytes().unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let length = if in_header { header } else { bytes.len() };
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
