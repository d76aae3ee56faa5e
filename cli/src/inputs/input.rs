//! One picture to read.

use std::path::PathBuf;

use densenet_wgpu::Source;

use super::subject::Subject;

/// One input, in its place among the rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Input {
    /// Its place among all inputs, from 0; a part of them keeps the places that they have in the whole.
    pub(crate) number: usize,
    /// Whose row it is.
    pub(crate) subject: Subject,
    /// Where the picture is.
    pub(crate) content: Content,
}

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// In a file.
    File(PathBuf),
    /// Here.
    Bytes(Vec<u8>),
    /// Nowhere: why it cannot even be tried.
    Refused(String),
}

impl From<Content> for Source {
    fn from(content: Content) -> Self {
        match content {
            Content::File(path) => path.into(),
            Content::Bytes(bytes) => bytes.into(),
            Content::Refused(why) => Self::refused(why),
        }
    }
}
