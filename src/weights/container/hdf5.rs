//! HDF5 files as Keras writes them: groups of datasets, the weights of a layer in the order of an attribute.
//!
//! Two layouts: Keras 2's, still written as `.h5` (attributes `layer_names` and `weight_names` list everything), and
//! Keras 3's `.weights.h5` (groups `layers/<class>_<number>/vars/<number>`).

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

use hdf5_reader::group::Group;
use hdf5_reader::{Attribute, ByteOrder, Dataset, Datatype, Hdf5File, OpenOptions};

use super::{Container, Contents, Element, Stored};
use crate::error::{Error, Result};

/// Deepest nesting of groups. A network in a network in a Keras 3 file has 7 levels; damaged files have cycles.
const DEEPEST: usize = 32;

/// Most groups and datasets. A DenseNet-264 with its optimizer has some 8,000.
const MOST_OBJECTS: usize = 1 << 16;

/// Groups at the top that are no part of the network, each with the reason.
const SIBLINGS: [(&str, &str); 2] = [
    ("optimizer_weights", "the state of training: inference never reads it"),
    ("optimizer", "the state of training: inference never reads it"),
];

/// How many times the file's own size all datasets together may have. Keras does not compress.
const LARGEST_EXPANSION: usize = 8;

/// Reads a file that is in memory. The datasets are copied out of it: chunks may be compressed.
pub(super) fn read(bytes: &[u8], container: Container) -> Result<Contents<'static>> {
    // Data that was never written is in no chunk, whatever its size: without a limit a few bytes would become terabytes.
    let byte_budget = LARGEST_EXPANSION.saturating_mul(bytes.len());
    let options =
        OpenOptions::default().with_max_read_bytes(byte_budget).with_max_chunk_bytes(byte_budget).with_max_object_header_bytes(bytes.len());
    let file = Hdf5File::from_bytes_with_options(bytes, options).map_err(damaged)?;
    let end = file.superblock().eof_address;
    if end > bytes.len() as u64 {
        return Err(Error::Checkpoint(format!("HDF5: expected {end} bytes, found {}; the file is cut, get it again", bytes.len())));
    }
    let root = file.root_group().map_err(damaged)?;
    let mut reader = Reader { byte_budget, objects: 0, visited: HashSet::new(), tensors: Vec::new() };
    let keras_config = string(&root, "model_config");
    // A whole model keeps its weights in a group of their own.
    let weights = root.group("model_weights").unwrap_or(root);
    match strings(&weights, "layer_names")? {
        Some(layers) => reader.listed(&weights, &layers)?,
        None => reader.tree(&weights, "", 0)?,
    }
    let byte_count = reader.tensors.iter().map(|tensor| tensor.elements().unwrap_or(0) * tensor.element.bytes()).sum();
    Ok(Contents { tensors: reader.tensors, keras_config, ..Contents::new(container, byte_count) })
}

struct Reader {
    byte_budget: usize,
    objects: usize,
    visited: HashSet<u64>,
    tensors: Vec<Stored<'static>>,
}

impl Reader {
    /// The weights of each layer in the order of the attributes, Keras 2's layout.
    fn listed(&mut self, weights: &Group, layers: &[String]) -> Result<()> {
        for layer in layers {
            self.count()?;
            // In 2018 layers were called conv1/conv, which makes a group in a group.
            let group = descend(weights, layer.split('/'))?;
            for name in strings(&group, "weight_names")?.unwrap_or_default() {
                self.count()?;
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
        self.count()?;
        if depth > DEEPEST || !self.visited.insert(group.address()) {
            return Err(Error::Checkpoint(format!("HDF5: expected groups without cycles, found one at {path:?}; get the file again")));
        }
        let (groups, datasets) = group.members().map_err(damaged)?;
        for dataset in &datasets {
            self.count()?;
            self.dataset(dataset, format!("{path}{}", dataset.name()))?;
        }
        for inner in &groups {
            if depth > 0 || SIBLINGS.iter().all(|(name, _)| *name != inner.name()) {
                self.tree(inner, &format!("{path}{}/", inner.name()), depth + 1)?;
            }
        }
        Ok(())
    }

    fn dataset(&mut self, dataset: &Dataset, name: String) -> Result<()> {
        let element = element(dataset)
            .ok_or_else(|| Error::Checkpoint(format!("{name}: expected numbers in little-endian order, found {:?}", dataset.dtype())))?;
        let shape = dataset.shape().iter().map(|&n| usize::try_from(n)).collect::<Result<Vec<_>, _>>();
        let shape =
            shape.map_err(|_| Error::Checkpoint(format!("{name}: expected a shape that fits in memory, found {:?}", dataset.shape())))?;
        let byte_count = dataset.raw_byte_len().map_err(damaged)?;
        let Some(left) = self.byte_budget.checked_sub(byte_count) else {
            return Err(Error::Checkpoint(format!(
                "{name}: expected at most {} bytes more in a file of this size, found {byte_count}",
                self.byte_budget
            )));
        };
        self.byte_budget = left;
        let bytes = dataset.read_raw_bytes().map_err(damaged)?;
        self.tensors.push(Stored::contiguous(name, shape, element, Rc::new(Cow::Owned(bytes)))?);
        Ok(())
    }

    fn count(&mut self) -> Result<()> {
        self.objects += 1;
        if self.objects > MOST_OBJECTS {
            return Err(Error::Checkpoint(format!("HDF5: expected at most {MOST_OBJECTS} groups and datasets, found more")));
        }
        Ok(())
    }
}

/// The group at the end of a path below `group`.
fn descend<'p>(group: &Group, mut path: impl Iterator<Item = &'p str>) -> Result<Group> {
    path.try_fold(group.clone(), |folder, part| folder.group(part)).map_err(damaged)
}

/// The type of a dataset's elements; `None` for text and for numbers in another byte order.
fn element(dataset: &Dataset) -> Option<Element> {
    let little = |order: &ByteOrder| matches!(order, ByteOrder::LittleEndian);
    match dataset.dtype() {
        Datatype::FloatingPoint { size: 2, byte_order } if little(byte_order) => Some(Element::F16),
        Datatype::FloatingPoint { size: 4, byte_order } if little(byte_order) => Some(Element::F32),
        Datatype::FloatingPoint { size: 8, byte_order } if little(byte_order) => Some(Element::F64),
        // HDF5 has no name for it: Keras writes opaque bytes, `.keras` with an attribute that says what they are.
        Datatype::Opaque { size: 2, .. } => Some(Element::BF16),
        Datatype::FixedPoint { size, .. } => Some(Element::Other { name: "an integer", bytes: usize::from(*size) }),
        _ => None,
    }
}

fn string(group: &Group, name: &str) -> Option<String> {
    let attribute = group.attribute(name).ok()?;
    let strings = all_strings(&attribute)?;
    // Keras splits a configuration that is too long for one attribute.
    strings.into_iter().next()
}

/// The strings of an attribute; `None` where there is none.
fn strings(group: &Group, name: &str) -> Result<Option<Vec<String>>> {
    if let Ok(attribute) = group.attribute(name) {
        let expected =
            || Error::Checkpoint(format!("HDF5: expected strings in the attribute {name} of {:?}, found something else", group.name()));
        return all_strings(&attribute).map(Some).ok_or_else(expected);
    }
    // More than 64 KiB of names go into attributes name0, name1, …
    let parts = (0..).map_while(|part| group.attribute(&format!("{name}{part}")).ok());
    let parts: Option<Vec<Vec<String>>> = parts.map(|attribute| all_strings(&attribute)).collect();
    Ok(parts.map(|parts| parts.concat()).filter(|names| !names.is_empty()))
}

fn all_strings(attribute: &Attribute) -> Option<Vec<String>> {
    // NumPy writes an empty list as one of floats.
    if attribute.shape.contains(&0) {
        return Some(Vec::new());
    }
    attribute.read_strings().or_else(|_| attribute.read_string().map(|string| vec![string])).ok()
}

fn damaged(error: hdf5_reader::error::Error) -> Error {
    let text: String = error.to_string().chars().take(300).collect();
    Error::Checkpoint(format!("HDF5: {text}; the file is damaged or cut, get it again"))
}
