//! Files that are no checkpoints: what they look like, and what makes a checkpoint of them.

use crate::error::Error;

/// Whether `begin`, whose last character may be cut, is text.
fn is_text(begin: &[u8]) -> bool {
    let text = match std::str::from_utf8(begin) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&begin[..error.valid_up_to()]).unwrap_or_default(),
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace())
}

/// What an archive of another program is, and the Python code that makes a checkpoint of it.
pub(super) fn archive(names: &[String]) -> Option<(&'static str, &'static str)> {
    let has = |ending: &str| names.iter().any(|name| name.ends_with(ending));
    if has("models/model.json") && has("archive_format") {
        let remedy = "import torch; torch.save(torch.export.load('IN').state_dict, 'OUT.pth')";
        return Some(("a program of torch.export", remedy));
    }
    let is_numpys = !names.is_empty() && names.iter().all(|name| name.ends_with(".npy"));
    let remedy = "import numpy, torch; torch.save({name: torch.from_numpy(value) for name, value in numpy.load('IN').items()}, 'OUT.pth')";
    is_numpys.then_some(("an archive of NumPy's arrays (.npz)", remedy))
}

/// The error for a file of another kind: what it looks like, and the workaround.
pub(super) fn refusal(bytes: &[u8]) -> Error {
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
        "{looks_like}; expected safetensors, a PyTorch file (.pt, .pth), or Keras's .h5 or .keras. Workaround: {remedy}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_of_others_are_named_with_what_makes_a_checkpoint_of_them() {
        let what = |names: &[&str]| archive(&names.iter().map(ToString::to_string).collect::<Vec<_>>()).map(|(what, _)| what);
        assert_eq!(what(&["m/archive_format", "m/models/model.json", "m/data/weights/weight_0"]), Some("a program of torch.export"));
        assert_eq!(what(&["features.conv0.weight.npy", "classifier.bias.npy"]), Some("an archive of NumPy's arrays (.npz)"));
        for others in [&[][..], &["archive_format"], &["a.npy", "b.txt"]] {
            assert_eq!(what(others), None, "{others:?}");
        }
    }

    #[test]
    fn an_index_of_tensorflows_is_no_checkpoint() {
        let message = refusal(&[0, 0, 6, 8, 1, 0x1a, 2, 8, 1, 0, 18]).to_string();
        assert!(message.contains("the index of a TensorFlow checkpoint") && message.contains("load_weights"), "{message}");
    }
}
