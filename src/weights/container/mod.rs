//! Files of named tensors. Which kind a file is, its content shows, never its name.

use crate::error::{Error, Result};

mod archive;
mod arguments;
mod class_names;
mod contents;
mod dtype;
mod foreign;
mod hdf5;
mod kind;
mod module;
mod pickle;
pub(super) mod safetensors;
mod stored;
mod torch;

use archive::Archive;
pub(crate) use class_names::{ClassNames, class_names_in_json};
pub(crate) use contents::Contents;
pub use dtype::Dtype;
pub use kind::Container;
pub(crate) use module::Module;
use stored::Storage;
pub(crate) use stored::{Stored, no_floats};

/// How a file begins.
enum Magic {
    Zip,
    Hdf5,
    TorchLegacy,
    Safetensors,
}

fn magic(bytes: &[u8]) -> Result<Magic> {
    match bytes {
        [b'P', b'K', 3, 4, ..] => Ok(Magic::Zip),
        [0x89, b'H', b'D', b'F', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Magic::Hdf5),
        _ if torch::is_legacy(bytes) => Ok(Magic::TorchLegacy),
        // A JSON object after eight bytes of length.
        [_, _, _, _, _, _, _, _, b'{', ..] => Ok(Magic::Safetensors),
        _ => Err(foreign::refusal(bytes)),
    }
}

/// Errors where no readable file begins with `bytes`: the error says what it looks like, and the workaround.
pub(crate) fn recognise(bytes: &[u8]) -> Result<()> {
    magic(bytes).map(drop)
}

/// Reads a file of any kind. Errors as [`recognise`] does, and where the file is damaged, truncated or absurdly large.
pub(crate) fn read(bytes: &[u8]) -> Result<Contents<'_>> {
    match magic(bytes)? {
        Magic::Zip => read_zip(bytes),
        Magic::Hdf5 => hdf5::read(bytes, Container::Hdf5),
        Magic::TorchLegacy => torch::read_legacy(bytes),
        Magic::Safetensors => safetensors::read(bytes),
    }
}

fn read_zip(bytes: &[u8]) -> Result<Contents<'_>> {
    let mut archive = Archive::open(bytes)?;
    let names: Vec<String> = archive.names().map(|name| name.into_owned()).collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    // The folder is named after the file that was first written.
    let prefix = names.iter().filter_map(|name| name.strip_suffix("data.pkl")).filter(|p| p.is_empty() || p.ends_with('/')).min();
    if let Some(prefix) = prefix {
        let is_program = has(&format!("{prefix}constants.pkl")) || names.iter().any(|name| name.starts_with(&format!("{prefix}code/")));
        let container = if is_program { Container::TorchScript } else { Container::TorchZip };
        return torch::read_zip(archive, prefix, container);
    }
    if has("config.json") && has("model.weights.h5") {
        let weights = archive.entry("model.weights.h5")?.unwrap_or_default();
        let config = archive.entry("config.json")?.unwrap_or_default();
        let mut contents = hdf5::read(&weights, Container::KerasArchive)?;
        contents.keras_config = Some(String::from_utf8_lossy(&config).into_owned());
        return Ok(contents);
    }
    if let Some((what, remedy)) = foreign::archive(&names) {
        return Err(Error::checkpoint(format!("is {what}; expected weights. Workaround in Python: {remedy}")));
    }
    let some = names.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    let found = format!("{} entries ({some})", names.len());
    Err(Error::checkpoint(format!("zip: expected PyTorch's data.pkl or Keras's config.json and model.weights.h5, found {found}")))
}
