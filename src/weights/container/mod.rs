//! What a file holds before anything is known about the network in it: tensors by name, told by the file's content and
//! never by its own name.

use std::fmt;
use std::rc::Rc;

use crate::error::{Error, Result};

mod archive;
mod arguments;
mod class_names;
mod hdf5;
mod pickle;
pub(super) mod safetensors;
mod stored;
mod torch;

use archive::Archive;
pub(crate) use class_names::{ClassNames, class_names_in_json};

pub use stored::Element;
use stored::Storage;
pub(crate) use stored::{Stored, no_floats};

/// A kind of file.
///
/// ```
/// use densenet_wgpu::checkpoint::Container;
/// use densenet_wgpu::models;
///
/// let origin = models::bundled("digits").expect("it is bundled")?.origin.expect("it was a file");
/// assert_eq!(origin.container, Container::Safetensors);
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Container {
    /// A JSON header and the elements of all tensors.
    Safetensors,
    /// What `torch.save` writes since PyTorch 1.6: a zip archive of a pickle and storages.
    TorchZip,
    /// What `torch.save` wrote before: pickles and storages in one stream.
    TorchLegacy,
    /// What `torch.jit.save` writes: a zip archive of a program and its module's tensors, of which the tensors are read.
    TorchScript,
    /// Keras's `.h5` and `.weights.h5`.
    Hdf5,
    /// Keras's `.keras`: a zip archive of a configuration and HDF5 weights.
    KerasArchive,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::TorchZip => "torch zip",
            Self::TorchLegacy => "torch legacy stream",
            Self::TorchScript => "TorchScript",
            Self::Hdf5 => "HDF5",
            Self::KerasArchive => "Keras archive",
        })
    }
}

/// A module of a network that was saved whole, with what decides what it computes.
pub(crate) struct Module {
    /// The keys under which a nested file keeps the network.
    pub(crate) scope: Rc<str>,
    /// Its name in the network; `""` for the network itself.
    pub(crate) path: String,
    /// The same in the file, where it was a number there.
    pub(crate) named: Option<String>,
    /// Its Python class.
    pub(crate) class: String,
    /// Whether it has no modules inside.
    pub(crate) is_leaf: bool,
    /// Height and width of a window, and how it moves.
    pub(crate) kernel: Option<[i64; 2]>,
    pub(crate) stride: Option<[i64; 2]>,
    pub(crate) padding: Option<[i64; 2]>,
    pub(crate) dilation: Option<[i64; 2]>,
    /// Groups of a convolution.
    pub(crate) groups: Option<i64>,
    /// Whether it pads with zeros, if at all.
    pub(crate) pads_zeros: bool,
    /// Whether the size of its result is rounded up.
    pub(crate) rounds_up: bool,
    /// What a leaky ReLU multiplies numbers below 0 by.
    pub(crate) slope: Option<f64>,
    /// Whether it is GELU's approximation by tanh.
    pub(crate) approximates: bool,
}

impl Module {
    /// The last part of its class.
    pub(crate) fn class_name(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or(&self.class)
    }

    /// What it is called in the file.
    pub(crate) fn shown(&self) -> &str {
        self.named.as_deref().unwrap_or(&self.path)
    }
}

/// What a file holds.
pub(crate) struct Contents<'a> {
    /// The kind of file.
    pub(crate) container: Container,
    /// Bytes of all storages: what tensors may be views of.
    pub(crate) byte_count: usize,
    /// All tensors, in the file's order.
    pub(crate) tensors: Vec<Stored<'a>>,
    /// What the file says about itself in our own words.
    pub(crate) description: Option<String>,
    /// The modules of a network that was saved whole.
    pub(crate) modules: Vec<Module>,
    /// Batch norm's epsilon, where such a network tells it.
    pub(crate) epsilon: Option<f32>,
    /// Labels, where such a network has them.
    pub(crate) labels: Option<Vec<String>>,
    /// Places beside a network that name its classes.
    pub(crate) class_names: Vec<ClassNames>,
    /// The arguments of the program that trained it: an object of JSON.
    pub(crate) arguments: Option<serde_json::Value>,
    /// What Keras's layers are called, with and without weights, as far as a file holds it.
    pub(crate) layers: Vec<String>,
    /// Keras's configuration of the network, JSON.
    pub(crate) keras_config: Option<String>,
}

impl Contents<'_> {
    /// Nothing yet.
    pub(super) fn new(container: Container, byte_count: usize) -> Self {
        Self {
            container,
            byte_count,
            tensors: Vec::new(),
            description: None,
            modules: Vec::new(),
            epsilon: None,
            labels: None,
            class_names: Vec::new(),
            arguments: None,
            layers: Vec::new(),
            keras_config: None,
        }
    }
}

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
        _ => Err(refusal(bytes)),
    }
}

/// Errors where a file that begins with `bytes` is none that can be read: says what it looks like and the way round it.
pub(crate) fn recognise(bytes: &[u8]) -> Result<()> {
    magic(bytes).map(drop)
}

/// Reads a file of any kind. Errors as [`recognise`] does, and where the file is damaged, cut, or unreasonable.
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
    if let Some((what, remedy)) = foreign_archive(&names) {
        return Err(Error::checkpoint(format!("is {what}; expected weights. The way round it, in Python: {remedy}")));
    }
    let some = names.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    let found = format!("{} entries ({some})", names.len());
    Err(Error::checkpoint(format!("zip: expected PyTorch's data.pkl or Keras's config.json and model.weights.h5, found {found}")))
}

/// Whether a file that begins so is text, whose last character may be cut.
fn is_text(begin: &[u8]) -> bool {
    let text = match std::str::from_utf8(begin) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&begin[..error.valid_up_to()]).unwrap_or_default(),
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace())
}

/// What an archive is that others write, and what makes a checkpoint of it.
fn foreign_archive(names: &[String]) -> Option<(&'static str, &'static str)> {
    let has = |ending: &str| names.iter().any(|name| name.ends_with(ending));
    if has("models/model.json") && has("archive_format") {
        let remedy = "import torch; torch.save(torch.export.load('IN').state_dict, 'OUT.pth')";
        return Some(("a program of torch.export", remedy));
    }
    let is_numpys = !names.is_empty() && names.iter().all(|name| name.ends_with(".npy"));
    let remedy = "import numpy, torch; torch.save({name: torch.from_numpy(value) for name, value in numpy.load('IN').items()}, 'OUT.pth')";
    is_numpys.then_some(("an archive of NumPy's arrays (.npz)", remedy))
}

/// What a file is that cannot be read, and what to do about it.
fn refusal(bytes: &[u8]) -> Error {
    let torchvision = "load the same network in torchvision or timm and save its state_dict()";
    let again = "get it again";
    let start: String = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]).trim_start().to_lowercase();
    let (looks_like, remedy) = match bytes {
        [] => ("is empty".to_owned(), again),
        [0x80, 2..=5, ..] => (
            "is a bare Python pickle without tensor storages, as pickle.dump writes".into(),
            "save it in Python with torch.save(model.state_dict(), 'OUT.pth')",
        ),
        _ if bytes.get(257..262) == Some(b"ustar") => (
            "is a tar archive: a PyTorch file from before version 0.1.10, or a packed folder".into(),
            "unpack it, or load it in Python with torch.load and save it again with torch.save",
        ),
        [4, 0, 0, 0, 1 | 3, 0, 0, 0, ..] | [3, 0, 0, 0, ..] | [4, 0, 0, 0, ..] => ("looks like a Torch7 file (.t7)".into(), torchvision),
        [0x1f, 0x8b, ..] => ("is compressed with gzip".into(), "unpack it with gunzip"),
        // A table of names, of which the first is none: it stands for a header.
        [0, 0, _, 0x08, _, 0x1a, 2, 0x08, 1, ..] => (
            "is the index of a TensorFlow checkpoint".into(),
            "build the model in Keras and save it whole: model.load_weights('IN, without .index'); model.save('OUT.h5')",
        ),
        _ if bytes.len() > 8 && &bytes[4..8] == b"TFL3" => ("is a TensorFlow Lite model".into(), torchvision),
        _ if start.starts_with("version https://git-lfs") => {
            ("is a Git LFS pointer, not the file itself".into(), "fetch it with: git lfs pull")
        }
        _ if start.starts_with("<!doctype") || start.starts_with("<html") => {
            ("is a web page, not a checkpoint: the download failed".into(), again)
        }
        // Protocol buffers: ONNX begins with its version (field 1), Caffe with the net's name (field 1, a string).
        [0x08, 1..=20, 0x12 | 0x1a | 0x22 | 0x3a | 0x42, ..] => {
            ("looks like a protocol buffer: an ONNX or TensorFlow model".into(), torchvision)
        }
        [0x0a, length, rest @ ..]
            if rest.get(..usize::from(*length)).is_some_and(|name| name.iter().all(|c| c.is_ascii_graphic() || *c == b' ')) =>
        {
            ("looks like a Caffe model (.caffemodel)".into(), torchvision)
        }
        _ if is_text(&bytes[..bytes.len().min(512)]) => {
            ("is a text file, not a checkpoint".into(), "give the file that the weights are in")
        }
        _ => (format!("has an unknown format (it starts with {:02x?})", &bytes[..bytes.len().min(8)]), again),
    };
    Error::checkpoint(format!(
        "{looks_like}; expected safetensors, a PyTorch file (.pt, .pth), or Keras's .h5 or .keras. The way round it: {remedy}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_of_others_are_named_with_what_makes_a_checkpoint_of_them() {
        let what = |names: &[&str]| foreign_archive(&names.iter().map(ToString::to_string).collect::<Vec<_>>()).map(|(what, _)| what);
        assert_eq!(what(&["m/archive_format", "m/models/model.json", "m/data/weights/weight_0"]), Some("a program of torch.export"));
        assert_eq!(what(&["features.conv0.weight.npy", "classifier.bias.npy"]), Some("an archive of NumPy's arrays (.npz)"));
        for others in [&[][..], &["archive_format"], &["a.npy", "b.txt"]] {
            assert_eq!(what(others), None, "{others:?}");
        }
    }

    #[test]
    fn an_index_of_tensorflows_is_no_checkpoint() {
        let message = recognise(&[0, 0, 6, 8, 1, 0x1a, 2, 8, 1, 0, 18]).unwrap_err().to_string();
        assert!(message.contains("the index of a TensorFlow checkpoint") && message.contains("load_weights"), "{message}");
    }
}
