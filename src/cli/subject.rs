//! Whose row it is.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

/// Whose row it is, as JSON writes it: `"path":…`, or what the program that sent it calls it, `"id":…` and, where it has one,
/// `"path":…`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Subject {
    /// A file's.
    File {
        /// As it was named or found.
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
    },
    /// That of a line on standard input.
    Line {
        /// As the line has it.
        id: Value,
        /// The picture's path, where the picture was not in the line itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
}

impl Subject {
    /// That of the file at `path`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self::File { path: path.into() }
    }

    /// The file's path, or what stands for it.
    pub(crate) fn name(&self) -> PathBuf {
        match self {
            Self::File { path } => path.clone(),
            Self::Line { path: Some(path), .. } => path.into(),
            Self::Line { id: Value::String(id), .. } => id.into(),
            Self::Line { id, .. } => id.to_string().into(),
        }
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
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_begin_with_whose_they_are() {
        for (subject, json, name) in [
            (Subject::file("a/b.png"), r#"{"path":"a/b.png"}"#, "a/b.png"),
            (Subject::Line { id: json!("x"), path: None }, r#"{"id":"x"}"#, "x"),
            (Subject::Line { id: json!(7), path: None }, r#"{"id":7}"#, "7"),
            (Subject::Line { id: json!({"k": [1]}), path: Some("c.png".into()) }, r#"{"id":{"k":[1]},"path":"c.png"}"#, "c.png"),
        ] {
            assert_eq!(serde_json::to_string(&subject).unwrap(), json);
            assert_eq!(subject.to_string(), name);
        }
    }
}
