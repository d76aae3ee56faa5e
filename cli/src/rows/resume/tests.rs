use std::sync::LazyLock;

use super::csv::read as csv;
use super::held::{End, Held};
use super::json::read as json;
use super::{Expected, Resumed};
use crate::exit::Stop;
use crate::inputs::{Content, Input, Subject};
use crate::rows::csv::HEADER;
use crate::rows::format::RowFormat;
use crate::rows::model::Model;
use crate::rows::settings::Settings;

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
    let header = HEADER.join(",") + "\n";
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
        let text = HEADER.join(",") + "\n" + rows;
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
    let ours = HEADER.join(",") + "\na,1,7,seven,0.9,3.5,,1f,,a-b-c,\nb,,,,,,x,,,,\n";
    let read = |text: &str| csv(text.as_bytes(), end(text.as_bytes()), &rows_of(1)).map(|held| held.rows.len());
    assert_eq!(read(&ours), Ok(2));
    for (other, found) in [("2f", "found one of another model of identity 2f;"), ("", "found one of another model without an identity;")] {
        let error = read(&format!("{ours}c,1,7,seven,0.9,3.5,,{other},,a-b-c,\n")).unwrap_err();
        assert!(error.starts_with("line 4: expected rows of the model m of identity 1f, ") && error.contains(found), "{error}");
    }
}

#[test]
fn rows_of_other_settings_are_refused_by_what_differs() {
    let begin = "{\"path\":\"a\",\"model\":\"m\",\"identity\":\"1f\"";
    let read_json = |settings: &str| json(format!("{begin},\"settings\":\"{settings}\",\"top\":[]}}\n").as_bytes(), &rows_of(0));
    let read_csv = |settings: &str| {
        let text = format!("{}\na,1,7,seven,0.9,3.5,,1f,,{settings},\n", HEADER.join(","));
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
        assert_eq!(held.map(|held| (held.rows.len(), held.without_settings)), Ok((1, 0)));
    }
    // What earlier versions wrote: rows go on, columns cannot.
    let untold = json(format!("{begin},\"top\":[]}}\n").as_bytes(), &rows_of(0));
    assert_eq!(untold.map(|held| (held.rows.len(), held.without_settings)), Ok((1, 1)));
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
    for text in ["not rows", "{\"name\":1}\n", "{\"path\":\"a\"}\n", "[]\n", "\n", "{\"path\":\"a\",\"model\":\"other\",\"top\":[]}\n"] {
        let error = json(text.as_bytes(), &rows_of(0)).err().unwrap_or_else(|| panic!("{text:?}"));
        assert!(error.starts_with("line 1: expected "), "{error}");
    }
    let header = HEADER.join(",") + "\n";
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
    let input = |(number, path): (usize, &&str)| Input { number, subject: Subject::file(path), content: Content::Refused(String::new()) };
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
