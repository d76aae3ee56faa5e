//! The safetensors container: a length, a JSON header, the elements of all tensors.
//!
//! Format: <https://huggingface.co/docs/safetensors/index#format>.

use std::borrow::Cow;
use std::collections::HashMap;

use half::{bf16, f16};
use safetensors::tensor::{Dtype, Metadata as Header, View, serialize};

use super::{Tensor, Weights, harmless, tensor_error};
use crate::error::{Error, Result};

/// The one key of `__metadata__` that is ours. One key only: the format's writer takes its keys from a hash map, two
/// would come out in either order.
const KEY: &str = "densenet";

/// Reads all tensors as 32-bit floats, the [`harmless`] ones left out, and the text of our metadata key.
pub(super) fn read(bytes: &[u8]) -> Result<(Weights, Option<String>)> {
    let (header, data) = split(bytes)?;
    let mut weights = Weights::new();
    for name in header.offset_keys() {
        let Some(info) = header.info(&name).filter(|_| harmless(&name).is_none()) else { continue };
        // The header was validated: offsets ascend without gaps, and `split` compared the last with the data.
        let (start, end) = info.data_offsets;
        let values =
            floats(info.dtype, &data[start..end]).ok_or_else(|| tensor_error(&name, "F32, F16, BF16 or F64", info.dtype.to_string()))?;
        let shape = info.shape.clone();
        weights.insert(name, Tensor { shape, data: values });
    }
    let text = header.metadata().as_ref().and_then(|entries| entries.get(KEY)).cloned();
    Ok((weights, text))
}

/// Writes all tensors as 32-bit floats and `metadata` under our key: the same arguments make the same bytes.
pub(super) fn write(weights: &Weights, metadata: String) -> Result<Vec<u8>> {
    let entries = HashMap::from([(KEY.to_owned(), metadata)]);
    serialize(weights.iter(), Some(entries)).map_err(|e| Error::Checkpoint(format!("cannot be written: {e}")))
}

// The crate's own reader adds lengths from the file without checking for overflow, and tells less about truncation.
fn split(bytes: &[u8]) -> Result<(Header, &[u8])> {
    let truncated = |what: &str, expected: u64, found: usize| {
        Error::Checkpoint(format!("safetensors {what}: expected {expected} bytes, found {found}; the file is truncated, get it again"))
    };
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(truncated("header length", 8, bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let Some(header) = header else {
        return Err(truncated("header", length, rest.len()));
    };
    let data = &rest[header.len()..];
    let header: Header = serde_json::from_slice(header).map_err(|e| Error::Checkpoint(format!("safetensors header: {e}")))?;
    match header.data_len() {
        expected if expected > data.len() => Err(truncated("data", expected as u64, data.len())),
        expected if expected < data.len() => {
            Err(Error::Checkpoint(format!("safetensors data: expected {expected} bytes, found {}; no tensor covers the rest", data.len())))
        }
        _ => Ok((header, data)),
    }
}

fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let values = match dtype {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|&b| f16::from_le_bytes(b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|&b| bf16::from_le_bytes(b).to_f32()).collect(),
        Dtype::F64 => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect(),
        _ => return None,
    };
    Some(values)
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
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
