//! Reads rows of CSV.

use std::io::{BufRead, Read};

use super::expected::Expected;
use super::held::{End, Held};
use crate::rows::csv::HEADER;

/// The beginning of the header in every version.
const EARLIER_HEADER: &[u8] = b"path,rank,index,label,probability,logit,error";

/// Reads whole rows up to a torn one. The lines of a picture are one row.
pub(super) fn read(source: impl BufRead, end: End, expected: &Expected<'_>) -> Result<Held, String> {
    let Expected { model, classes, .. } = *expected;
    let not_ours =
        |line: u64| format!("line {line}: expected what `classify --format csv` writes, found something else; give another file");
    let mut source = source;
    let header = HEADER.join(",") + "\n";
    let mut first = Vec::new();
    source.by_ref().take(header.len() as u64).read_to_end(&mut first).map_err(|error| error.to_string())?;
    if first != header.as_bytes() {
        return if header.as_bytes().starts_with(&first) {
            Ok(Held::default())
        } else if first.starts_with(EARLIER_HEADER) {
            let found = "those of an earlier version, which do not say with which flags a row was made";
            Err(format!("line 1: expected the columns {}, found {found}; give another file", header.trim_end()))
        } else {
            Err(not_ours(1))
        };
    }

    let mut held = Held { byte_end: end.byte, ..Held::default() };
    // Where the last row begins, and how many lines of it were found.
    let (mut byte_begin, mut found) = (end.byte, classes);
    let mut records = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(source).into_byte_records().peekable();
    while let Some(record) = records.next() {
        let record = record.map_err(|error| error.to_string())?;
        let (line, byte_record) = record.position().map_or((0, 0), |position| (position.line(), position.byte()));
        let (line, byte_record) = (line + 1, byte_record + header.len() as u64);
        let fields: Vec<String> = record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        // An error that lost its closing quote lacks the next field.
        let is_whole = fields.len() == HEADER.len() && end.is_of_line;
        if records.peek().is_none() && !is_whole {
            held.byte_end = byte_record;
            break;
        }
        let [path, rank, _, _, _, _, error, identity, _, written, _] = &fields[..] else { return Err(not_ours(line)) };
        let is_error = rank.is_empty() && !error.is_empty();
        if !is_error && *identity != model.identity {
            return Err(expected.other_model(line, "another model", identity));
        }
        if !is_error {
            expected.check_settings(line, written)?;
        }
        let is_next = rank.parse() == Ok(found + 1) && held.rows.last().is_some_and(|(last, _)| last == path);
        if is_next && found < classes {
            found += 1;
        } else if found != classes || is_next {
            if is_next {
                // Count all of them, so that the suggested --top-k is right.
                let ranks = records.map_while(|record| record.ok().filter(|next| next.get(0) == Some(path.as_bytes())));
                let ranks = ranks.map_while(|next| std::str::from_utf8(next.get(1)?).ok()?.parse::<usize>().ok());
                found = ranks.zip(found + 2..).take_while(|(rank, next)| rank == next).last().map_or(found + 1, |(rank, _)| rank);
            }
            return Err(expected.other_classes(line, found));
        } else if is_error || rank == "1" {
            held.rows.push((path.clone(), is_error));
            (byte_begin, found) = (byte_record, if is_error { classes } else { 1 });
        } else {
            return Err(not_ours(line));
        }
    }
    if found < classes && held.rows.pop().is_some() {
        held.byte_end = byte_begin;
    }
    Ok(held)
}
