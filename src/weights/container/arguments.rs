//! The arguments of the program that trained a network, which it saved beside it.

use serde_json::Value as Json;

use super::pickle::{Id, Pickle, Value};

/// Most arguments, and most numbers in one.
const MOST: usize = 1 << 10;

/// Longest name and text, in bytes.
const LONGEST: usize = 512;

/// Most values in all arguments: a small file may name one list in each of them.
const MOST_VALUES: usize = 1 << 13;

/// What lies under `args`, as `argparse` made it: numbers, texts and lists of them; the rest is left out.
pub(super) fn arguments(pickle: &Pickle) -> Option<Json> {
    let (class, _, state) = pickle.object(pickle.get(pickle.root(), "args")?)?;
    let entries = pickle.dict(state?).filter(|entries| class == ("argparse", "Namespace") && entries.len() <= MOST)?;
    let length = |id| if let Value::Sequence(items) = pickle.value(id) { items.len().min(MOST + 1) } else { 1 };
    if entries.iter().map(|&(_, value)| length(value)).sum::<usize>() > MOST_VALUES {
        return None;
    }
    let argument = |&(key, value): &(Id, Id)| {
        let key = pickle.text(key).filter(|key| key.len() <= LONGEST)?;
        Some((key.to_owned(), json(pickle, value)?))
    };
    Some(Json::Object(entries.iter().filter_map(argument).collect()))
}

fn json(pickle: &Pickle, id: Id) -> Option<Json> {
    match pickle.value(id) {
        Value::Sequence(items) if items.len() <= MOST => items.iter().map(|&item| plain(pickle.value(item))).collect(),
        value => plain(value),
    }
}

fn plain(value: &Value) -> Option<Json> {
    match value {
        Value::None => Some(Json::Null),
        Value::Bool(bool) => Some((*bool).into()),
        Value::Int(int) => Some((*int).into()),
        Value::Float(float) => Some((*float).into()),
        Value::Text(text) if text.len() <= LONGEST => Some(text.as_str().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_argparse_made_is_read() {
        let read = |pickle: &[u8]| arguments(&Pickle::read(pickle).unwrap().0);
        let found = read(
            b"(dVargs\ncargparse\nNamespace\n)\x81(dVmodel\nVdensenet121\nsVmean\n(F0.5\nF0.25\ntsVlr\nF0.1\nsVcrop_pct\nNsVnested\n(dsbs.",
        );
        let expected = serde_json::json!({"model": "densenet121", "mean": [0.5, 0.25], "lr": 0.1, "crop_pct": null});
        assert_eq!(found, Some(expected));
        // One list of 1,000 numbers under each of 20 names.
        let list = format!("({}lp0\n0", "I1\n".repeat(1000));
        let many: String = (0..20).map(|name| format!("V{name}\ng0\ns")).collect();
        let file = [list.as_bytes(), b"(dVargs\ncargparse\nNamespace\n)\x81(d", many.as_bytes(), b"bs."].concat();
        assert_eq!(read(&file), None);
        assert_eq!(read(b"(dVargs\ncother\nNamespace\n)\x81(dVmodel\nVx\nsbs."), None);
        assert_eq!(read(b"(dVargs\n(dVmodel\nVx\nss."), None);
    }
}
