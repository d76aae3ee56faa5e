//! `--resume OUT`: rows of an earlier run in a file, and what is left to do.
//!
//! A row is one write, and the last may be torn where a run was killed. What is torn is cut off, so that the file holds whole
//! rows whenever a run begins; nothing else of it is ever changed.

use std::collections::HashMap;
#[cfg(not(windows))]
use std::fs::TryLockError;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
#[cfg(not(windows))]
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::settings::Settings;
use super::{CSV_HEADER, Model, RowFormat};
use crate::exit::Stop;
use crate::inputs::Input;
use crate::message;

/// What rows in the file have to look like.
pub(crate) struct Expected<'a> {
    pub(crate) format: RowFormat,
    /// The model.
    pub(crate) model: &'a Model,
    /// What else decides answers.
    pub(crate) settings: &'a Settings,
    /// Classes that a row has.
    pub(crate) classes: usize,
}

/// A file of rows that nobody else writes to, open at its end.
pub(crate) struct Resumed {
    pub(crate) file: File,
    /// Whether there is no row yet, nor what comes before the first.
    pub(crate) is_empty: bool,
    /// Inputs that have a row there.
    pub(crate) rows: usize,
    /// Those whose row says why there is no result.
    pub(crate) failed: usize,
    /// Of each path its rows that are no input's yet, the last first, and whether they say why there is no result: an input
    /// that is given twice has two.
    held: HashMap<String, Vec<bool>>,
}

/// Where a file ends.
#[derive(Clone, Copy)]
struct End {
    byte: u64,
    /// Whether that is the end of a line.
    is_of_line: bool,
}

impl End {
    fn of(file: &mut File) -> io::Result<Self> {
        let byte = file.seek(SeekFrom::End(0))?;
        let mut last = [0];
        if byte > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        file.rewind()?;
        Ok(Self { byte, is_of_line: last == *b"\n" })
    }
}

/// What a file holds: each row's path, and whether it says why there is no result.
#[derive(Default)]
struct Held {
    /// Where the last whole row ends.
    byte_end: u64,
    rows: Vec<(String, bool)>,
    /// Rows that have no settings.
    untold: usize,
}

impl Resumed {
    /// Opens the file at `path`, which is made if it is missing; cuts off a torn row. Stops where the file holds anything else
    /// than such rows, or another process writes to it.
    pub(crate) fn open(path: &Path, expected: &Expected<'_>) -> Result<Self, Stop> {
        let refused = |error: &dyn std::fmt::Display| Stop::refused(format!("--resume {}: {error}", path.display()));
        let mut file = open_alone(path).map_err(|error| refused(&error))?;
        let end = End::of(&mut file).map_err(|error| refused(&error))?;
        let reader = BufReader::new(&file);
        let held = match expected.format {
            RowFormat::Json => json(reader, expected),
            RowFormat::Csv => csv(reader, end, expected),
            RowFormat::Text => Err("expected --format json or csv, whose rows can be read again, found text".into()),
        };
        let Held { byte_end, rows, untold } = held.map_err(|error| refused(&error))?;
        if byte_end < end.byte {
            message::note(&format!("{}: cut off a torn row of {} bytes", path.display(), end.byte - byte_end));
            file.set_len(byte_end).map_err(|error| refused(&error))?;
        }
        if untold > 0 {
            let found = format!("{untold} rows do not say with which flags they were made, as those of earlier versions");
            message::warning(&format!("{}: {found}; they are taken for rows of these flags, else give another file", path.display()));
        }
        file.seek(SeekFrom::Start(byte_end)).map_err(|error| refused(&error))?;
        let mut resumed = Self { file, is_empty: byte_end == 0, rows: 0, failed: 0, held: HashMap::new() };
        for (path, failed) in rows.into_iter().rev() {
            resumed.held.entry(path).or_default().push(failed);
        }
        Ok(resumed)
    }

    /// The inputs without those that have a row, which are counted.
    pub(crate) fn left_of(&mut self, inputs: Vec<Input>) -> Vec<Input> {
        let mut left = Vec::new();
        for input in inputs {
            match self.held.get_mut(&*input.subject.name().to_string_lossy()).and_then(Vec::pop) {
                None => left.push(input),
                Some(failed) => {
                    self.rows += 1;
                    self.failed += usize::from(failed);
                }
            }
        }
        left
    }
}

/// How long, and how often, to wait for a process that was killed a moment ago and is not quite gone.
#[cfg(not(windows))]
const PAUSE: Duration = Duration::from_millis(100);
#[cfg(not(windows))]
const PAUSES: u32 = if cfg!(test) { 2 } else { 50 };

/// Opens a file that no other process can write to at the same time.
fn open_alone(path: &Path) -> Result<File, String> {
    let busy = "expected a file that nobody writes to, found one that another process appends rows to: wait for its end";
    let mut options = OpenOptions::new();
    // Where there are no locks, rows of two writers must not be written over each other. Windows, which can keep others from
    // writing, lets nobody cut a file that was opened for appending.
    options.read(true).write(true).create(true).append(cfg!(not(windows)));
    // Others may read: rows are there as they are done.
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1);
    if path.exists() && !path.is_file() {
        let found = if path.is_dir() { "a folder; give the name of a file in it" } else { "a device or a pipe; give another name" };
        return Err(format!("expected a file, which can be read and written again, found {found}"));
    }
    let file = options.open(path).map_err(|error| match error.raw_os_error() {
        Some(32) if cfg!(windows) => busy.into(),
        _ if error.kind() == io::ErrorKind::NotFound => "expected a folder that exists, found none; make it first".into(),
        _ => error.to_string(),
    })?;
    // Where there are no locks, as on some network file systems, there is nothing to do.
    #[cfg(not(windows))]
    for pause in 0.. {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if pause < PAUSES => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(busy.into()),
            _ => break,
        }
    }
    Ok(file)
}

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

/// How each row begins.
const JSON_BEGIN: &[u8] = br#"{"path":""#;

fn json(source: impl BufRead, expected: &Expected<'_>) -> Result<Held, String> {
    let Expected { model, settings, classes, .. } = *expected;
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
            // Where the power failed, the file may be longer than what was written.
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
                return Err(other_model(number, model, &name, &identity));
            }
            match row.settings {
                Some(written) => is_of(settings, number, &written)?,
                None => held.untold += 1,
            }
        }
        if row.error.is_none() && row.top.len() != classes {
            return Err(other_classes(number, classes, row.top.len()));
        }
        held.rows.push((row.path, row.error.is_some()));
        held.byte_end += bytes as u64;
    }
    Ok(held)
}

/// Nobody could take a file apart that has the rows of two.
fn other_model(line: u64, expected: &Model, name: &str, identity: &str) -> String {
    let Model { name: own, identity: of_own } = expected;
    let of_other = if identity.is_empty() { "without an identity".into() } else { format!("of identity {identity}") };
    format!("line {line}: expected rows of the model {own} of identity {of_own}, found one of {name} {of_other}; give another file")
}

/// Errors where the row has other settings.
fn is_of(settings: &Settings, line: u64, written: &str) -> Result<(), String> {
    settings.differ_from(written).map_or(Ok(()), |differing| {
        let found = format!("found one of {written}; what differs is {differing}");
        let remedy = "give the flags that it was made with, or another file";
        Err(format!("line {line}: expected rows of the settings {settings}, {found}; {remedy}"))
    })
}

fn other_classes(line: u64, expected: usize, found: usize) -> String {
    let remedy = if found == 0 { "give another file".into() } else { format!("give --top-k {found}, or another file") };
    format!("line {line}: expected rows of {expected} classes, found one of {found}; {remedy}")
}

/// How CSV of every version begins.
const EARLIER_HEADER: &[u8] = b"path,rank,index,label,probability,logit,error";

/// A picture's lines of CSV are one row here.
fn csv(source: impl BufRead, end: End, expected: &Expected<'_>) -> Result<Held, String> {
    let Expected { model, settings, classes, .. } = *expected;
    let not_ours =
        |line: u64| format!("line {line}: expected what `classify --format csv` writes, found something else; give another file");
    let mut source = source;
    let header = CSV_HEADER.join(",") + "\n";
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
    // Where the last row begins, and how many lines of it there are.
    let (mut byte_begin, mut found) = (end.byte, classes);
    let mut records = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(source).into_byte_records().peekable();
    while let Some(record) = records.next() {
        let record = record.map_err(|error| error.to_string())?;
        let (line, byte_record) = record.position().map_or((0, 0), |position| (position.line(), position.byte()));
        let (line, byte_record) = (line + 1, byte_record + header.len() as u64);
        let fields: Vec<String> = record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        // An error that lost its closing quote lacks the field behind it.
        let is_whole = fields.len() == CSV_HEADER.len() && end.is_of_line;
        if records.peek().is_none() && !is_whole {
            held.byte_end = byte_record;
            break;
        }
        let [path, rank, _, _, _, _, error, identity, _, written, _] = &fields[..] else { return Err(not_ours(line)) };
        let is_error = rank.is_empty() && !error.is_empty();
        if !is_error && *identity != model.identity {
            return Err(other_model(line, model, "another model", identity));
        }
        if !is_error {
            is_of(settings, line, written)?;
        }
        let is_next = rank.parse() == Ok(found + 1) && held.rows.last().is_some_and(|(last, _)| last == path);
        if is_next && found < classes {
            found += 1;
        } else if found != classes || is_next {
            if is_next {
                // All of them, so that the remedy is one.
                let ranks = records.map_while(|record| record.ok().filter(|next| next.get(0) == Some(path.as_bytes())));
                let ranks = ranks.map_while(|next| std::str::from_utf8(next.get(1)?).ok()?.parse::<usize>().ok());
                found = ranks.zip(found + 2..).take_while(|(rank, next)| rank == next).last().map_or(found + 1, |(rank, _)| rank);
            }
            return Err(other_classes(line, classes, found));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Content;
    use crate::inputs::Subject;
    use std::sync::LazyLock;

    static MODEL: LazyLock<Model> = LazyLock::new(|| Model { name: "m".into(), identity: "1f".into() });
    static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Settings(["a", "b", "c"].map(str::to_owned)));

    fn rows_of(classes: usize) -> Expected<'static> {
        Expected { format: RowFormat::Json, model: &MODEL, settings: &SETTINGS, classes }
    }

    fn end(text: &[u8]) -> End {
        End { byte: text.len() as u64, is_of_line: text.last() == Some(&b'\n') }
    }

    fn names(held: &Held) -> Vec<&str> {
        held.rows.iter().map(|(path, _)| path.as_str()).collect()
    }

    /// Torn anywhere, `text` holds the whole rows before; `ends` are those of its rows, the first of what comes before them.
    fn is_cut_at_rows(text: &str, ends: &[usize], read: impl Fn(&[u8]) -> Result<Held, String>) {
        for torn in 0..=text.len() {
            let held = read(&text.as_bytes()[..torn]).unwrap_or_else(|error| panic!("torn at {torn}: {error}"));
            let expected = ends.iter().rev().find(|&&end| end <= torn).copied().unwrap_or(0);
            assert_eq!(held.byte_end, expected as u64, "torn at {torn}: {:?}", &text[..torn]);
            assert_eq!(held.rows.len(), ends.iter().filter(|&&end| end <= torn).count().saturating_sub(1), "torn at {torn}");
        }
    }

    #[test]
    fn torn_json_is_cut_at_a_row() {
        let rows = [
            "{\"path\":\"a.png\",\"model\":\"m\",\"identity\":\"1f\",\"settings\":\"a-b-c\",\"top\":[{\"index\":1}]}\n",
            "{\"path\":\"b\\n.png\",\"error\":\"no picture\"}\n",
            "{\"path\":\"c.png\",\"model\":\"m\",\"identity\":\"1f\",\"settings\":\"a-b-c\",\"top\":[{\"index\":2}]}\n",
        ];
        let mut ends = vec![0];
        rows.iter().for_each(|row| ends.push(ends[ends.len() - 1] + row.len()));
        is_cut_at_rows(&rows.concat(), &ends, |text| json(text, &rows_of(1)));
        let held = json(rows.concat().as_bytes(), &rows_of(1)).unwrap();
        assert_eq!(held.rows, [("a.png".to_owned(), false), ("b\n.png".to_owned(), true), ("c.png".to_owned(), false)]);
    }

    #[test]
    fn torn_csv_is_cut_at_a_picture() {
        let header = CSV_HEADER.join(",") + "\n";
        let rows = [
            "a.png,1,7,seven,0.9,3.5,,1f,,a-b-c,\na.png,2,1,one,0.1,1.5,,1f,,a-b-c,\n",
            "\"b,\"\"\n.png\",,,,,,\"two\nlines\",,,,\n",
            "a.png,1,7,\"se\nven\",0.9,3.5,,1f,activation,a-b-c,\na.png,2,1,one,0.1,1.5,,1f,activation,a-b-c,\n",
        ];
        let mut ends = vec![header.len()];
        rows.iter().for_each(|row| ends.push(ends[ends.len() - 1] + row.len()));
        is_cut_at_rows(&(header.clone() + &rows.concat()), &ends, |text| csv(text, end(text), &rows_of(2)));
        assert_eq!(
            names(&csv((header + &rows.concat()).as_bytes(), end(rows[2].as_bytes()), &rows_of(2)).unwrap()),
            ["a.png", "b,\"\n.png", "a.png"]
        );
    }

    #[test]
    fn rows_of_other_numbers_of_classes_are_refused() {
        let csv_of = |rows: &str, classes: usize| {
            let text = CSV_HEADER.join(",") + "\n" + rows;
            csv(text.as_bytes(), end(text.as_bytes()), &rows_of(classes)).map(|held| held.rows.len())
        };
        let rows = "a.png,1,7,seven,0.9,3.5,,1f,,a-b-c,\na.png,2,1,one,0.1,1.5,,1f,,a-b-c,\nb.png,1,7,seven,0.9,3.5,,1f,,a-b-c,\nb.png,2,1,one,0.1,1.5,,1f,,a-b-c,\n";
        assert_eq!(csv_of(rows, 2), Ok(2));
        for (classes, found) in [(1, "found one of 2; give --top-k 2"), (3, "found one of 2; give --top-k 2")] {
            let error = csv_of(rows, classes).unwrap_err();
            assert!(error.contains(&format!("expected rows of {classes} classes")) && error.contains(found), "{error}");
        }
        // The remedy is to give as many as there are.
        let five: String = (1..=5).map(|rank| format!("a.png,{rank},7,seven,0.9,3.5,,1f,,a-b-c,\n")).collect();
        let error = csv_of(&(five.clone() + "b.png,,,,,,x,,,,\n"), 2).unwrap_err();
        assert!(error.starts_with("line 4: ") && error.contains("found one of 5; give --top-k 5"), "{error}");
        assert_eq!(csv_of(&five, 5), Ok(1));
        let row = "{\"path\":\"a.png\",\"model\":\"m\",\"identity\":\"1f\",\"settings\":\"a-b-c\",\"top\":[{\"index\":1}]}\n";
        assert!(json(row.as_bytes(), &rows_of(2)).err().unwrap().contains("expected rows of 2 classes, found one of 1"));
    }

    #[test]
    fn rows_of_another_model_are_refused() {
        let row = |name: &str, identity: &str| format!("{{\"path\":\"a\",\"model\":\"{name}\"{identity},\"top\":[]}}\n");
        let ours = row("m", ",\"identity\":\"1f\"") + "{\"path\":\"b\",\"error\":\"x\"}\n";
        assert_eq!(json(ours.as_bytes(), &rows_of(0)).unwrap().rows.len(), 2);
        for (other, found) in [
            (row("m", ",\"identity\":\"2f\""), "found one of m of identity 2f;"),
            (row("n", ",\"identity\":\"1f\""), "found one of n of identity 1f;"),
            (row("m", ""), "found one of m without an identity;"),
        ] {
            let error = json((ours.clone() + &other).as_bytes(), &rows_of(0)).err().unwrap();
            assert!(error.starts_with("line 3: expected rows of the model m of identity 1f, ") && error.contains(found), "{error}");
        }
        let ours = CSV_HEADER.join(",") + "\na,1,7,seven,0.9,3.5,,1f,,a-b-c,\nb,,,,,,x,,,,\n";
        let read = |text: &str| csv(text.as_bytes(), end(text.as_bytes()), &rows_of(1)).map(|held| held.rows.len());
        assert_eq!(read(&ours), Ok(2));
        for (other, found) in
            [("2f", "found one of another model of identity 2f;"), ("", "found one of another model without an identity;")]
        {
            let error = read(&format!("{ours}c,1,7,seven,0.9,3.5,,{other},,a-b-c,\n")).unwrap_err();
            assert!(error.starts_with("line 4: expected rows of the model m of identity 1f, ") && error.contains(found), "{error}");
        }
    }

    #[test]
    fn rows_of_other_settings_are_refused_by_what_differs() {
        let begin = "{\"path\":\"a\",\"model\":\"m\",\"identity\":\"1f\"";
        let read_json = |settings: &str| json(format!("{begin},\"settings\":\"{settings}\",\"top\":[]}}\n").as_bytes(), &rows_of(0));
        let read_csv = |settings: &str| {
            let text = format!("{}\na,1,7,seven,0.9,3.5,,1f,,{settings},\n", CSV_HEADER.join(","));
            csv(text.as_bytes(), end(text.as_bytes()), &rows_of(1))
        };
        for (settings, parts) in [
            ("x-b-c", &["the network (--epsilon"][..]),
            ("a-x-c", &["how pictures are prepared (--preprocess"]),
            ("a-b-x", &["what its outputs mean (--activation"]),
            ("a-x-x", &["how pictures are prepared", "what its outputs mean"]),
            ("x", &["the network", "how pictures are prepared", "what its outputs mean"]),
        ] {
            for error in [read_json(settings), read_csv(settings)].map(|read| read.err().unwrap()) {
                let expected = format!(": expected rows of the settings a-b-c, found one of {settings}; what differs is ");
                assert!(error.contains(&expected) && parts.iter().all(|part| error.contains(part)), "{error}");
                assert_eq!(error.matches(" (--").count(), parts.len(), "{error}");
                assert!(error.ends_with("; give the flags that it was made with, or another file"), "{error}");
            }
        }
        for held in [read_json("a-b-c"), read_csv("a-b-c")] {
            assert_eq!(held.map(|held| (held.rows.len(), held.untold)), Ok((1, 0)));
        }
        // What earlier versions wrote: rows go on, columns cannot.
        let untold = json(format!("{begin},\"top\":[]}}\n").as_bytes(), &rows_of(0));
        assert_eq!(untold.map(|held| (held.rows.len(), held.untold)), Ok((1, 1)));
        for columns in ["", ",identity", ",identity,assumed"] {
            let text = format!("path,rank,index,label,probability,logit,error{columns}\na,1,7,seven,0.9,3.5,,1f,\n");
            let error = csv(text.as_bytes(), end(text.as_bytes()), &rows_of(1)).err().unwrap();
            assert!(error.starts_with("line 1: expected the columns path,rank,") && error.contains("earlier version"), "{error}");
        }
    }

    #[test]
    fn what_a_power_cut_leaves_is_cut_off() {
        let row = "{\"path\":\"a.png\",\"model\":\"m\",\"identity\":\"1f\",\"settings\":\"a-b-c\",\"top\":[]}\n";
        assert_eq!(json((row.to_owned() + &"\0".repeat(300)).as_bytes(), &rows_of(0)).unwrap().byte_end, row.len() as u64);
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        for text in ["not rows", "{\"name\":1}\n", "{\"path\":\"a\"}\n", "[]\n", "\n", "{\"path\":\"a\",\"model\":\"other\",\"top\":[]}\n"]
        {
            let error = json(text.as_bytes(), &rows_of(0)).err().unwrap_or_else(|| panic!("{text:?}"));
            assert!(error.starts_with("line 1: expected "), "{error}");
        }
        let header = CSV_HEADER.join(",") + "\n";
        for (text, line) in [
            ("not rows", 1),
            ("path,rank\na.png,1\n", 1),
            (&*(header.clone() + "a.png,2,7,seven,0.9,3.5,,1f,,a-b-c,\n"), 2),
            (&*(header.clone() + "a.png,1,7,seven,0.9,3.5,,1f,,a-b-c,\nb.png,2,7,seven,0.9,3.5,,1f,,a-b-c,\n"), 3),
            (&*(header.clone() + "a.png,1,7\nb.png,1,7,seven,0.9,3.5,,1f,,a-b-c,\n"), 2),
            (&*(header + "a.png,,,,,,,1f,,a-b-c,\nb.png,1,7,seven,0.9,3.5,,1f,,a-b-c,\n"), 2),
        ] {
            let error = csv(text.as_bytes(), end(text.as_bytes()), &rows_of(1)).err().unwrap_or_else(|| panic!("{text:?}"));
            assert!(error.starts_with(&format!("line {line}: expected ")), "{error}");
        }
    }

    #[test]
    fn an_input_that_is_given_twice_has_two_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        std::fs::write(
            &path,
            "{\"path\":\"a\",\"model\":\"m\",\"identity\":\"1f\",\"settings\":\"a-b-c\",\"top\":[]}\n{\"path\":\"b\",\"error\":\"x\"}\n{\"path\":\"a",
        )
        .unwrap();
        let input =
            |(number, path): (usize, &&str)| Input { number, subject: Subject::file(path), content: Content::Refused(String::new()) };
        let inputs: Vec<Input> = ["a", "b", "a", "c"].iter().enumerate().map(input).collect();
        let expected = rows_of(0);
        let mut resumed = Resumed::open(&path, &expected).unwrap();
        let left: Vec<usize> = resumed.left_of(inputs).into_iter().map(|input| input.number).collect();
        assert_eq!(left, [2, 3]);
        assert_eq!((resumed.rows, resumed.failed, resumed.is_empty), (2, 1, false));
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("\"x\"}\n"));
        let Err(Stop::With { message, .. }) = Resumed::open(&path, &expected) else { panic!("two writers") };
        assert!(message.contains("another process"), "{message}");
    }
}
