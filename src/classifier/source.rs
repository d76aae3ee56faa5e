//! Sources of pictures.

use std::path::{Path, PathBuf};

use crate::image::Picture;

/// A picture: a path, the bytes of a file, samples, or the values of the network's input.
///
/// ```
/// use densenet_wgpu::{Classifier, ClassifierOptions, Source};
/// use densenet_wgpu::image::Picture;
///
/// let path = "examples/digits/7-1442-8.png";
/// let classifier = Classifier::open("digits", ClassifierOptions::default())?;
/// let by_path = classifier.classify(path)?;
/// let by_bytes = classifier.classify(std::fs::read(path).expect("it is there"))?;
/// let by_samples = classifier.classify(Picture::open(path)?)?;
/// assert_eq!((by_path.logits(), by_path.logits()), (by_bytes.logits(), by_samples.logits()));
/// let inside = classifier.classify(include_bytes!("../../examples/digits/7-1442-8.png"))?;
/// assert_eq!(by_path.logits(), inside.logits());
///
/// let input = classifier.preprocessing().apply(&Picture::open(path)?)?;
/// let by_values = classifier.classify(Source::values(input.values, [input.height, input.width]))?;
/// assert_eq!(by_values.logits().map(<[f32]>::len), Some(10));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Source(pub(super) Kind);

/// The kind of a source.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    File(PathBuf),
    Bytes(Vec<u8>),
    Picture(Picture),
    Values { values: Vec<f32>, size: [usize; 2] },
    Refused(String),
}

impl Source {
    /// The network's input, `[C, H, W]` with `[height, width]`, without preprocessing.
    pub fn values(values: Vec<f32>, size: [usize; 2]) -> Self {
        Self(Kind::Values { values, size })
    }

    /// An input that is not available: its result is an error with this text.
    pub fn refused(why: impl Into<String>) -> Self {
        Self(Kind::Refused(why.into()))
    }

    /// Its path, if it is a file.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::File(path) => Some(path),
            _ => None,
        }
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        path.to_owned().into()
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self(Kind::File(path))
    }
}

impl From<&PathBuf> for Source {
    fn from(path: &PathBuf) -> Self {
        path.clone().into()
    }
}

impl From<&str> for Source {
    fn from(path: &str) -> Self {
        PathBuf::from(path).into()
    }
}

impl From<String> for Source {
    fn from(path: String) -> Self {
        PathBuf::from(path).into()
    }
}

impl From<&[u8]> for Source {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl<const N: usize> From<&[u8; N]> for Source {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Kind::Bytes(bytes))
    }
}

impl From<Picture> for Source {
    fn from(picture: Picture) -> Self {
        Self(Kind::Picture(picture))
    }
}
