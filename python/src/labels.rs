//! What the classes of a model are called.

use std::fs;
use std::path::Path;

use densenet_wgpu::internal::suggestion;
use densenet_wgpu::labels;
use pyo3::prelude::*;

use crate::error::{During, exception, refused};

/// Labels as Python states them.
#[derive(FromPyObject)]
pub(crate) enum Labels {
    /// The name of a list, a text file with one label per line, or a folder whose subfolders are the labels.
    Named(String),
    /// The labels themselves.
    Listed(Vec<String>),
}

impl Labels {
    /// The labels, for a model with this number of classes.
    pub(crate) fn read(&self, py: Python<'_>, classes: usize) -> PyResult<Vec<String>> {
        let name = match self {
            Self::Listed(labels) => return counted(py, labels.clone(), classes),
            Self::Named(name) => name,
        };
        let path = Path::new(name);
        if let Some(labels) = labels::named(name) {
            return counted(py, labels, classes);
        }
        if path.is_dir() {
            let folders = folders(path).map_err(|error| refused(py, &format!("labels: {name}: {error}")))?;
            return counted(py, folders, classes);
        }
        if !path.exists() {
            let known = labels::names().collect::<Vec<_>>().join(", ");
            let expected = format!("expected {known}, a text file with one label per line, or a list of labels");
            return Err(refused(py, &format!("labels: {expected}, found {name:?}{}", suggestion(name, labels::names()))));
        }
        labels::read_labels(path, classes).map_err(|error| exception(py, &error, During::Opening))
    }
}

fn counted(py: Python<'_>, labels: Vec<String>, classes: usize) -> PyResult<Vec<String>> {
    if labels.len() == classes {
        return Ok(labels);
    }
    let fitting: Vec<&str> = labels::names_of(classes).collect();
    let remedy = if fitting.is_empty() { String::new() } else { format!("; lists of {classes} are {}", fitting.join(", ")) };
    let expected = format!("expected {classes} labels, one for each of the model's classes");
    Err(refused(py, &format!("labels: {expected}, found {}{remedy}", labels.len())))
}

/// The names of the folders in a folder, as torchvision's `ImageFolder` and Keras sort them.
fn folders(path: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The end of a message about `name`: which of `known` was probably meant.
#[pyfunction]
pub(crate) fn nearest(name: &str, known: Vec<String>) -> String {
    suggestion(name, known.iter().map(String::as_str))
}
