//! What the tensors of a network are called in its file.

use std::collections::BTreeMap;

use super::Network;
use crate::error::Error;

/// The file's names of a network's tensors, by their names here.
pub(in crate::weights) struct Names {
    paths: BTreeMap<String, String>,
    is_torchvision: bool,
}

impl Names {
    /// Those of a network that was found in a file.
    pub(in crate::weights) fn of(network: &Network) -> Self {
        let paths = network.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.path())).collect();
        Self { paths, is_torchvision: network.has_torchvisions_names() }
    }

    /// The error with the file's names of tensors, where its reader will look for them.
    pub(in crate::weights) fn in_error(&self, error: Error) -> Error {
        match error {
            Error::Tensor { file, tensor, expected, found } => {
                let tensor = match self.paths.get(&tensor) {
                    Some(path) => path.clone(),
                    None if self.is_torchvision => tensor,
                    // A missing tensor has no name in the file.
                    None => format!("{tensor} (torchvision's name)"),
                };
                Error::Tensor { file, tensor, expected, found: self.words(&found) }
            }
            other => other,
        }
    }

    /// The same text with the file's names in it.
    fn words(&self, text: &str) -> String {
        let word = |word: &str| {
            let name = word.trim_matches(['(', ')', ',', ';', ' ']);
            self.paths.get(name).map_or_else(|| word.to_owned(), |path| word.replacen(name, path, 1))
        };
        text.split_inclusive(' ').map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_files_names() {
        let paths = [("features.conv0.weight", "net/conv1.weight"), ("classifier.bias", "net/fc.bias")];
        let paths: BTreeMap<String, String> = paths.map(|(own, path)| (own.to_owned(), path.to_owned())).into();
        let names = |is_torchvision| Names { paths: paths.clone(), is_torchvision };
        let error = |tensor: &str| Error::Tensor {
            file: None,
            tensor: tensor.into(),
            expected: "a convolution".into(),
            found: "none among 2 tensors (the first: classifier.bias, features.conv0.weight)".into(),
        };
        assert_eq!(
            names(false).in_error(error("features.conv0.weight")).to_string(),
            "checkpoint tensor net/conv1.weight: expected a convolution, found none among 2 tensors (the first: net/fc.bias, net/conv1.weight)"
        );
        assert_eq!(names(false).in_error(error("features.conv2.weight")).place().unwrap(), "features.conv2.weight (torchvision's name)");
        assert_eq!(names(true).in_error(error("features.conv2.weight")).place().unwrap(), "features.conv2.weight");
    }
}
