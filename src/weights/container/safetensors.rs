//! The safetensors container: a length, a JSON header, the elements of all tensors.
//!
//! Format: <https://huggingface.co/docs/safetensors/index#format>.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use safetensors::tensor::{self, Metadata as Header, View, serialize};

use super::{Container, Contents, Dtype, Stored, class_names_in_json, no_floats};
use crate::error::{Error, Result};
use crate::weights::{Tensor, Weights};

/// Our only key in `__metadata__`: the format's writer takes keys from a hash map, so two would be written in either order.
const KEY: &str = "densenet";

/// Longest header that is read. A DenseNet-264's has 150 KB.
const LARGEST_HEADER: u64 = 2 << 20;

/// Reads the header: all tensors, and the text of our metadata key.
pub(super) fn read(bytes: &[u8]) -> Result<Contents<'_>> {
    let (header, data) = split(bytes)?;
    let mut contents = Contents::new(Container::Safetensors, data.len());
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else { continue };
        let dtype = dtype(info.dtype).ok_or_else(|| no_floats(&name, info.dtype))?;
        // The header was validated: offsets ascend without gaps, and `split` compared the last with the data.
        let (start, end) = info.data_offsets;
        let storage = Rc::new(Cow::Borrowed(&data[start..end]));
        contents.tensors.push(Stored::contiguous(name, info.shape.clone(), dtype, storage)?);
    }
    let entries = header.metadata().as_ref();
    contents.description = entries.and_then(|entries| entries.get(KEY)).cloned();
    // Values are texts there: other programs write JSON into them.
    let written = |(key, text): (&String, &String)| Some((key.clone(), serde_json::from_str::<serde_json::Value>(text).ok()?));
    contents.class_names = class_names_in_json(&entries.into_iter().flatten().filter_map(written).collect());
    Ok(contents)
}

/// Writes all tensors as 32-bit floats and `metadata` under our key: the same arguments make the same bytes.
pub(in crate::weights) fn write(weights: &Weights, metadata: String) -> Result<Vec<u8>> {
    let entries = HashMap::from([(KEY.to_owned(), metadata)]);
    serialize(weights.iter(), Some(entries)).map_err(|e| Error::checkpoint(format!("cannot be written: {e}")))
}

/// Whether the file at `path` is a safetensors file with our metadata, as [`write`] makes it. Only its header is read; errors where
/// that cannot be.
pub(in crate::weights) fn is_ours(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut length = [0; 8];
    let mut header = Vec::new();
    file.by_ref().take(length.len() as u64).read_to_end(&mut header)?;
    if header.len() < length.len() {
        return Ok(false);
    }
    length.copy_from_slice(&header);
    header.clear();
    file.take(u64::from_le_bytes(length).min(LARGEST_HEADER)).read_to_end(&mut header)?;
    let header: Option<Header> = serde_json::from_slice(&header).ok();
    Ok(header.is_some_and(|header| header.metadata().as_ref().is_some_and(|entries| entries.contains_key(KEY))))
}

// The crate's own reader adds lengths from the file without checking for overflow, and says less about truncation.
fn split(bytes: &[u8]) -> Result<(Header, &[u8])> {
    let damaged = |what: &dyn std::fmt::Display| Error::checkpoint(format!("safetensors {what}; the file is damaged, get it again"));
    let truncated = |what: &str, expected: u64, found: usize| {
        Error::checkpoint(format!("safetensors {what}: expected {expected} bytes, found {found}; the file is truncated, get it again"))
    };
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(truncated("header length", 8, bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    if length > LARGEST_HEADER && rest.len() as u64 > LARGEST_HEADER {
        return Err(damaged(&format!("header: expected at most {LARGEST_HEADER} bytes, found {length}")));
    }
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let Some(header) = header else {
        return Err(truncated("header", length, rest.len()));
    };
    let data = &rest[header.len()..];
    let header: Header =
        serde_json::from_slice(header).map_err(|error| of_a_newer_type(header).unwrap_or_else(|| damaged(&format!("header: {error}"))))?;
    match header.data_len() {
        expected if expected > data.len() => Err(truncated("data", expected as u64, data.len())),
        expected if expected < data.len() => {
            Err(damaged(&format!("data: expected {expected} bytes, found {}, and no tensor covers the rest", data.len())))
        }
        _ => Ok((header, data)),
    }
}

/// The error for a header with a tensor of a type that this version of the format does not have; `None` where another thing is wrong.
fn of_a_newer_type(header: &[u8]) -> Option<Error> {
    let entries: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(header).ok()?;
    entries.iter().find_map(|(name, entry)| {
        let dtype = entry.as_object()?.get("dtype")?;
        let is_known = serde_json::from_value::<tensor::Dtype>(dtype.clone()).is_ok();
        (!is_known && name != "__metadata__").then(|| no_floats(name, dtype.as_str().unwrap_or("none of that name")))
    })
}

/// The dtype; `None` where an element is not a whole number of bytes.
fn dtype(stored: tensor::Dtype) -> Option<Dtype> {
    let other = |name, bytes| Dtype::Other { name, bytes };
    Some(match stored {
        tensor::Dtype::F16 => Dtype::F16,
        tensor::Dtype::BF16 => Dtype::BF16,
        tensor::Dtype::F32 => Dtype::F32,
        tensor::Dtype::F64 => Dtype::F64,
        tensor::Dtype::I64 => other("i64", 8),
        tensor::Dtype::U64 => other("u64", 8),
        tensor::Dtype::I32 => other("i32", 4),
        tensor::Dtype::U32 => other("u32", 4),
        tensor::Dtype::I16 => other("i16", 2),
        tensor::Dtype::U16 => other("u16", 2),
        tensor::Dtype::C64 => other("complex64", 8),
        tensor::Dtype::I8 => other("i8", 1),
        tensor::Dtype::U8 => other("u8", 1),
        tensor::Dtype::BOOL => other("bool", 1),
        tensor::Dtype::F8_E5M2 => other("f8_e5m2", 1),
        tensor::Dtype::F8_E4M3 => other("f8_e4m3", 1),
        tensor::Dtype::F8_E8M0 => other("f8_e8m0", 1),
        tensor::Dtype::F8_E4M3FNUZ => other("f8_e4m3fnuz", 1),
        tensor::Dtype::F8_E5M2FNUZ => other("f8_e5m2fnuz", 1),
        _ => return None,
    })
}

impl View for &Tensor {
    fn dtype(&self) -> tensor::Dtype {
        tensor::Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.data.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.data.as_slice())
    }
}
