//! Opens a model by its name, address or path.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::bundled;
use super::published::{add_known, published, published_at, published_names};
use crate::arch::Config;
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::weights::{Checkpoint, Preset, ReadOptions};

/// Opens a bundled model, a published one or one at an `hf://` address, which are downloaded once (feature `hub`), or the checkpoint file
/// at this path. A file with the same name as a model needs `./` in front.
///
/// Errors if there is no such model, it cannot be downloaded, or as [`Checkpoint::open`] does; with [`Error::MissingFeature`] if a download
/// is needed and the feature is not enabled.
///
/// ```
/// use std::path::Path;
/// use densenet_wgpu::{Error, models};
///
/// assert_eq!(models::open("digits")?, models::open(Path::new("models").join("digits.safetensors"))?);
/// let error = models::open("digit").unwrap_err();
/// assert!(matches!(&error, Error::NoSuchModel { suggestion: Some(near), .. } if near == "digits"));
/// # Ok::<(), Error>(())
/// ```
pub fn open(model: impl AsRef<OsStr>) -> Result<Checkpoint> {
    open_with_progress(model, &mut |_, _| {})
}

/// Like [`open`], with the progress of a download: `progress` gets the bytes received and the total.
pub fn open_with_progress(model: impl AsRef<OsStr>, progress: &mut dyn FnMut(u64, u64)) -> Result<Checkpoint> {
    open_with_options(model, &ReadOptions::default(), progress)
}

/// Like [`open_with_progress`], with options for reading the file, including that of a bundled model.
pub fn open_with_options(model: impl AsRef<OsStr>, options: &ReadOptions, progress: &mut dyn FnMut(u64, u64)) -> Result<Checkpoint> {
    // Names of models are Unicode.
    let Some(name) = model.as_ref().to_str() else { return options.open(Path::new(model.as_ref())) };
    if let Some(bytes) = bundled::bytes(name) {
        return options.from_bytes(bytes, name);
    }
    if published(name).is_some() || name.starts_with("hf://") {
        let mut model = options.open(fetch(name, progress)?)?;
        if published(name).is_some_and(|published| published.preset == Preset::Torchvision) {
            model.forget_config();
        }
        model.name = name.to_owned();
        if let Some(published) = published(name).or_else(|| published_at(name)) {
            add_known(&mut model, published);
        }
        return Ok(model);
    }
    let path = Path::new(name);
    let spelled_as_path = path.extension().is_some() || path.components().count() > 1;
    match options.open(path) {
        Err(Error::File { path, source }) if source.kind() == io::ErrorKind::NotFound && spelled_as_path => {
            let near = near_file(&path).map_or(String::new(), |near| format!("; did you mean {}?", near.display()));
            Err(Error::File { path, source: io::Error::new(source.kind(), format!("{source}{near}")) })
        }
        Err(Error::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            if Config::named(name).is_some() {
                return Err(Error::NoWeights { name: name.to_owned() });
            }
            let known: Vec<&'static str> = bundled::names().chain(published_names()).collect();
            let near = nearest(name, known.iter().copied()).map(str::to_owned);
            let suggestion = near.or_else(|| Some(near_file(path)?.display().to_string()));
            Err(Error::NoSuchModel { name: name.to_owned(), suggestion, known })
        }
        opened => opened,
    }
}

#[cfg(feature = "hub")]
fn fetch(name: &str, progress: &mut dyn FnMut(u64, u64)) -> Result<PathBuf> {
    use crate::hub::{Hub, Remote};
    let remote = published(name).map_or_else(|| name.parse(), |model| Ok(Remote::from(model)))?;
    Hub::from_env()?.fetch(&remote, progress)
}

#[cfg(not(feature = "hub"))]
fn fetch(name: &str, _: &mut dyn FnMut(u64, u64)) -> Result<PathBuf> {
    let file = published(name).map_or(String::new(), |model| format!(", {} of {}", model.file, model.repository));
    Err(Error::MissingFeature { path: None, what: format!("{name} is on the Hugging Face hub{file}"), feature: "hub" })
}

/// The file that was probably meant by `path`, which does not exist.
fn near_file(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let entries = fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }).ok()?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    let name = path.file_name()?.to_string_lossy();
    nearest(&name, names.iter().map(String::as_str)).map(|near| folder.join(near))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundled_model_is_read_as_is_said() {
        let open = |root: &str| open_with_options("digits", &ReadOptions::default().with_root(root), &mut |_, _| {});
        assert_eq!(open(".").unwrap().name, "digits");
        assert!(open("encoder").unwrap_err().to_string().contains("`root` encoder: expected a DenseNet there"));
    }

    #[cfg(not(feature = "hub"))]
    #[test]
    fn what_would_be_fetched_takes_a_feature() {
        for name in ["densenet121", "hf://owner/name"] {
            let error = open(name).unwrap_err();
            assert!(matches!(error, Error::MissingFeature { feature: "hub", .. }) && error.to_string().starts_with(name), "{error}");
        }
    }
}
