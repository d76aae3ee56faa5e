//! Labels in a text file.

use std::io;
use std::path::Path;

use crate::error::{Error, Result};

/// Labels from a UTF-8 text file, one per line, for a model of `classes` classes.
///
/// Errors if the file cannot be read or has a different number of lines; an empty last line does not count.
///
/// ```
/// use densenet_wgpu::labels::read_labels;
///
/// assert_eq!(read_labels("data/cifar10.txt", 10)?[9], "truck");
/// let error = read_labels("data/cifar10.txt", 100).unwrap_err().to_string();
/// assert_eq!(error, "input: expected 100 labels in data/cifar10.txt, one per line for each of the model's classes, found 10 lines");
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
pub fn read_labels(path: impl AsRef<Path>, classes: usize) -> Result<Vec<String>> {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let source = io::Error::new(error.kind(), format!("expected a text file with one label per line, found none ({error})"));
        Error::File { path: path.into(), source }
    })?;
    let labels: Vec<String> = text.trim_start_matches('\u{feff}').lines().map(|line| line.trim().to_owned()).collect();
    if labels.len() != classes {
        let expected = format!("{classes} labels in {}, one per line for each of the model's classes", path.display());
        return Err(Error::Input { expected, found: format!("{} lines", labels.len()) });
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_file_has_a_line_for_each_class() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.txt");
        std::fs::write(&path, "cat\r\ndog\n").unwrap();
        assert_eq!(read_labels(&path, 2).unwrap(), ["cat", "dog"]);
        let message = read_labels(&path, 10).unwrap_err().to_string();
        assert!(message.contains("expected 10 labels") && message.contains("found 2 lines"), "{message}");
    }
}
