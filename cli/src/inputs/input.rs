//! One picture to read.

use std::path::PathBuf;

use densenet_wgpu::Source;

use super::subject::Subject;

/// One input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Input {
    /// Its index among all inputs, also if only a shard of them is processed.
    pub(crate) number: usize,
    /// What its row is about.
    pub(crate) subject: Subject,
    /// Where the picture is.
    pub(crate) content: Content,
}

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// In a file.
    File(PathBuf),
    /// In memory.
    Bytes(Vec<u8>),
    /// Unavailable, for this reason.
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
