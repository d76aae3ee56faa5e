//! A tensor as a pickle describes it: what rebuilds it, and the view of a storage that it is.

use super::storage::{References, Storages, dtype};
use crate::error::{Error, Result};
use crate::weights::container::pickle::{Id, Pickle};
use crate::weights::container::{Stored, no_floats};

/// Deepest nesting of what rebuilds a tensor: a parameter of a tensor of a class of its own.
const DEEPEST_TENSOR: usize = 4;

/// Most dimensions of a tensor.
const MOST_DIMENSIONS: usize = 8;

/// The tensor at that position, where it is one.
pub(super) fn tensor<'a>(
    pickle: &Pickle,
    references: &References,
    storages: &Storages<'a>,
    id: Id,
    name: &str,
) -> Result<Option<Stored<'a>>> {
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
    let Some((key, view_offset, reference)) = references.view(storage) else { return Err(not_a_tensor(name)) };
    let Some(storage) = storages.get(key) else {
        return Err(Error::checkpoint(format!("{name}: expected storage {key}, found none; the file is cut, get it again")));
    };
    let offset = view_offset.checked_add(offset).ok_or_else(|| not_a_tensor(name))?;
    let dtype = if is_of_bytes {
        let (_, torch_name) = arguments.get(6).and_then(|&dtype| pickle.global(dtype)).ok_or_else(|| not_a_tensor(name))?;
        dtype(torch_name).ok_or_else(|| no_floats(name, torch_name))?
    } else {
        reference.dtype
    };
    Stored::strided(name, shape, dtype, storage.clone(), offset, strides).map(Some)
}

fn not_a_tensor(name: &str) -> Error {
    Error::checkpoint(format!("{name}: expected a tensor's storage, offset, sizes and strides, found something else"))
}
