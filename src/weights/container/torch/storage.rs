//! The storages beside a pickle, which its tensors are views of.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::{LONGEST_NAME, MOST_TENSORS};
use crate::error::{Error, Result};
use crate::weights::container::pickle::{Id, Pickle, Value};
use crate::weights::container::{Dtype, Storage};

/// A storage as the pickle describes it: `('storage', type, key, location, count)`, for a stream also a view of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) dtype: Dtype,
    pub(super) element_count: usize,
}

/// The storages that a pickle refers to.
pub(super) struct References {
    /// By the position of the persistent value: the storage's key and where in it a view begins.
    by_id: HashMap<Id, (Rc<str>, usize, Reference)>,
    /// By key: the whole storage.
    by_key: HashMap<Rc<str>, Reference>,
}

impl References {
    pub(super) fn of(pickle: &Pickle) -> Result<Self> {
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

    /// The whole storage of that key.
    pub(super) fn storage(&self, key: &str) -> Option<Reference> {
        self.by_key.get(key).copied()
    }

    /// Of a persistent value the storage's key, where in it the view begins, and the whole storage.
    pub(super) fn view(&self, id: Id) -> Option<&(Rc<str>, usize, Reference)> {
        self.by_id.get(&id)
    }

    /// All storages by key.
    pub(super) fn storages(&self) -> impl Iterator<Item = (&str, Reference)> {
        self.by_key.iter().map(|(key, &reference)| (&**key, reference))
    }
}

/// Key, first element of a view of it, and dtype and number of elements of the whole storage.
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
    Some((key, offset, Reference { dtype: dtype(class)?, element_count }))
}

/// The dtype of `torch.FloatStorage` and its like, or of `torch.float32` and its like.
pub(super) fn dtype(name: &str) -> Option<Dtype> {
    let other = |name, bytes| Some(Dtype::Other { name, bytes });
    match name {
        "HalfStorage" | "float16" => Some(Dtype::F16),
        "BFloat16Storage" | "bfloat16" => Some(Dtype::BF16),
        "FloatStorage" | "float32" => Some(Dtype::F32),
        "DoubleStorage" | "float64" => Some(Dtype::F64),
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
pub(super) struct Storages<'a>(HashMap<String, Storage<'a>>);

impl<'a> Storages<'a> {
    /// Adds the bytes of a storage. Errors where they are more or fewer than the pickle says.
    pub(super) fn insert(&mut self, key: &str, reference: Reference, bytes: Cow<'a, [u8]>) -> Result<()> {
        if reference.element_count.checked_mul(reference.dtype.bytes()) != Some(bytes.len()) {
            let Reference { dtype, element_count } = reference;
            return Err(Error::checkpoint(format!(
                "storage {key}: expected {element_count} elements of {dtype}, found {} bytes; the file is damaged, get it again",
                bytes.len()
            )));
        }
        self.0.insert(key.to_owned(), Rc::new(bytes));
        Ok(())
    }

    /// The storage of that key.
    pub(super) fn get(&self, key: &str) -> Option<&Storage<'a>> {
        self.0.get(key)
    }

    /// Bytes of all storages.
    pub(super) fn byte_count(&self) -> usize {
        self.0.values().map(|storage| storage.len()).sum()
    }
}
