//! Tables that say what is true of pictures.

use std::path::{Path, PathBuf};

use csv::ByteRecord;

use super::cell::finding;
use super::columns::{Columns, LabelColumns};
use super::said::Said;
use super::{Truth, UnreadableRow, some};
use crate::error::{Error, Result};

/// How a table is read. By default its own header says it.
///
/// ```
/// use densenet_wgpu::evaluate::{TableOptions, Truth};
///
/// let folder = tempfile::tempdir().expect("there is room");
/// let path = folder.path().join("truth.csv");
/// std::fs::write(&path, "\u{feff}path;species\na.png;cat\nb.png\nc.png;dog\n").expect("there is room");
/// let truth = Truth::read_csv(&path, &TableOptions::default())?;
/// assert_eq!((&truth.classes[..], truth.pictures[1].path.clone()), (&["cat".into(), "dog".into()][..], folder.path().join("c.png")));
/// assert_eq!((truth.unreadable[0].line, truth.unreadable[0].reason.as_str()), (3, "expected 2 cells, as the header has, found 1"));
/// assert!(truth.notes[0].contains("semicolons"));
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableOptions {
    /// The folder to which paths are relative, instead of the table's own.
    pub pictures: Option<PathBuf>,
    /// The column of the pictures' paths.
    pub path_column: Option<String>,
    /// The columns that say what is true: one with names, or one for each class.
    pub label_columns: Vec<String>,
    /// The names of a model's classes: columns of these names are found by themselves.
    pub classes: Vec<String>,
    /// The column of the pictures' groups, such as patients.
    pub group_column: Option<String>,
}

impl TableOptions {
    /// Sets the folder to which paths are relative.
    #[must_use]
    pub fn with_pictures(self, pictures: impl Into<PathBuf>) -> Self {
        Self { pictures: Some(pictures.into()), ..self }
    }

    /// Sets the column of the pictures' paths.
    #[must_use]
    pub fn with_path_column(self, path_column: impl Into<String>) -> Self {
        Self { path_column: Some(path_column.into()), ..self }
    }

    /// Sets the columns that say what is true.
    #[must_use]
    pub fn with_label_columns(self, label_columns: Vec<String>) -> Self {
        Self { label_columns, ..self }
    }

    /// Sets the names of a model's classes.
    #[must_use]
    pub fn with_classes(self, classes: Vec<String>) -> Self {
        Self { classes, ..self }
    }

    /// Sets the column of the pictures' groups, such as patients. An empty cell is a group of its own.
    #[must_use]
    pub fn with_group_column(self, group_column: impl Into<String>) -> Self {
        Self { group_column: Some(group_column.into()), ..self }
    }
}

/// Separators, and what they are called.
const SEPARATORS: [(u8, &str); 4] = [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs"), (b'|', "vertical bars")];

impl Truth {
    /// Reads a table with a header and a row for each picture: a column with names of classes (several with `|` between them), or a column
    /// for each class with 1, 0, or what nobody knows (an empty cell, -1, U). Separators are those of the header. Rows that cannot be read
    /// are [unreadable](Truth::unreadable), and the others count.
    ///
    /// Errors if the file cannot be read, its columns do not say which is which, or no row can be read.
    pub fn read_csv(path: &Path, options: &TableOptions) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::File { path: path.into(), source })?;
        let refused = |expected: &str, found: &str| Error::Truth { path: path.into(), expected: expected.into(), found: found.into() };
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(refused("a table in UTF-8", "one in UTF-16; save it as CSV UTF-8"));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let (separator, separators) = separator(bytes);
        let mut records =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(bytes).into_byte_records();
        let header =
            records.next().and_then(|record| record.ok()).ok_or_else(|| refused("a header such as path,label", "an empty file"))?;
        let header = texts(&header).map_err(|found| refused("a header in UTF-8", &found))?;
        let folder = options.pictures.as_deref().or(path.parent()).unwrap_or(Path::new(""));
        if header.iter().any(|cell| !cell.is_empty() && folder.join(cell).is_file()) {
            return Err(refused("a header such as path,label in line 1", &format!("a row: {}", header.join(", "))));
        }
        if header.len() < 2 {
            let expected = "a header such as path,label, with commas, semicolons or tabs";
            return Err(refused(expected, &format!("one column, {}", header.join(", "))));
        }
        let columns = Columns::find(&header, options.path_column.as_deref(), &options.label_columns, &options.classes)
            .and_then(|columns| columns.with_group(&header, options.group_column.as_deref()))
            .map_err(|[expected, found]| refused(&expected, &found))?;

        let (mut rows, mut groups, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for record in records {
            let (line, said) = match &record {
                Ok(record) => (record.position().map_or(0, csv::Position::line), said(record, &header, &columns)),
                Err(error) => (error.position().map_or(0, csv::Position::line), Err(error.to_string())),
            };
            match said {
                Ok(Row { path, said, group }) => {
                    rows.push((folder.join(path), said));
                    groups.push(group);
                }
                Err(reason) => unreadable.push(UnreadableRow { line, reason }),
            }
        }
        if rows.is_empty() {
            let found = unreadable.first().map_or("none".into(), |row: &UnreadableRow| format!("line {}: {}", row.line, row.reason));
            return Err(refused("a row for each picture below the header", &found));
        }
        let mut notes = Vec::new();
        if separator != b',' {
            notes.push(format!("{}: cells are separated by {separators}", path.display()));
        }
        notes.push(format!("{}: {}", path.display(), columns.described(&header)));
        let mut truth = Self { unreadable, notes, ..Self::gathered(rows) };
        truth.pictures.iter_mut().zip(groups).for_each(|(picture, group)| picture.group = group);
        Ok(truth)
    }
}

impl Columns {
    /// A sentence about which column is which.
    fn described(&self, header: &[String]) -> String {
        let labels = match &self.labels {
            LabelColumns::Names(column) => format!("classes are in the column {}", header[*column]),
            LabelColumns::Findings(columns) => {
                format!("{} columns are classes: {}", columns.len(), some(columns.iter().map(|&column| header[column].clone())))
            }
        };
        format!("paths are in the column {}, {labels}", header[self.path])
    }
}

/// What separates the columns of the header: the most frequent separator outside of quotes.
fn separator(bytes: &[u8]) -> (u8, &'static str) {
    let header = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let outside: Vec<u8> = header.split(|&byte| byte == b'"').step_by(2).flatten().copied().collect();
    let count = |separator: u8| outside.iter().filter(|&&byte| byte == separator).count();
    SEPARATORS.into_iter().rev().max_by_key(|(separator, _)| count(*separator)).unwrap_or(SEPARATORS[0])
}

/// What a row says.
struct Row {
    path: PathBuf,
    said: Said,
    group: Option<String>,
}

fn said(record: &ByteRecord, header: &[String], columns: &Columns) -> std::result::Result<Row, String> {
    if record.len() != header.len() {
        return Err(format!("expected {} cells, as the header has, found {}", header.len(), record.len()));
    }
    let cells = texts(record)?;
    let path = &cells[columns.path];
    if path.is_empty() {
        return Err(format!("expected a path in the column {}, found an empty cell", header[columns.path]));
    }
    let said = match &columns.labels {
        LabelColumns::Names(column) => {
            let names: Vec<String> = cells[*column].split('|').map(|name| name.trim().to_owned()).collect();
            match &names[..] {
                [name] if !name.is_empty() => Said::One(name.clone()),
                [_] => return Err(format!("expected a class in the column {}, found an empty cell", header[*column])),
                _ => Said::Several(names.into_iter().filter(|name| !name.is_empty()).collect()),
            }
        }
        LabelColumns::Findings(columns) => {
            let cell = |&column: &usize| match finding(&cells[column]) {
                Ok(is_true) => Ok((header[column].clone(), is_true)),
                Err(error) => Err(format!("column {}: {error}", header[column])),
            };
            Said::Each(columns.iter().map(cell).collect::<std::result::Result<_, _>>()?)
        }
    };
    let group = columns.group.map(|column| cells[column].clone()).filter(|group| !group.is_empty());
    Ok(Row { path: path.into(), said, group })
}

/// The cells without blanks around them. Errors if they are not UTF-8.
fn texts(record: &ByteRecord) -> std::result::Result<Vec<String>, String> {
    let text = |cell: &[u8]| std::str::from_utf8(cell).map(|text| text.trim().to_owned());
    record
        .iter()
        .map(text)
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| "bytes that are not UTF-8; save the table as CSV UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Known;

    fn read(content: impl AsRef<[u8]>, classes: &[&str]) -> std::result::Result<Truth, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, content).unwrap();
        let options = TableOptions::default().with_classes(classes.iter().map(|class| (*class).to_owned()).collect());
        Truth::read_csv(&path, &options).map_err(|error| error.to_string())
    }

    #[test]
    fn findings_are_there_or_not_or_unknown() {
        let truth = read("Path,Age,Edema,Effusion\na.png,3,1.0,\nb.png,4,0,-1\nc.png,5,maybe,1\n", &["Effusion", "Edema"]).unwrap();
        assert_eq!(truth.classes, ["Edema", "Effusion"]);
        assert_eq!(truth.pictures[0].known, Known::Each(vec![Some(true), None]));
        assert_eq!(truth.pictures[1].known, Known::Each(vec![Some(false), None]));
        assert_eq!(truth.unreadable.len(), 1);
        assert!(truth.unreadable[0].line == 4 && truth.unreadable[0].reason.starts_with("column Edema: expected 1, 0"), "{truth:?}");
    }

    #[test]
    fn names_may_be_several() {
        let truth = read("Image Index\tFinding Labels\na.png\tEdema|Hernia\nb.png\tNo Finding\n", &["Edema"]).unwrap();
        assert_eq!(truth.classes, ["Edema", "Hernia", "No Finding"]);
        assert_eq!(truth.pictures[1].known, Known::Each(vec![Some(false), Some(false), Some(true)]));
        assert!(truth.notes[0].ends_with("separated by tabs"), "{:?}", truth.notes);
    }

    #[test]
    fn pictures_belong_to_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "path,label,patient\na.png,cat,7\nb.png,dog,\n").unwrap();
        let read = |column: &str| Truth::read_csv(&path, &TableOptions::default().with_group_column(column));
        let truth = read("patient").unwrap();
        assert_eq!(truth.pictures.iter().map(|picture| picture.group.as_deref()).collect::<Vec<_>>(), [Some("7"), None]);
        let error = read("patients").unwrap_err().to_string();
        assert!(error.contains("a column called patients") && error.contains("did you mean patient"), "{error}");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for (content, part) in [
            (&b""[..], "an empty file"),
            (b"path,label\n", "expected a row for each picture"),
            (b"path\na.png\n", "found one column, path"),
            (b"\xff\xfep\0", "UTF-16"),
            (b"p\xe4th,label\na.png,cat\n", "not UTF-8"),
            (b"t.csv,cat\n", "found a row: t.csv, cat"),
            (b"path,a,b\nx,1,2\n", "expected a column called label"),
        ] {
            let error = read(content, &[]).unwrap_err();
            assert!(error.contains(part), "{part}: {error}");
        }
        let truth = read(b"path,label\n\"a,b.png\",\"c\"\"d\"\nb.png,\xe4\n,x\n", &[]).unwrap();
        assert_eq!((truth.classes, truth.pictures.len()), (vec!["c\"d".to_owned()], 1));
        assert_eq!(truth.unreadable.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 4]);
    }
}
