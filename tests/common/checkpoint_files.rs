//! The files of `scripts/make_checkpoint_fixtures.py`, most of them packed together.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder that holds them: the library's, also where the program's tests look.
pub(crate) fn folder() -> PathBuf {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("tests/fixtures/checkpoints"));
    folders.into_iter().find(|folder| folder.exists()).unwrap()
}

/// `cases.json`, which describes them.
pub(crate) fn listing() -> Value {
    serde_json::from_reader(File::open(folder().join("cases.json")).unwrap()).unwrap()
}

/// The cases of a kind: `cases`, `refused` or `hostile`.
pub(crate) fn cases(kind: &str) -> Vec<Value> {
    listing()[kind].as_array().unwrap().clone()
}

/// The content of a case's file.
pub(crate) fn content(case: &Value) -> Vec<u8> {
    let name = case["file"].as_str().unwrap();
    let Some(packed) = case["packed"].as_str() else {
        return fs::read(folder().join(name)).unwrap();
    };
    let mut archive = zip::ZipArchive::new(File::open(folder().join(packed)).unwrap()).unwrap();
    let mut content = Vec::new();
    archive.by_name(name).unwrap_or_else(|e| panic!("{name}: {e}")).read_to_end(&mut content).unwrap();
    content
}
