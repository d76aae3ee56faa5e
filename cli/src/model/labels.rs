//! `--labels L`: class labels from a list's name, a text file, or the names of folders.

use std::fs;
use std::path::Path;

use densenet_wgpu::internal::suggestion;
use densenet_wgpu::labels;

use crate::exit::Stop;
use crate::message;

/// The labels that `name` stands for, for a model with this number of classes; reports their order where it is not obvious. Stops if
/// there are none, or if their number differs.
pub(crate) fn read(name: &str, classes: usize) -> Result<Vec<String>, Stop> {
    let path = Path::new(name);
    let expected = format!("--labels {name}: expected {classes} labels, one for each of the model's classes");
    if let Some(labels) = labels::named(name) {
        if labels.len() == classes {
            return Ok(labels);
        }
        let fitting: Vec<&str> = labels::names_of(classes).chain(["a file"]).collect();
        return Err(Stop::refused(format!("{expected}, found {}; give --labels {}", labels.len(), fitting.join(", "))));
    }
    if path.is_dir() {
        let labels = folders(path).map_err(|error| Stop::refused(format!("--labels {name}: {error}")))?;
        if labels.len() != classes {
            let remedy = "give a folder that has one for each class, or a text file with one label per line";
            return Err(Stop::refused(format!("{expected}, found {} folders; {remedy}", labels.len())));
        }
        message::note(&format!("--labels {name}: its folders' names, sorted as text: {}", some(&labels)));
        return Ok(labels);
    }
    if !path.exists() {
        let known = labels::names().collect::<Vec<_>>().join(", ");
        let suggestion = suggestion(name, labels::names());
        let expected = format!("expected {known} or a text file with one label per line, found neither");
        return Err(Stop::refused(format!("--labels {name}: {expected}{suggestion}")));
    }
    let labels = labels::read_labels(path, classes)?;
    if let Some(folders) = labels::image_folder_order(&labels) {
        message::note(&format!("--labels {name}: taken in the order of its lines; folders would be {}", some(&folders)));
    }
    Ok(labels)
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

/// The first few of some names.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ") + more
}
