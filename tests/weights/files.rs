//! Small safetensors files, as the tests make and change them.

use std::collections::BTreeMap;

use densenet_wgpu::preprocessing::Preprocessing;
use densenet_wgpu::{Checkpoint, Config, Error};
use serde_json::{Value, json};

/// A network of two dense blocks with two classes.
pub(crate) fn small() -> Checkpoint {
    let config = Config::imagenet(4, &[2, 1], 6).with_classes(Some(2)).with_bn_size(2);
    Checkpoint::init(config, 7).unwrap()
}

/// The same with labels, preprocessing and an epsilon of its own.
pub(crate) fn described() -> Checkpoint {
    let labels = vec!["cat".into(), "\"dog\" \u{1f415}".into()];
    let mut checkpoint = small().with_name("pets").with_labels(labels).with_preprocessing(Preprocessing::torchvision(3));
    checkpoint.config.epsilon = 1e-3;
    checkpoint
}

/// The message of a refusal.
pub(crate) fn refused(bytes: &[u8]) -> String {
    match Checkpoint::from_bytes(bytes, "file") {
        Err(error @ (Error::Checkpoint { .. } | Error::Tensor { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Where the header ends.
pub(crate) fn header_end(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

/// A file with another header.
pub(crate) fn with_header(bytes: &[u8], edit: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Vec<u8> {
    let end = header_end(bytes);
    let mut header: Value = serde_json::from_slice(&bytes[8..end]).unwrap();
    edit(header.as_object_mut().unwrap());
    file(&header, &bytes[end..])
}

/// A file of that header and data.
pub(crate) fn file(header: &Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string().into_bytes();
    [&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat()
}

/// A file's tensors by name: element type, shape, bytes.
pub(crate) type Tensors = BTreeMap<String, (String, Vec<usize>, Vec<u8>)>;

/// A tensor of zeros.
pub(crate) fn zeros(shape: &[usize]) -> (String, Vec<usize>, Vec<u8>) {
    ("F32".into(), shape.to_vec(), vec![0; 4 * shape.iter().product::<usize>()])
}

/// The checkpoint's tensors as 32-bit floats.
pub(crate) fn tensors(checkpoint: &Checkpoint) -> Tensors {
    encoded(checkpoint, "F32", |value| value.to_le_bytes().into())
}

/// The small network's tensors under other names.
pub(crate) fn renamed(rename: impl Fn(&str) -> String) -> Tensors {
    tensors(&small()).into_iter().map(|(name, tensor)| (rename(&name), tensor)).collect()
}

/// Reads the file of these tensors.
pub(crate) fn read(tensors: &Tensors) -> Checkpoint {
    Checkpoint::from_bytes(&assembled(tensors), "file").unwrap()
}

/// The message that refuses a file of these tensors.
pub(crate) fn refused_tensors(tensors: &Tensors) -> String {
    refused(&assembled(tensors))
}

/// Whether a message has all parts, else it is shown.
#[track_caller]
pub(crate) fn expect(message: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
}

/// The checkpoint's tensors in another element type.
pub(crate) fn encoded(checkpoint: &Checkpoint, dtype: &str, element: impl Fn(f32) -> Vec<u8>) -> Tensors {
    let tensors = checkpoint.weights.iter();
    tensors.map(|(n, t)| (n.into(), (dtype.into(), t.shape.clone(), t.data.iter().flat_map(|&v| element(v)).collect()))).collect()
}

/// The file of these tensors.
pub(crate) fn assembled(tensors: &Tensors) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, (dtype, shape, bytes)) in tensors {
        let start = data.len();
        data.extend(bytes);
        header.insert(name.clone(), json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]}));
    }
    file(&Value::Object(header), &data)
}
