//! What kind of file some bytes are, told by their content and never by a file's name.

use crate::error::{Error, Result};

const CONVERT: &str = concat!(
    "python -c \"import torch, safetensors.torch as s; ",
    "d = torch.load('IN', map_location='cpu', weights_only=True); d = d.get('state_dict', d); ",
    "s.save_file({k: v.contiguous() for k, v in d.items()}, 'OUT.safetensors')\""
);

/// Errors where `bytes` are no safetensors file: says what they look like and how to convert them.
pub(super) fn expect_safetensors(bytes: &[u8]) -> Result<()> {
    // A JSON object after eight bytes of length is what every safetensors file begins with.
    if bytes.get(8) == Some(&b'{') {
        return Ok(());
    }
    let torch = format!("convert it with: {CONVERT}");
    let keras = "Keras's names and layouts are not read yet: convert the same network from PyTorch".to_owned();
    let again = "get it again".to_owned();
    let start: String = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]).trim_start().to_lowercase();
    let (looks_like, remedy) = match bytes {
        [] => ("is empty".to_owned(), again),
        [b'P', b'K', 3, 4, ..] => ("looks like a zip archive, as torch.save writes .pt and .pth files".into(), torch),
        [0x80, 2, 0x8a, 0x0a, ..] => ("looks like an old PyTorch file (before version 1.6)".into(), torch),
        [0x80, 2..=5, ..] => ("looks like a Python pickle".into(), torch),
        [0x89, b'H', b'D', b'F', ..] => ("looks like HDF5, as Keras writes .h5 files".into(), keras),
        _ if start.starts_with("version https://git-lfs") => {
            ("is a Git LFS pointer, not the file itself".into(), "fetch it with: git lfs pull".into())
        }
        _ if start.starts_with("<!doctype") || start.starts_with("<html") => {
            ("is a web page, not a checkpoint: the download failed".into(), again)
        }
        _ => (format!("has an unknown format (it starts with {:02x?})", &bytes[..bytes.len().min(8)]), torch),
    };
    Err(Error::Checkpoint(format!("{looks_like}; safetensors files are what this version loads; {remedy}")))
}
