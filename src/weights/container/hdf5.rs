//! HDF5 files as Keras writes them: groups of datasets, the weights of a layer in the order of an attribute.
//!
//! Two layouts: Keras 2's, still written as `.h5` (attributes `layer_names` and `weight_names` list everything), and
//! Keras 3's `.weights.h5` (groups `layers/<class>_<number>/vars/<number>`).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdf5_reader::group::Group;
use hdf5_reader::storage::{BytesStorage, Storage, StorageBuffer};
use hdf5_reader::{Attribute, ByteOrder, Dataset, Datatype, Hdf5File, OpenOptions};

use super::{Container, Contents, Dtype, Stored};
use crate::error::{Error, Result};

/// Deepest nesting of groups. A network in a network in a Keras 3 file has 7 levels; damaged files have cycles.
const DEEPEST: usize = 32;

/// Most groups and datasets. A DenseNet-264 with its optimizer has some 8,000.
const MOST_OBJECTS: usize = 1 << 16;

/// Longest path of a dataset, in bytes.
const LONGEST_PATH: usize = 512;

/// Bytes of all paths together.
const LONGEST_PATHS: usize = 4 << 20;

/// How many times the file's own size all datasets together may have. Keras does not compress.
const LARGEST_EXPANSION: usize = 2;

/// How many times a file's own size may be read, as headers and heaps are read repeatedly. Keras's files take less than 4.
const MOST_READINGS: u64 = 16;

/// Bytes that may be read of a file of any size.
const SMALLEST_BUDGET: usize = 1 << 20;

/// Groups at the top that are no part of the network: the state of training.
const SIBLINGS: [&str; 2] = ["optimizer_weights", "optimizer"];

/// Reads a file that is in memory. The datasets are copied out of it: chunks may be compressed.
pub(super) fn read(bytes: &[u8], container: Container) -> Result<Contents<'static>> {
    // Data that was never written is in no chunk, whatever its size: without a limit a few bytes would become terabytes.
    let byte_budget = LARGEST_EXPANSION.saturating_mul(bytes.len()).saturating_add(SMALLEST_BUDGET);
    let options =
        OpenOptions::default().with_max_read_bytes(byte_budget).with_max_chunk_bytes(byte_budget).with_max_object_header_bytes(bytes.len());
    let file = Hdf5File::from_storage_with_options(Arc::new(Metered::new(bytes)), options).map_err(damaged)?;
    let end = file.superblock().eof_address;
    if end > bytes.len() as u64 {
        return Err(Error::checkpoint(format!("HDF5: expected {end} bytes, found {}; the file is cut, get it again", bytes.len())));
    }
    let root = file.root_group().map_err(damaged)?;
    let mut reader = Reader { byte_budget, path_bytes: 0, objects: 0, visited: HashSet::new(), layers: Vec::new(), tensors: Vec::new() };
    let keras_config = Attributes::of(&root)?.text("model_config");
    // A whole model keeps its weights in a group of their own.
    let weights = root.group("model_weights").unwrap_or(root);
    match Attributes::of(&weights)?.texts("layer_names")? {
        Some(layers) => reader.listed(&weights, &layers)?,
        None => reader.tree(&weights, "", 0)?,
    }
    let byte_count = reader.tensors.iter().map(|tensor| tensor.elements().unwrap_or(0) * tensor.dtype.bytes()).sum();
    Ok(Contents { tensors: reader.tensors, layers: reader.layers, keras_config, ..Contents::new(container, byte_count) })
}

/// The file's bytes, and how many more of them may be read: parts that refer to the same part would be read without end.
struct Metered {
    bytes: BytesStorage,
    byte_budget: AtomicU64,
}

impl Metered {
    fn new(bytes: &[u8]) -> Self {
        let byte_budget = (bytes.len() as u64).saturating_mul(MOST_READINGS).saturating_add(SMALLEST_BUDGET as u64);
        Self { bytes: BytesStorage::new(bytes.to_vec()), byte_budget: byte_budget.into() }
    }
}

impl Storage for Metered {
    fn len(&self) -> u64 {
        self.bytes.len()
    }

    fn read_range(&self, offset: u64, length: usize) -> hdf5_reader::error::Result<StorageBuffer> {
        let spend = |left: u64| left.checked_sub(length as u64);
        let spent = self.byte_budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        spent.map_err(|_| hdf5_reader::error::Error::InvalidData("its parts refer to each other again and again".into()))?;
        self.bytes.read_range(offset, length)
    }
}

/// What was found so far, and how much more there may be.
struct Reader {
    byte_budget: usize,
    path_bytes: usize,
    objects: usize,
    visited: HashSet<u64>,
    layers: Vec<String>,
    tensors: Vec<Stored<'static>>,
}

impl Reader {
    /// The weights of each layer in the order of the attributes, Keras 2's layout.
    fn listed(&mut self, weights: &Group, layers: &[String]) -> Result<()> {
        let mut known = HashSet::new();
        for layer in layers {
            self.count(layer)?;
            if !known.insert(layer) {
                return Err(Error::checkpoint(format!("HDF5: expected each layer once, found {layer:?} twice")));
            }
            self.layers.push(layer.clone());
            // In 2018 layers were called conv1/conv, which makes a group in a group.
            let group = descend(weights, layer.split('/'))?;
            for name in Attributes::of(&group)?.texts("weight_names")?.unwrap_or_default() {
                self.count(&name)?;
                let mut parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty()).collect();
                let Some(last) = parts.pop() else { continue };
                let folder = descend(&group, parts.iter().copied())?;
                let dataset = folder.dataset(last).map_err(damaged)?;
                let last = last.strip_suffix(":0").unwrap_or(last);
                let full = if parts.is_empty() { format!("{layer}/{last}") } else { format!("{}/{last}", parts.join("/")) };
                self.dataset(&dataset, full)?;
            }
        }
        Ok(())
    }

    /// All datasets below a group.
    fn tree(&mut self, group: &Group, path: &str, depth: usize) -> Result<()> {
        if depth > DEEPEST || !self.visited.insert(group.address()) {
            return Err(Error::checkpoint(format!("HDF5: expected groups without cycles, found one at {path:?}; get the file again")));
        }
        let (groups, datasets) = group.members().map_err(damaged)?;
        for dataset in &datasets {
            self.count(dataset.name())?;
            self.dataset(dataset, format!("{path}{}", dataset.name()))?;
        }
        for inner in &groups {
            self.count(inner.name())?;
            // A group is called after its layer's class; in newer files the group of its variables has the layer's own name.
            let is_inner = inner.name() == "vars";
            let name = if is_inner { Attributes::of(inner)?.text("name") } else { Some(inner.name().to_owned()) };
            self.layers.extend(name.filter(|name| name.len() <= LONGEST_PATH));
            if depth > 0 || !SIBLINGS.contains(&inner.name()) {
                self.tree(inner, &format!("{path}{}/", inner.name()), depth + 1)?;
            }
        }
        Ok(())
    }

    fn dataset(&mut self, dataset: &Dataset, path: String) -> Result<()> {
        self.path_bytes += path.len();
        if path.len() > LONGEST_PATH || self.path_bytes > LONGEST_PATHS {
            return Err(Error::checkpoint(format!("HDF5: expected paths of at most {LONGEST_PATH} bytes, found one of {}", path.len())));
        }
        let dtype = dtype(dataset)
            .ok_or_else(|| Error::checkpoint(format!("{path}: expected numbers in little-endian order, found another type")))?;
        let shape = dataset.shape().iter().map(|&n| usize::try_from(n)).collect::<Result<Vec<_>, _>>();
        let shape = shape.map_err(|_| Error::checkpoint(format!("{path}: expected a shape that fits in memory, found a larger one")))?;
        // A chunk is unpacked whole, however little of it the dataset is.
        let chunk = dataset.chunks().unwrap_or_default().iter().fold(dtype.bytes(), |bytes, &side| bytes.saturating_mul(side as usize));
        let byte_count = dataset.raw_byte_len().map_err(damaged)?.max(chunk);
        let Some(left) = self.byte_budget.checked_sub(byte_count) else {
            let expected = format!("at most {} bytes more in a file of this size", self.byte_budget);
            return Err(Error::checkpoint(format!("{path}: expected {expected}, found {byte_count}")));
        };
        self.byte_budget = left;
        let bytes = dataset.read_raw_bytes().map_err(damaged)?;
        self.tensors.push(Stored::contiguous(path, shape, dtype, Rc::new(Cow::Owned(bytes)))?);
        Ok(())
    }

    /// Counts a group or dataset of that name.
    fn count(&mut self, name: &str) -> Result<()> {
        self.objects += 1;
        if self.objects > MOST_OBJECTS || name.len() > LONGEST_PATH {
            let found = format!("{} with a name of {} bytes", self.objects, name.len());
            return Err(Error::checkpoint(format!("HDF5: expected at most {MOST_OBJECTS} groups and datasets, found {found}")));
        }
        Ok(())
    }
}

/// The group at the end of a path below `group`.
fn descend<'p>(group: &Group, mut path: impl Iterator<Item = &'p str>) -> Result<Group> {
    path.try_fold(group.clone(), |folder, part| folder.group(part)).map_err(damaged)
}

/// The dtype of a dataset; `None` for text and for numbers in another byte order.
fn dtype(dataset: &Dataset) -> Option<Dtype> {
    let little = |order: &ByteOrder| matches!(order, ByteOrder::LittleEndian);
    match dataset.dtype() {
        Datatype::FloatingPoint { size: 2, byte_order } if little(byte_order) => Some(Dtype::F16),
        Datatype::FloatingPoint { size: 4, byte_order } if little(byte_order) => Some(Dtype::F32),
        Datatype::FloatingPoint { size: 8, byte_order } if little(byte_order) => Some(Dtype::F64),
        // HDF5 has no name for it: Keras writes opaque bytes.
        Datatype::Opaque { size: 2, .. } => Some(Dtype::BF16),
        Datatype::FixedPoint { size, .. } => Some(Dtype::Other { name: "an integer", bytes: usize::from(*size) }),
        _ => None,
    }
}

/// The attributes of a group by name.
struct Attributes(BTreeMap<String, Attribute>);

impl Attributes {
    /// Reads all at once: to find one, the reader decodes every one anyway.
    fn of(group: &Group) -> Result<Self> {
        let attributes = group.attributes().map_err(damaged)?;
        Ok(Self(attributes.into_iter().map(|attribute| (attribute.name.clone(), attribute)).collect()))
    }

    fn text(&self, name: &str) -> Option<String> {
        all_texts(self.0.get(name)?)?.into_iter().next()
    }

    /// The texts of an attribute; `None` where there is none. More than 64 KiB are in attributes `name0`, `name1`, …
    fn texts(&self, name: &str) -> Result<Option<Vec<String>>> {
        let parts: Vec<&Attribute> = match self.0.get(name) {
            Some(attribute) => vec![attribute],
            None => (0..).map_while(|part| self.0.get(&format!("{name}{part}"))).collect(),
        };
        let texts: Option<Vec<Vec<String>>> = parts.iter().map(|attribute| all_texts(attribute)).collect();
        let texts =
            texts.ok_or_else(|| Error::checkpoint(format!("HDF5: expected texts in the attribute {name}, found something else")))?;
        Ok(if parts.is_empty() { None } else { Some(texts.concat()) })
    }
}

fn all_texts(attribute: &Attribute) -> Option<Vec<String>> {
    // NumPy writes an empty list as one of floats.
    if attribute.shape.contains(&0) {
        return Some(Vec::new());
    }
    attribute.read_strings().or_else(|_| attribute.read_string().map(|text| vec![text])).ok()
}

fn damaged(error: hdf5_reader::error::Error) -> Error {
    let text: String = error.to_string().chars().take(300).collect();
    Error::checkpoint(format!("HDF5: {text}; the file is damaged or cut, get it again"))
}
