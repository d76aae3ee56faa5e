//! Reads rows of JSON.

use std::io::BufRead;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::expected::Expected;
use super::held::Held;

#[derive(Deserialize)]
struct JsonRow {
    path: String,
    model: Option<String>,
    identity: Option<String>,
    settings: Option<String>,
    error: Option<String>,
    #[serde(default)]
    top: Vec<IgnoredAny>,
}

/// The beginning of each row.
const JSON_BEGIN: &[u8] = br#"{"path":""#;

/// Reads whole rows up to a torn one.
pub(super) fn read(source: impl BufRead, expected: &Expected<'_>) -> Result<Held, String> {
    let Expected { model, classes, .. } = *expected;
    let mut source = source;
    let mut held = Held::default();
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        let bytes = source.read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if bytes == 0 {
            break;
        }
        let not_ours =
            |found: &str| format!("line {number}: expected a row that `classify --format json` wrote, found {found}; give another file");
        if line.last() != Some(&b'\n') {
            let common = line.len().min(JSON_BEGIN.len());
            // After a power failure, the file may be longer than what was written.
            let is_torn = line[..common] == JSON_BEGIN[..common] || line.iter().all(|&byte| byte == 0);
            return if is_torn { Ok(held) } else { Err(not_ours("something else")) };
        }
        let row: JsonRow = serde_json::from_slice(&line).map_err(|error| not_ours(&error.to_string()))?;
        if row.model.is_none() && row.error.is_none() {
            return Err(not_ours("neither a model nor an error"));
        }
        if let Some(name) = row.model {
            let identity = row.identity.unwrap_or_default();
            if name != model.name || identity != model.identity {
                return Err(expected.other_model(number, &name, &identity));
            }
            match row.settings {
                Some(written) => expected.check_settings(number, &written)?,
                None => held.without_settings += 1,
            }
        }
        if row.error.is_none() && row.top.len() != classes {
            return Err(expected.other_classes(number, row.top.len()));
        }
        held.rows.push((row.path, row.error.is_some()));
        held.byte_end += bytes as u64;
    }
    Ok(held)
}
