//! `--stdin-jsonl`: pictures sent by another program, one per line, as `{"id":…,"path":…}` or `{"id":…,"b64":…}`.

use std::io::{self, BufRead, BufReader, Read};

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::Value;

use super::input::{Content, Input};
use super::subject::{Id, Subject};

/// Bytes that a line may have besides its picture.
const MAX_OTHER_BYTES: u64 = 1 << 16;

/// Padding is optional: some programs leave it out.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// Inputs as they arrive.
pub(crate) struct Requests {
    lines: Lines<Box<dyn BufRead + Send>>,
    sent: usize,
}

impl Requests {
    /// Reads them from standard input, with pictures of at most `max_file_bytes`.
    pub(crate) fn from_stdin(max_file_bytes: u64) -> Self {
        Self::new(BufReader::new(io::stdin()), max_file_bytes)
    }

    /// Those of `source`, as [`Requests::from_stdin`] has them.
    pub(crate) fn new(source: impl BufRead + Send + 'static, max_file_bytes: u64) -> Self {
        let max_bytes = (max_file_bytes / 3).saturating_mul(4).saturating_add(MAX_OTHER_BYTES);
        Self { lines: Lines { source: Box::new(source), max_bytes, number: 0, is_over: false }, sent: 0 }
    }
}

impl Iterator for Requests {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        let (subject, content) = request(self.lines.next()?);
        self.sent += 1;
        Some(Input { number: self.sent - 1, subject, content })
    }
}

/// A line's number, from 1, and its bytes, or what is wrong with it.
type Line = (usize, Result<Vec<u8>, String>);

/// The lines of `source` that are not blank.
struct Lines<R> {
    source: R,
    max_bytes: u64,
    number: usize,
    is_over: bool,
}

impl<R: BufRead> Lines<R> {
    /// The next line; nothing comes after one that cannot be read.
    fn next(&mut self) -> Option<Line> {
        if self.is_over {
            return None;
        }
        self.number += 1;
        let line = self.read();
        self.is_over = line.is_err();
        let line = line.unwrap_or_else(|error| Some(Err(format!("cannot be read: {error}"))))?;
        Some((self.number, line))
    }

    fn read(&mut self) -> io::Result<Option<Result<Vec<u8>, String>>> {
        loop {
            let mut line = Vec::new();
            if self.source.by_ref().take(self.max_bytes.saturating_add(1)).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            if line.len() as u64 > self.max_bytes {
                if line.last() != Some(&b'\n') {
                    self.source.skip_until(b'\n')?;
                }
                return Ok(Some(Err(format!("expected at most {} bytes, found more; give a larger --max-bytes", self.max_bytes))));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(Ok(line)));
            }
            self.number += 1;
        }
    }
}

#[derive(Deserialize)]
struct Request {
    id: Option<Id>,
    path: Option<Value>,
    b64: Option<Value>,
}

/// The input that a line asks for. A line that asks for none has a row too, which says why.
fn request((number, line): Line) -> (Subject, Content) {
    let refused = |id: Option<Id>, path: Option<String>, found: &str| {
        let expected = r#"expected {"id":…,"path":…} or {"id":…,"b64":…}"#;
        let subject = Subject::Line { id: id.unwrap_or_else(Id::none), path };
        (subject, Content::Refused(format!("line {number} of standard input: {expected}, found {found}")))
    };
    let line = match line {
        Ok(line) => line,
        Err(error) => {
            return (Subject::Line { id: Id::none(), path: None }, Content::Refused(format!("line {number} of standard input: {error}")));
        }
    };
    match serde_json::from_slice(&line) {
        Err(error) => refused(None, None, &format!("something else ({error})")),
        Ok(Request { id: None, path, .. }) => refused(None, text(path), "no id"),
        Ok(Request { id: Some(id), path: Some(Value::String(path)), b64: None }) => {
            let content = Content::File(path.clone().into());
            (Subject::Line { id, path: Some(path) }, content)
        }
        Ok(Request { id: Some(id), path: None, b64: Some(Value::String(b64)) }) => (Subject::Line { id, path: None }, decoded(b64)),
        Ok(Request { id, path: None, b64: None }) => refused(id, None, "neither a path nor a b64"),
        Ok(Request { id, path: Some(path), b64: Some(_) }) => refused(id, text(Some(path)), "both a path and a b64"),
        Ok(Request { id, .. }) => refused(id, None, "a path or b64 that is not text"),
    }
}

fn text(value: Option<Value>) -> Option<String> {
    value.and_then(|value| value.as_str().map(str::to_owned))
}

/// The file that `b64` is, with line ends or without.
fn decoded(mut b64: String) -> Content {
    b64.retain(|c| !c.is_ascii_whitespace());
    let expected = "b64: expected a file's bytes in base 64 (A-Z a-z 0-9 + /), and nothing before them, found";
    BASE64.decode(b64).map_or_else(|error| Content::Refused(format!("{expected}: {error}")), Content::Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(json: &str) -> Id {
        serde_json::from_str(json).unwrap()
    }

    fn requests(text: &str) -> Vec<(Subject, Content)> {
        let mut lines = Lines { source: text.as_bytes(), max_bytes: 100, number: 0, is_over: false };
        std::iter::from_fn(|| lines.next()).map(request).collect()
    }

    #[test]
    fn lines_ask_for_files_and_bytes() {
        let line = |json: &str, path: Option<&str>| Subject::Line { id: id(json), path: path.map(str::to_owned) };
        let found =
            requests("{\"id\":1,\"path\":\"a b.png\",\"more\":0}\r\n\n  \n{\"b64\":\"UDU=\",\"id\":\"x\"}\n{\"id\":2,\"b64\":\"UDU\"}");
        assert_eq!(found[0], (line("1", Some("a b.png")), Content::File("a b.png".into())));
        assert_eq!(found[1], (line(r#""x""#, None), Content::Bytes(b"P5".to_vec())));
        assert_eq!(found[2], (line("2", None), Content::Bytes(b"P5".to_vec())));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn what_asks_for_nothing_is_told_with_its_line() {
        for (text, expected, parts) in [
            ("{", "null", ["line 1", "EOF"]),
            ("[1]", "null", ["line 1", "invalid"]),
            (r#"{"path":"a.png"}"#, "null", ["line 1", "no id"]),
            (r#"{"path":"a.png","id":null}"#, "null", ["line 1", "no id"]),
            (r#"{"id":3}"#, "3", ["line 1", "neither"]),
            (r#"{"id":3,"path":"a","b64":""}"#, "3", ["line 1", "both"]),
            (&format!(r#"{{"id":3,"b64":"{}"}}"#, "A".repeat(100)), "null", ["line 1", "at most 100 bytes"]),
            (r#"{"id":3,"b64":"?"}"#, "3", ["b64", "base 64"]),
            (r#"{"id":5,"b64":5}"#, "5", ["line 1", "not text"]),
        ] {
            let found = requests(text);
            let [(Subject::Line { id: found_id, .. }, Content::Refused(error))] = &found[..] else { panic!("{text}: {found:?}") };
            assert_eq!(*found_id, id(expected), "{text}");
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
    }
}
