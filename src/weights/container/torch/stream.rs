//! The stream of five pickles and the storages that `torch.save` wrote before version 1.6 (`torch/serialization.py`, `_legacy_save`).

use std::borrow::Cow;

use super::storage::{References, Storages};
use super::walk::contents;
use crate::error::{Error, Result};
use crate::weights::container::pickle::{Pickle, Value};
use crate::weights::container::{Container, Contents};

/// The number that a stream begins with, the lowest byte first.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The version of the stream format; there was but one.
const PROTOCOL: i64 = 1001;

/// Whether a file begins as a stream does: a pickle of the magic number, since protocol 4 in a frame.
pub(in crate::weights::container) fn is_legacy(bytes: &[u8]) -> bool {
    let number = match bytes {
        [0x80, 4 | 5, 0x95, _, _, _, _, _, _, _, _, number @ ..] => number,
        [0x80, _, number @ ..] => number,
        _ => return false,
    };
    number.strip_prefix(&[0x8a, MAGIC.len() as u8]).is_some_and(|magic| magic.starts_with(&MAGIC))
}

/// Reads a stream: magic number, protocol, the writer's machine, what was saved, the storages' keys, the storages.
pub(in crate::weights::container) fn read(bytes: &[u8]) -> Result<Contents<'_>> {
    let mut rest = bytes;
    let mut next = || -> Result<Pickle> {
        let (pickle, length) = Pickle::read(rest)?;
        rest = &rest[length..];
        Ok(pickle)
    };
    let [_magic, protocol, machine] = [next()?, next()?, next()?];
    if protocol.int(protocol.root()) != Some(PROTOCOL) {
        let found = protocol.value(protocol.root());
        return Err(Error::checkpoint(format!("PyTorch stream: expected protocol {PROTOCOL}, found {found:?}")));
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
        let Some(reference) = references.storage(key) else {
            return Err(Error::checkpoint(format!("storage {key}: expected a tensor that views it, found none")));
        };
        let count = usize::try_from(u64::from_le_bytes(*count)).ok();
        let byte_count = count.and_then(|count| count.checked_mul(reference.dtype.bytes())).unwrap_or(usize::MAX);
        let Some(bytes) = after.get(..byte_count) else { return Err(cut(byte_count, after.len())) };
        rest = &after[byte_count..];
        storages.insert(key, reference, Cow::Borrowed(bytes))?;
    }
    contents(Container::TorchLegacy, &pickle, &references, &storages)
}
