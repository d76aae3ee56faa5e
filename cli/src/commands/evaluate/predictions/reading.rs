//! Reads predictions again.

use csv::ByteRecord;
use densenet_wgpu::evaluate::Known;
use densenet_wgpu::preprocessing::Activation;

use super::layout::{COLUMNS, Layout, TRUTH};
use crate::commands::evaluate::row::Row;
use crate::rows::Model;

/// What a file holds.
pub(super) struct Held {
    /// What its rows share; `None` without a row.
    pub(super) layout: Option<Layout>,
    /// Its rows, each with its line.
    pub(super) rows: Vec<(u64, Row)>,
    /// Where the last whole row ends.
    pub(super) byte_end: usize,
}

/// Reads whole rows up to a torn one. Errors, with the line, on anything else than rows of one model.
pub(super) fn read(bytes: &[u8]) -> Result<Held, String> {
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let mut records = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..whole]).into_byte_records();
    let not_ours =
        |line: u64| format!("line {line}: expected what `evaluate --predictions` writes, found something else; give another file");
    let Some(header) = records.next() else {
        let begins_so = COLUMNS.join(",").as_bytes().starts_with(&bytes[..bytes.len().min(COLUMNS.join(",").len())]);
        return if begins_so { Ok(Held { layout: None, rows: Vec::new(), byte_end: 0 }) } else { Err(not_ours(1)) };
    };
    let header = texts(&header.map_err(|error| error.to_string())?);
    let Some((labels, is_of_each)) = classes(&header) else { return Err(not_ours(1)) };

    let mut held = Held { layout: None, rows: Vec::new(), byte_end: whole };
    let mut records = records.peekable();
    while let Some(record) = records.next() {
        let record = record.map_err(|error| error.to_string())?;
        let (line, byte) = record.position().map_or((0, 0), |position| (position.line(), position.byte()));
        if record.len() != header.len() && records.peek().is_none() {
            held.byte_end = byte as usize;
            break;
        }
        let cells = texts(&record);
        let read = (cells.len() == header.len()).then(|| row(&cells, &labels, is_of_each)).flatten();
        let Some((activation, row)) = read else { return Err(not_ours(line)) };
        let model = Model { name: cells[4].clone(), identity: cells[5].clone() };
        let layout = Layout { labels: labels.clone(), is_of_each, activation, model, settings: cells[6].clone() };
        match &held.layout {
            None => held.layout = Some(layout),
            Some(first) if *first != layout => return Err(other(line, first, &layout)),
            Some(_) => {}
        }
        held.rows.push((line, row));
    }
    Ok(held)
}

/// The error for rows of two models in one file, or in two that are merged.
pub(super) fn other(line: u64, expected: &Layout, found: &Layout) -> String {
    let described = |Layout { model, settings, activation, labels, .. }: &Layout| {
        let Model { name, identity } = model;
        format!("{name} of identity {identity}, settings {settings}, activation {} and {} classes", activation.name(), labels.len())
    };
    let [own, of_other] = [expected, found].map(described);
    format!("line {line}: expected rows of {own}, found one of {of_other}; give the parts of one run")
}

/// The classes in a header, and whether any number of them may be true.
fn classes(header: &[String]) -> Option<(Vec<String>, bool)> {
    let own = header.strip_prefix(&COLUMNS.map(str::to_owned)[..])?;
    let is_of_each = own.len() % 2 == 0 && own.last().is_some_and(|last| last.starts_with(TRUTH));
    let labels = if is_of_each { &own[..own.len() / 2] } else { own };
    (!labels.is_empty()).then(|| (labels.to_vec(), is_of_each))
}

fn row(cells: &[String], labels: &[String], is_of_each: bool) -> Option<(Activation, Row)> {
    let activation = [Activation::Softmax, Activation::Sigmoid, Activation::None].into_iter().find(|known| known.name() == cells[7])?;
    let (scores, truths) = cells[COLUMNS.len()..].split_at(labels.len());
    let known = if is_of_each {
        let known = |cell: &String| match cell.as_str() {
            "1" => Some(Some(true)),
            "0" => Some(Some(false)),
            "" => Some(None),
            _ => None,
        };
        Known::Each(truths.iter().map(known).collect::<Option<_>>()?)
    } else {
        Known::One(labels.iter().position(|label| *label == cells[1])?)
    };
    let scores = match cells[3].as_str() {
        "" => Ok(scores.iter().map(|score| score.parse().ok().filter(|score: &f64| score.is_finite())).collect::<Option<_>>()?),
        error => Err(error.to_owned()),
    };
    Some((activation, Row { path: cells[0].clone(), known, scores }))
}

fn texts(record: &ByteRecord) -> Vec<String> {
    record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(is_of_each: bool) -> Layout {
        let model = Model { name: "m".into(), identity: "1".into() };
        let labels = ["a, \"b\"", "c|d"].map(str::to_owned).to_vec();
        Layout { labels, is_of_each, activation: Activation::Sigmoid, model, settings: "s".into() }
    }

    fn written(layout: &Layout, rows: &[Row]) -> Vec<u8> {
        let mut bytes = layout.header().unwrap();
        rows.iter().for_each(|row| bytes.extend(layout.line(row).unwrap()));
        bytes
    }

    #[test]
    fn what_was_written_is_read_to_the_bit_wherever_it_is_torn() {
        let scores = || Ok(vec![0.1 + 0.2, 1.0 / 3.0]);
        let row = |path: &str, known, scores| Row { path: path.into(), known, scores };
        let ones = [row("x\ny.png", Known::One(1), scores()), row("z", Known::One(0), Err("no \"picture\"".into()))];
        let each =
            [row("x", Known::Each(vec![None, Some(true)]), scores()), row("z,", Known::Each(vec![Some(false), None]), Err("e".into()))];
        for (layout, rows) in [(layout(false), ones), (layout(true), each)] {
            let bytes = written(&layout, &rows);
            let held = read(&bytes).unwrap();
            assert_eq!((held.layout, held.byte_end), (Some(layout), bytes.len()));
            assert_eq!(held.rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>(), rows);
            for torn in 0..bytes.len() {
                let held = read(&bytes[..torn]).unwrap();
                let again: Vec<Row> = held.rows.into_iter().map(|(_, row)| row).collect();
                assert!(rows.starts_with(&again) && held.byte_end <= torn, "torn at {torn}");
                assert!(read(&bytes[..held.byte_end]).is_ok_and(|again| again.byte_end == held.byte_end), "torn at {torn}");
            }
        }
    }

    #[test]
    fn what_others_wrote_is_refused_by_its_line() {
        let one = Row { path: "x".into(), known: Known::One(1), scores: Ok(vec![0.5, 0.5]) };
        let mut mixed = written(&layout(false), std::slice::from_ref(&one));
        mixed.extend(Layout { settings: "t".into(), ..layout(false) }.line(&one).unwrap());
        let header = String::from_utf8(layout(false).header().unwrap()).unwrap();
        for (content, part) in [
            ("path,label\na,b\n".to_owned(), "line 1: expected what"),
            ("notes".to_owned(), "line 1"),
            (header.clone() + "x,nothing,,,m,1,s,softmax,1,2\nx,c|d,,,m,1,s,softmax,1,2\n", "line 2"),
            (header + "x,c|d,,,m,1,s,softmax,1,NaN\nx,c|d,,,m,1,s,softmax,1,2\n", "line 2"),
            (String::from_utf8(mixed).unwrap(), "line 3: expected rows of m of identity 1, settings s"),
        ] {
            let error = read(content.as_bytes()).err().unwrap();
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
