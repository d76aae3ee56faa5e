//! Pictures to learn from.

use std::path::PathBuf;

use super::content_hash::ContentHash;
use crate::error::{Error, Result};
use crate::evaluate::Known;

/// A picture to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Example<'a> {
    /// Where it is.
    pub path: PathBuf,
    /// What is true of it, in the examples' classes.
    pub known: Known,
    /// Pictures of the same group, such as a patient's, stay together: all of them are held out, or none.
    pub group: Option<String>,
    /// What tells its file from others. Copies stay together too.
    pub content: ContentHash,
    /// Its features, as many as the network has: [`Prediction::features`](crate::Prediction::features).
    pub features: &'a [f32],
}

/// Pictures to learn from, of which each has one class, or any number of findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    pub(super) classes: Vec<String>,
    pub(super) columns: usize,
    pub(super) paths: Vec<PathBuf>,
    pub(super) known: Vec<Known>,
    pub(super) groups: Vec<Option<String>>,
    pub(super) contents: Vec<ContentHash>,
    /// `[examples, columns]`.
    pub(super) features: Vec<f32>,
}

impl Examples {
    /// No examples yet, of these classes, with that number of features each.
    pub fn new(classes: Vec<String>, columns: usize) -> Self {
        let (paths, known, groups) = (Vec::new(), Vec::new(), Vec::new());
        Self { classes, columns, paths, known, groups, contents: Vec::new(), features: Vec::new() }
    }

    /// Adds an example. Errors if a feature is missing or not finite, or the truth is not of these classes or not of the kind of the
    /// examples before.
    pub fn push(&mut self, example: Example) -> Result<()> {
        let Example { path, known, group, content, features } = example;
        let refused = |expected: String, found: String| {
            let expected = format!("{expected} of {}", path.display());
            Err(Error::Input { expected, found })
        };
        if features.len() != self.columns {
            return refused(format!("{} features", self.columns), features.len().to_string());
        }
        if let Some(index) = features.iter().position(|feature| !feature.is_finite()) {
            return refused("finite features".into(), format!("{} for feature {index}", features[index]));
        }
        let classes = self.classes.len();
        match &known {
            Known::One(class) if *class >= classes => return refused(format!("one of {classes} classes"), format!("class {class}")),
            Known::Each(each) if each.len() != classes => {
                return refused(format!("the truth of {classes} classes"), each.len().to_string());
            }
            Known::One(_) if self.is_of_each() == Some(true) => return refused("the truth of each class".into(), "one class".into()),
            Known::Each(_) if self.is_of_each() == Some(false) => return refused("one class".into(), "the truth of each class".into()),
            Known::One(_) | Known::Each(_) => {}
        }
        self.features.extend_from_slice(features);
        self.paths.push(path);
        self.known.push(known);
        self.groups.push(group);
        self.contents.push(content);
        Ok(())
    }

    /// Their number.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Whether any number of classes may be true of a picture; `None` without a picture.
    pub fn is_of_each(&self) -> Option<bool> {
        self.known.first().map(|known| matches!(known, Known::Each(_)))
    }

    /// The features of one example.
    pub(super) fn row(&self, example: usize) -> &[f32] {
        &self.features[example * self.columns..][..self.columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut examples = Examples::new(vec!["cat".into(), "dog".into()], 2);
        let example = |known, features| Example { path: "a.png".into(), known, group: None, content: ContentHash::of(b"a"), features };
        examples.push(example(Known::One(1), &[0.0, 1.0])).unwrap();
        for (known, features, message) in [
            (Known::One(1), &[0.0][..], "input: expected 2 features of a.png, found 1"),
            (Known::One(1), &[0.0, f32::NAN], "input: expected finite features of a.png, found NaN for feature 1"),
            (Known::One(2), &[0.0, 1.0], "input: expected one of 2 classes of a.png, found class 2"),
            (Known::Each(vec![None, None]), &[0.0, 1.0], "input: expected one class of a.png, found the truth of each class"),
        ] {
            assert_eq!(examples.push(example(known, features)).unwrap_err().to_string(), message);
        }
        assert_eq!((examples.len(), examples.row(0)), (1, &[0.0, 1.0][..]));
    }
}
