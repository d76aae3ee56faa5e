//! The content of a checkpoint's file, and of `config.json` beside it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};
use crate::weights::container;

/// What a folder of TensorFlow's is, and the workaround.
const SAVED_MODEL: &str = "is a TensorFlow SavedModel, a program and not a checkpoint. Save it as one in Python, with a TensorFlow that \
                           has Keras 2 (2.15, or with TF_USE_LEGACY_KERAS=1): import tensorflow as tf; \
                           tf.keras.models.load_model('IN').save('OUT.h5')";

/// Bytes that show which kind of file it is.
const BYTES_TO_RECOGNISE: u64 = 512;

/// Bytes that are read of a `config.json`; timm's have less than a kilobyte, or labels too.
const LARGEST_CONFIG: u64 = 1 << 20;

/// Reads a file. One whose first bytes are no checkpoint's is not read further: a device has no end.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let in_file = |source: io::Error| Error::File { path: path.into(), source };
    if path.is_dir() {
        return Err(match path.join("saved_model.pb").is_file() {
            true => Error::Checkpoint { file: Some(path.display().to_string()), reason: SAVED_MODEL.into() },
            false => in_file(io::Error::other("expected a checkpoint file, found a folder; give the path of the file in it")),
        });
    }
    let file = File::open(path).map_err(|error| {
        in_file(match error.kind() {
            io::ErrorKind::NotFound => io::Error::new(error.kind(), "expected a checkpoint file, found nothing of that name"),
            _ => error,
        })
    })?;
    let mut bytes = Vec::new();
    (&file).take(BYTES_TO_RECOGNISE).read_to_end(&mut bytes).map_err(in_file)?;
    container::recognise(&bytes).map_err(|error| match error {
        Error::Checkpoint { reason, .. } => Error::Checkpoint { file: Some(path.display().to_string()), reason },
        other => other,
    })?;
    (&file).read_to_end(&mut bytes).map_err(in_file)?;
    Ok(bytes)
}

/// The text of a `config.json` beside the file.
pub(super) fn config_json(path: &Path) -> Option<String> {
    let mut text = String::new();
    let path = path.with_file_name("config.json");
    // A pipe of that name would never end.
    std::fs::metadata(&path).ok().filter(|file| file.is_file())?;
    File::open(path).ok()?.take(LARGEST_CONFIG).read_to_string(&mut text).ok()?;
    Some(text)
}
