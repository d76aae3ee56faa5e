//! What a row is about.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a row is about, as written in JSON: `"path":…` or, for a picture from another program, its `"id":…` and, if it has one, its
/// `"path":…`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Subject {
    /// A file.
    File {
        /// As given or found.
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
    },
    /// A line of standard input.
    Line {
        /// As in the line.
        id: Id,
        /// The picture's path, unless the line contained the picture.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
}

impl Subject {
    /// The file at `path`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self::File { path: path.into() }
    }

    /// The file's path, otherwise the id.
    pub(crate) fn name(&self) -> PathBuf {
        match self {
            Self::File { path } => path.clone(),
            Self::Line { path: Some(path), .. } => path.into(),
            Self::Line { id, .. } => id.name().into(),
        }
    }
}

/// Any JSON, kept verbatim: numbers keep their digits, and objects their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Id(Box<RawValue>);

impl Id {
    /// The id of a line that has none.
    pub(crate) fn none() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    /// A text without its quotes.
    fn name(&self) -> String {
        serde_json::from_str(self.0.get()).unwrap_or_else(|_| self.0.get().to_owned())
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().display().fmt(f)
    }
}

fn lossy<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_with_whose_they_are() {
        let id = |json: &str| serde_json::from_str::<Id>(json).unwrap();
        for (subject, json, name) in [
            (Subject::file("a/b.png"), r#"{"path":"a/b.png"}"#, "a/b.png"),
            (Subject::Line { id: id(r#""x""#), path: None }, r#"{"id":"x"}"#, "x"),
            (Subject::Line { id: id("7"), path: None }, r#"{"id":7}"#, "7"),
            (
                Subject::Line { id: id("123456789012345678901234.50"), path: None },
                r#"{"id":123456789012345678901234.50}"#,
                "123456789012345678901234.50",
            ),
            (Subject::Line { id: id(r#"{"z":1,"a":[]}"#), path: Some("c.png".into()) }, r#"{"id":{"z":1,"a":[]},"path":"c.png"}"#, "c.png"),
        ] {
            assert_eq!(serde_json::to_string(&subject).unwrap(), json);
            assert_eq!(subject.to_string(), name);
        }
        assert_eq!(serde_json::to_string(&Id::none()).unwrap(), "null");
    }
}
