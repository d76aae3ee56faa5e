//! Lines of JSON that say what is true of pictures.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::cell::finding;
use super::said::Said;
use super::{Truth, UnreadableRow};
use crate::error::{Error, Result};

/// A line.
#[derive(Deserialize)]
struct Line {
    path: PathBuf,
    label: Option<Value>,
    labels: Option<Labels>,
}

/// Several classes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Labels {
    Several(Vec<Value>),
    Each(Map<String, Value>),
}

impl Truth {
    /// Reads a file of lines `{"path":"a.png","label":"cat"}`, or with any number of classes `{"path":"a.png","labels":["cat","dog"]}` or
    /// `{"path":"a.png","labels":{"Effusion":1,"Edema":null}}`, where null and -1 are what nobody knows. Paths are relative to `folder`,
    /// or to that of the file.
    ///
    /// Errors if the file cannot be read, or has no line that says something.
    pub fn read_json_lines(path: &Path, folder: Option<&Path>) -> Result<Self> {
        let text = std::fs::read(path).map_err(|source| Error::File { path: path.into(), source })?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let folder = folder.or(path.parent()).unwrap_or(Path::new(""));
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        for (line, bytes) in (1..).zip(text.split(|&byte| byte == b'\n')) {
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match said(bytes) {
                Ok((path, said)) => rows.push((folder.join(path), said)),
                Err(reason) => unreadable.push(UnreadableRow { line, reason }),
            }
        }
        if rows.is_empty() {
            let found = unreadable.first().map_or("none".into(), |row| format!("line {}: {}", row.line, row.reason));
            let expected = r#"lines such as {"path":"a.png","label":"cat"}"#.into();
            return Err(Error::Truth { path: path.into(), expected, found });
        }
        Ok(Self { unreadable, ..Self::gathered(rows) })
    }
}

/// What a line says.
fn said(line: &[u8]) -> std::result::Result<(PathBuf, Said), String> {
    let Line { path, label, labels } = serde_json::from_slice(line).map_err(|error| format!("expected a path and a label ({error})"))?;
    let name = |value: &Value| match value {
        Value::String(name) if !name.is_empty() => Ok(name.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(format!("expected a label, found {other}")),
    };
    let is_true = |(name, value): (&String, &Value)| {
        let cell = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        finding(&cell).map(|is_true| (name.clone(), is_true)).map_err(|error| format!("{name}: {error}"))
    };
    let said = match (&label, &labels) {
        (Some(label), None) => Said::One(name(label)?),
        (None, Some(Labels::Several(labels))) => Said::Several(labels.iter().map(name).collect::<std::result::Result<_, _>>()?),
        (None, Some(Labels::Each(labels))) => Said::Each(labels.iter().map(is_true).collect::<std::result::Result<_, _>>()?),
        (Some(_), Some(_)) => return Err("expected a label or labels, found both".into()),
        (None, None) => return Err("expected a label or labels, found neither".into()),
    };
    Ok((path, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_one_several_or_each() {
        let of = |line: &str| said(line.as_bytes()).map(|(_, said)| said);
        assert_eq!(of(r#"{"path":"a","label":3}"#), Ok(Said::One("3".into())));
        assert_eq!(of(r#"{"path":"a","labels":["x","y"]}"#), Ok(Said::Several(vec!["x".into(), "y".into()])));
        let each = vec![("x".into(), Some(true)), ("y".into(), None), ("z".into(), Some(false))];
        assert_eq!(of(r#"{"path":"a","labels":{"x":1,"y":null,"z":false}}"#), Ok(Said::Each(each)));
        for wrong in [r#"{"path":"a"}"#, r#"{"path":"a","label":null}"#, r#"{"path":"a","labels":{"x":2}}"#, "cat"] {
            assert!(of(wrong).is_err_and(|error| error.contains("expected")), "{wrong}");
        }
    }
}
