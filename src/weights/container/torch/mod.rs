//! PyTorch's own files: a pickle of what was saved, beside it the storages that its tensors are views of.
//!
//! Since version 1.6 `torch.save` writes a zip archive (`<name>/data.pkl`, `<name>/data/<key>`); before, and still on
//! request, a stream of five pickles followed by the storages (`torch/serialization.py`, `_legacy_save`).

mod module;
mod storage;
mod stream;
mod tensor;
mod walk;
mod zip;

pub(super) use stream::{is_legacy, read as read_legacy};
pub(super) use zip::read as read_zip;

/// Longest name of a tensor, of the keys around it, or of a storage, in bytes.
const LONGEST_NAME: usize = 512;

/// Most tensors in a file. A DenseNet-264 with the state of its optimizer has some 4,000.
const MOST_TENSORS: usize = 1 << 16;
