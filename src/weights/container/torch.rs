//! PyTorch's own files: a pickle of what was saved, beside it the storages that its tensors are views of.
//!
//! Since version 1.6 `torch.save` writes a zip archive (`<name>/data.pkl`, `<name>/data/<key>`); before, and still on
//! request, a stream of five pickles followed by the storages (`torch/serialization.py`, `_legacy_save`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::archive::Archive;
use super::arguments::arguments;
use super::class_names::class_names;
use super::pickle::{Id, Pickle, Value};
use super::{Container, Contents, Element, Module, Storage, Stored, no_floats};
use crate::error::{Error, Result};

/// The number that a stream begins with, the lowest byte first.
const LEGACY_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The version of the stream format; there was but one.
const LEGACY_PROTOCOL: i64 = 1001;

/// Deepest nesting of dictionaries, lists and modules around a tensor. A DenseNet in DataParallel in a trainer has 8.
const DEEPEST: usize = 64;

/// Deepest nesting of what rebuilds a tensor: a parameter of a tensor of a class of its own.
const DEEPEST_TENSOR: usize = 4;

/// Longest name of a tensor, of the keys around it, or of a storage, in bytes.
const LONGEST_NAME: usize = 512;

/// Most tensors in a file. A DenseNet-264 with the state of its optimizer has some 4,000.
const MOST_TENSORS: usize = 1 << 16;

/// Bytes of the names of all tensors and of the keys around them.
const LONGEST_NAMES: usize = 4 << 20;

/// Most labels that a module has as an attribute.
const MOST_LABELS: usize = 1 << 12;

/// Most dimensions of a tensor.
const MOST_DIMENSIONS: usize = 8;

/// Reads an archive.
pub(super) fn read_zip<'a>(mut archive: Archive<'a>, prefix: &str, container: Container) -> Result<Contents<'a>> {
    if let Some(order) = archive.entry(&format!("{prefix}byteorder"))?
        && order.trim_ascii() != b"little"
    {
        let found = String::from_utf8_lossy(&order).into_owned();
        return Err(Error::checkpoint(format!("byte order: expected little, found {found:?}; save it again on a little-endian machine")));
    }
    let data = archive.entry(&format!("{prefix}data.pkl"))?;
    let data = data.ok_or_else(|| Error::checkpoint("zip: expected an entry data.pkl, found none"))?;
    let (pickle, _) = Pickle::read(&data)?;
    let references = References::of(&pickle)?;
    let mut storages = Storages::default();
    for (key, storage) in references.roots() {
        let name = format!("{prefix}data/{key}");
        let Some(bytes) = archive.entry(&name)? else {
            return Err(Error::checkpoint(format!("zip: expected an entry {name:?}, found none; the file is cut, get it again")));
        };
        storages.insert(key, storage, bytes)?;
    }
    contents(container, &pickle, &references, &storages)
}

/// Whether a file begins as a stream does: a pickle of the magic number, since protocol 4 in a frame.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    let number = match bytes {
        [0x80, 4 | 5, 0x95, _, _, _, _, _, _, _, _, number @ ..] => number,
        [0x80, _, number @ ..] => number,
        _ => return false,
    };
    number.strip_prefix(&[0x8a, LEGACY_MAGIC.len() as u8]).is_some_and(|magic| magic.starts_with(&LEGACY_MAGIC))
}

/// Reads a stream: magic number, protocol, the writer's machine, what was saved, the storages' keys, the storages.
pub(super) fn read_legacy(bytes: &[u8]) -> Result<Contents<'_>> {
    let mut rest = bytes;
    let mut next = || -> Result<Pickle> {
        let (pickle, length) = Pickle::read(rest)?;
        rest = &rest[length..];
        Ok(pickle)
    };
    let [_magic, protocol, machine] = [next()?, next()?, next()?];
    if protocol.int(protocol.root()) != Some(LEGACY_PROTOCOL) {
        let found = protocol.value(protocol.root());
        return Err(Error::checkpoint(format!("PyTorch stream: expected protocol {LEGACY_PROTOCOL}, found {found:?}")));
    }
    let little = machine.get(machine.root(), "little_endian").map(|id| machine.value(id));
    if let Some(Value::Bool(false)) = little {
        return Err(Error::checkpoint("byte order: expected little, found big; save it again on a little-endian machine"));
    }
    let (pickle, keys) = (next()?, next()?);
    let references = References::of(&pickle)?;
    let mut storages = Storages::default();
    let keys: Vec<&str> = keys.sequence(keys.root()).unwrap_or_default().iter().filter_map(|&key| keys.text(key)).collect();
    for key in keys {
        let cut = |expected: usize, found: usize| {
            Error::checkpoint(format!("storage {key}: expected {expected} bytes, found {found}; the file is cut, get it again"))
        };
        let Some((count, after)) = rest.split_first_chunk::<8>() else { return Err(cut(8, rest.len())) };
        let Some(&reference) = references.by_key.get(key) else {
            return Err(Error::checkpoint(format!("storage {key}: expected a tensor that views it, found none")));
        };
        let count = usize::try_from(u64::from_le_bytes(*count)).ok();
        let byte_count = count.and_then(|count| count.checked_mul(reference.element.bytes())).unwrap_or(usize::MAX);
        let Some(bytes) = after.get(..byte_count) else { return Err(cut(byte_count, after.len())) };
        rest = &after[byte_count..];
        storages.insert(key, reference, Cow::Borrowed(bytes))?;
    }
    contents(Container::TorchLegacy, &pickle, &references, &storages)
}

/// A storage as the pickle describes it: `('storage', type, key, location, count)`, for a stream also a view of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reference {
    element: Element,
    element_count: usize,
}

/// The storages that a pickle refers to.
struct References {
    /// By the position of the persistent value: the storage's key and where in it a view begins.
    by_id: HashMap<Id, (Rc<str>, usize, Reference)>,
    /// By key: the whole storage.
    by_key: HashMap<Rc<str>, Reference>,
}

impl References {
    fn of(pickle: &Pickle) -> Result<Self> {
        let mut references = Self { by_id: HashMap::new(), by_key: HashMap::new() };
        for id in 0..pickle.len() as Id {
            let Value::Persistent(description) = pickle.value(id) else { continue };
            if references.by_id.len() == MOST_TENSORS {
                return Err(Error::checkpoint(format!("pickle: expected at most {MOST_TENSORS} storages, found more")));
            }
            let parts = pickle.sequence(*description).unwrap_or_default();
            match parts.first().and_then(|&kind| pickle.text(kind)) {
                Some("storage") => {
                    let (key, offset, reference) = storage(pickle, &parts[1..]).ok_or_else(|| {
                        Error::checkpoint("pickle: expected a storage's type, key, location and number of elements, found something else")
                    })?;
                    let key = references.by_key.get_key_value(&key).map_or(key, |(known, _)| known.clone());
                    let known = references.by_key.entry(key.clone()).or_insert(reference);
                    if *known != reference {
                        let found = format!("{known:?} and {reference:?}");
                        return Err(Error::checkpoint(format!("storage {key}: expected one description, found {found}")));
                    }
                    references.by_id.insert(id, (key, offset, reference));
                }
                _ => return Err(Error::checkpoint("pickle: expected references to storages only, found another kind")),
            }
        }
        Ok(references)
    }

    fn roots(&self) -> impl Iterator<Item = (&str, Reference)> {
        self.by_key.iter().map(|(key, &reference)| (&**key, reference))
    }
}

/// Key, first element of a view of it, and type and number of elements of the whole storage.
fn storage(pickle: &Pickle, parts: &[Id]) -> Option<(Rc<str>, usize, Reference)> {
    let &[class, key, _location, count, ref rest @ ..] = parts else { return None };
    let (_, class) = pickle.global(class)?;
    let element_count = usize::try_from(pickle.int(count)?).ok()?;
    let key = match pickle.value(key) {
        Value::Text(text) if text.len() <= LONGEST_NAME => text.as_str().into(),
        Value::Int(int) => int.to_string().into(),
        _ => return None,
    };
    let offset = match rest.first().map(|&view| pickle.value(view)) {
        None | Some(Value::None) => 0,
        Some(Value::Sequence(view)) => usize::try_from(pickle.int(*view.get(1)?)?).ok()?,
        Some(_) => return None,
    };
    Some((key, offset, Reference { element: element(class)?, element_count }))
}

/// The element type of `torch.FloatStorage` and its like, or of `torch.float32` and its like.
fn element(name: &str) -> Option<Element> {
    let other = |name, bytes| Some(Element::Other { name, bytes });
    match name {
        "HalfStorage" | "float16" => Some(Element::F16),
        "BFloat16Storage" | "bfloat16" => Some(Element::BF16),
        "FloatStorage" | "float32" => Some(Element::F32),
        "DoubleStorage" | "float64" => Some(Element::F64),
        "LongStorage" | "int64" => other("i64", 8),
        "IntStorage" | "int32" => other("i32", 4),
        "ShortStorage" | "int16" => other("i16", 2),
        "CharStorage" | "int8" => other("i8", 1),
        "ByteStorage" | "uint8" => other("u8", 1),
        "BoolStorage" | "bool" => other("bool", 1),
        "UntypedStorage" | "_UntypedStorage" => other("bytes", 1),
        "uint16" => other("u16", 2),
        "uint32" => other("u32", 4),
        "uint64" => other("u64", 8),
        "float8_e4m3fn" => other("f8_e4m3", 1),
        "float8_e5m2" => other("f8_e5m2", 1),
        "float8_e8m0fnu" => other("f8_e8m0", 1),
        "float8_e4m3fnuz" => other("f8_e4m3fnuz", 1),
        "float8_e5m2fnuz" => other("f8_e5m2fnuz", 1),
        "ComplexFloatStorage" => other("complex64", 8),
        "ComplexDoubleStorage" => other("complex128", 16),
        "QInt8Storage" | "QUInt8Storage" => other("quantised", 1),
        "QInt32Storage" => other("quantised", 4),
        _ => None,
    }
}

/// The storages of a file by key.
#[derive(Default)]
struct Storages<'a>(HashMap<String, Storage<'a>>);

impl<'a> Storages<'a> {
    fn insert(&mut self, key: &str, reference: Reference, bytes: Cow<'a, [u8]>) -> Result<()> {
        if reference.element_count.checked_mul(reference.element.bytes()) != Some(bytes.len()) {
            let Reference { element, element_count } = reference;
            return Err(Error::checkpoint(format!(
                "storage {key}: expected {element_count} elements of {element}, found {} bytes; the file is damaged, get it again",
                bytes.len()
            )));
        }
        self.0.insert(key.to_owned(), Rc::new(bytes));
        Ok(())
    }
}

fn contents<'a>(container: Container, pickle: &Pickle, references: &References, storages: &Storages<'a>) -> Result<Contents<'a>> {
    let byte_count = storages.0.values().map(|storage| storage.len()).sum();
    let mut walk = Walk {
        pickle,
        references,
        storages,
        // A tree visits each value once; a graph that shares values visits some again, one made to explode all of them.
        budget: 8 * pickle.len() + 1024,
        tensors: Vec::new(),
        name_bytes: 0,
        modules: Vec::new(),
        epsilons: Vec::new(),
        labels: None,
    };
    walk.enter(pickle.root(), &"".into(), "", 0)?;
    let Walk { tensors, modules, mut epsilons, labels, .. } = walk;
    epsilons.sort_by(f64::total_cmp);
    epsilons.dedup();
    if let [least, .., most] = epsilons[..] {
        return Err(Error::checkpoint(format!("expected one epsilon in all batch norms, found {least} and {most}")));
    }
    Ok(Contents {
        tensors,
        modules,
        epsilon: epsilons.first().map(|&epsilon| epsilon as f32),
        labels,
        class_names: class_names(pickle),
        arguments: arguments(pickle),
        ..Contents::new(container, byte_count)
    })
}

/// A walk through what was saved: dictionaries, lists and modules, to the tensors in them.
struct Walk<'p, 'a> {
    pickle: &'p Pickle,
    references: &'p References,
    storages: &'p Storages<'a>,
    budget: usize,
    tensors: Vec<Stored<'a>>,
    name_bytes: usize,
    modules: Vec<Module>,
    epsilons: Vec<f64>,
    labels: Option<Vec<String>>,
}

impl<'a> Walk<'_, 'a> {
    /// Enters a value that is no tensor. Tensors in it belong to the dictionary `scope`; `prefix` begins their names.
    fn enter(&mut self, id: Id, scope: &Rc<str>, prefix: &str, depth: usize) -> Result<()> {
        self.spend(1)?;
        if prefix.len() > LONGEST_NAME {
            return Err(too_long(prefix.len()));
        }
        if depth > DEEPEST {
            let place: String = scope.chars().take(40).collect();
            return Err(Error::checkpoint(format!(
                "pickle: expected values nested at most {DEEPEST} deep, found deeper ones below {place:?}"
            )));
        }
        let pickle = self.pickle;
        if let Some(entries) = pickle.dict(id) {
            self.spend(entries.len())?;
            if ["state", "param_groups"].iter().all(|key| pickle.get(id, key).is_some()) {
                // An optimizer, whatever it is called: no part of a network.
                return Ok(());
            }
            for &(key, value) in entries {
                let key = self.key(key)?;
                self.visit(value, scope, &key, depth)?;
            }
        } else if let Some(items) = pickle.sequence(id) {
            for (index, &item) in items.iter().enumerate() {
                self.visit(item, scope, &index.to_string(), depth)?;
            }
        } else if let Some((class, _, Some(state))) = pickle.object(id) {
            self.enter_object(class, state, scope, prefix, depth)?;
        }
        Ok(())
    }

    fn visit(&mut self, id: Id, scope: &Rc<str>, key: &str, depth: usize) -> Result<()> {
        self.spend(1)?;
        if let Some(tensor) = self.tensor(id, key)? {
            return self.keep(tensor, scope);
        }
        let is_container = !matches!(
            self.pickle.value(id),
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Long | Value::Float(_) | Value::Text(_) | Value::Bytes
        );
        if is_container {
            let inner = if scope.is_empty() { key.to_owned() } else { format!("{scope}/{key}") };
            if inner.len() > LONGEST_NAME {
                return Err(too_long(inner.len()));
            }
            self.enter(id, &inner.into(), "", depth + 1)?;
        }
        Ok(())
    }

    /// An instance: a module's parameters, buffers and modules, of any other class nothing.
    fn enter_object(&mut self, class: (&str, &str), state: Id, scope: &Rc<str>, prefix: &str, depth: usize) -> Result<()> {
        let pickle = self.pickle;
        // Attributes beside slots come as a pair.
        let state = pickle.sequence(state).and_then(|pair| pair.first().copied()).unwrap_or(state);
        let Some(entries) = pickle.dict(state) else { return Ok(()) };
        self.spend(entries.len())?;
        if class.0.starts_with("__torch__") {
            return self.enter_scripted(entries, scope, prefix, depth);
        }
        let Some(modules) = pickle.get(state, "_modules") else { return Ok(()) };
        self.keep_module(class, state, modules, scope, prefix)?;
        if class.1.contains("BatchNorm")
            && let Some(Value::Float(epsilon)) = pickle.get(state, "eps").map(|id| pickle.value(id))
        {
            self.epsilons.push(*epsilon);
        }
        if prefix.is_empty() {
            let names = ["pathologies", "targets"].iter().find_map(|name| pickle.sequence(pickle.get(state, name)?));
            let label = |&name: &Id| pickle.text(name).filter(|text| text.len() <= LONGEST_NAME).map(str::to_owned);
            let labels = names.filter(|names| names.len() <= MOST_LABELS).and_then(|names| names.iter().map(label).collect());
            self.labels = labels.or(self.labels.take());
        }
        for holder in ["_parameters", "_buffers"] {
            let held = pickle.get(state, holder).and_then(|held| pickle.dict(held)).unwrap_or_default();
            for &(key, value) in held {
                self.spend(1)?;
                let name = format!("{prefix}{}", self.key(key)?);
                if let Some(tensor) = self.tensor(value, &name)? {
                    self.keep(tensor, scope)?;
                }
            }
        }
        for &(key, module) in pickle.dict(modules).unwrap_or_default() {
            let inner = format!("{prefix}{}.", self.key(key)?);
            self.enter(module, scope, &inner, depth + 1)?;
        }
        Ok(())
    }

    /// A module of TorchScript: its attributes are its tensors and modules, and what they compute is in the program, which is not
    /// looked at.
    fn enter_scripted(&mut self, entries: &[(Id, Id)], scope: &Rc<str>, prefix: &str, depth: usize) -> Result<()> {
        for &(key, value) in entries {
            let name = format!("{prefix}{}", self.key(key)?);
            if let Some(tensor) = self.tensor(value, &name)? {
                self.keep(tensor, scope)?;
            } else if self.pickle.object(value).is_some_and(|(class, ..)| class.0.starts_with("__torch__")) {
                self.enter(value, scope, &format!("{name}."), depth + 1)?;
            }
        }
        Ok(())
    }

    fn key(&self, id: Id) -> Result<String> {
        match self.pickle.value(id) {
            Value::Text(text) if text.len() > LONGEST_NAME => Err(too_long(text.len())),
            Value::Text(text) => Ok(text.clone()),
            Value::Int(int) => Ok(int.to_string()),
            _ => Ok("?".into()),
        }
    }

    fn keep_module(&mut self, class: (&str, &str), state: Id, inner: Id, scope: &Rc<str>, prefix: &str) -> Result<()> {
        let pickle = self.pickle;
        self.name_bytes += prefix.len() + class.0.len() + class.1.len();
        self.check_names()?;
        // One number stands for both sides.
        let pair = |name: &str| -> Option<[i64; 2]> {
            let id = pickle.get(state, name)?;
            match pickle.value(id) {
                Value::Int(int) => Some([*int; 2]),
                Value::Sequence(pair) => {
                    <[Id; 2]>::try_from(pair.as_slice()).ok().and_then(|[a, b]| Some([pickle.int(a)?, pickle.int(b)?]))
                }
                _ => None,
            }
        };
        self.modules.push(Module {
            scope: scope.clone(),
            path: prefix.strip_suffix('.').unwrap_or(prefix).to_owned(),
            named: None,
            class: format!("{}.{}", class.0, class.1),
            is_leaf: pickle.dict(inner).is_none_or(<[_]>::is_empty),
            kernel: pair("kernel_size"),
            stride: pair("stride"),
            padding: pair("padding"),
            dilation: pair("dilation"),
            groups: pickle.get(state, "groups").and_then(|groups| pickle.int(groups)),
            pads_zeros: pickle.get(state, "padding_mode").and_then(|mode| pickle.text(mode)).is_none_or(|mode| mode == "zeros"),
            rounds_up: pickle.get(state, "ceil_mode").is_some_and(|mode| matches!(pickle.value(mode), Value::Bool(true))),
            slope: pickle.get(state, "negative_slope").and_then(|slope| match pickle.value(slope) {
                Value::Float(slope) => Some(*slope),
                Value::Int(slope) => Some(*slope as f64),
                _ => None,
            }),
            approximates: pickle.get(state, "approximate").and_then(|how| pickle.text(how)) == Some("tanh"),
        });
        Ok(())
    }

    fn keep(&mut self, tensor: Stored<'a>, scope: &Rc<str>) -> Result<()> {
        self.name_bytes += tensor.name.len();
        self.check_names()?;
        self.tensors.push(tensor.in_scope(scope));
        Ok(())
    }

    fn check_names(&self) -> Result<()> {
        if self.tensors.len() == MOST_TENSORS || self.name_bytes > LONGEST_NAMES {
            let found = format!("more than {} tensors with names of {} bytes", self.tensors.len(), self.name_bytes);
            return Err(Error::checkpoint(format!(
                "pickle: expected at most {MOST_TENSORS} tensors and {LONGEST_NAMES} bytes, found {found}"
            )));
        }
        Ok(())
    }

    fn spend(&mut self, visits: usize) -> Result<()> {
        let left = self.budget.checked_sub(visits);
        self.budget = left.ok_or_else(|| Error::checkpoint("pickle: expected a tree of values, found one that repeats itself"))?;
        Ok(())
    }

    /// The tensor at that position, where it is one.
    fn tensor(&self, id: Id, name: &str) -> Result<Option<Stored<'a>>> {
        let pickle = self.pickle;
        let (mut class, mut arguments) = match pickle.object(id) {
            Some((class, arguments, _)) => (class, pickle.sequence(arguments).unwrap_or_default()),
            None => return Ok(None),
        };
        // A parameter, or a tensor of a class of its own, is around the tensor that it is.
        for _ in 0..DEEPEST_TENSOR {
            let inner = match class {
                ("torch._utils", name) if name.starts_with("_rebuild_parameter") => {
                    arguments.first().and_then(|&inner| pickle.object(inner)).map(|(class, arguments, _)| (class, arguments))
                }
                // Function, class, the function's arguments.
                ("torch._tensor", name) if name.starts_with("_rebuild_from_type") => match *arguments {
                    [function, _, inner, ..] => pickle.global(function).map(|function| (function, inner)),
                    _ => None,
                },
                _ => break,
            };
            let Some((inner_class, inner_arguments)) = inner else { return Err(not_a_tensor(name)) };
            (class, arguments) = (inner_class, pickle.sequence(inner_arguments).unwrap_or_default());
        }
        // Types without a storage of their own are behind bytes: storage, offset, sizes, strides, gradient, hooks, type.
        let is_of_bytes = class.1 == "_rebuild_tensor_v3";
        let is_rebuilt = is_of_bytes || ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_qtensor"].contains(&class.1);
        if class.0 != "torch._utils" || !is_rebuilt {
            return Ok(None);
        }
        let &[storage, offset, shape, strides, ..] = arguments else { return Err(not_a_tensor(name)) };
        let numbers = |id: Id| -> Option<Vec<usize>> {
            let items = pickle.sequence(id).filter(|items| items.len() <= MOST_DIMENSIONS)?.iter();
            items.map(|&item| usize::try_from(pickle.int(item)?).ok()).collect()
        };
        let offset = pickle.int(offset).and_then(|offset| usize::try_from(offset).ok());
        let (Some(offset), Some(shape), Some(strides)) = (offset, numbers(shape), numbers(strides)) else {
            return Err(not_a_tensor(name));
        };
        let Some((key, view_offset, reference)) = self.references.by_id.get(&storage) else { return Err(not_a_tensor(name)) };
        let Some(storage) = self.storages.0.get(&**key) else {
            return Err(Error::checkpoint(format!("{name}: expected storage {key}, found none; the file is cut, get it again")));
        };
        let offset = view_offset.checked_add(offset).ok_or_else(|| not_a_tensor(name))?;
        let element = if is_of_bytes {
            let (_, dtype) = arguments.get(6).and_then(|&dtype| pickle.global(dtype)).ok_or_else(|| not_a_tensor(name))?;
            element(dtype).ok_or_else(|| no_floats(name, dtype))?
        } else {
            reference.element
        };
        Stored::strided(name, shape, element, storage.clone(), offset, strides).map(Some)
    }
}

fn too_long(found: usize) -> Error {
    Error::checkpoint(format!("pickle: expected names of at most {LONGEST_NAME} bytes, found one of {found}"))
}

fn not_a_tensor(name: &str) -> Error {
    Error::checkpoint(format!("{name}: expected a tensor's storage, offset, sizes and strides, found something else"))
}
