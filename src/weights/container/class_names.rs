//! What trainers write beside a network about its classes: `class_to_idx` of torchvision's folders, `meta.CLASSES` of
//! OpenMMLab, `hyper_parameters.class_names` of Lightning, and their like.

use std::collections::{HashSet, VecDeque};

use serde_json::Value as Json;

use super::pickle::{Id, Pickle, Value};

/// The names of a network's classes, as one place in a file has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClassNames {
    /// The keys that lead there, with points between them.
    pub(crate) place: String,
    /// The names in the order of the classes.
    pub(crate) names: Vec<String>,
    /// Whether each name came with its class's number; else they were in a list.
    pub(crate) is_numbered: bool,
}

/// Keys under which there are names of classes, in small letters.
const KEYS: [&str; 18] = [
    "cat_to_idx",
    "categories",
    "class2idx",
    "class_labels",
    "class_names",
    "class_to_idx",
    "class_to_index",
    "classes",
    "classnames",
    "id2label",
    "idx2class",
    "idx_to_class",
    "index_to_class",
    "label2id",
    "label_names",
    "label_to_idx",
    "idx_to_label",
    "vocab",
];

/// Keys around a key: `hyper_parameters.data.class_to_idx`.
const DEEPEST: usize = 4;

/// Most dictionaries and instances that are looked into; a DenseNet-264 that was saved whole has some 4,000.
const MOST_PLACES: usize = 1 << 13;

/// Most names in a place.
const MOST_NAMES: usize = 1 << 15;

/// Longest name, and key, in bytes.
const LONGEST_NAME: usize = 512;

/// Bytes of all names.
const LONGEST_NAMES: usize = 4 << 20;

/// Every place in a pickle that names classes, those with fewer keys around them first.
pub(super) fn class_names(pickle: &Pickle) -> Vec<ClassNames> {
    let mut found = Vec::new();
    let mut bytes = 0;
    let mut seen = HashSet::new();
    let mut places = VecDeque::from([(pickle.root(), String::new(), 0)]);
    while let Some((id, place, depth)) = places.pop_front() {
        if seen.len() == MOST_PLACES || !seen.insert(id) {
            continue;
        }
        for &(key, value) in entries(pickle, id).unwrap_or_default() {
            if bytes > LONGEST_NAMES {
                return found;
            }
            let Some(key) = pickle.text(key).filter(|key| key.len() <= LONGEST_NAME) else { continue };
            let inner = if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
            let names = KEYS.contains(&key.to_ascii_lowercase().as_str()).then(|| names(pickle, value)).flatten();
            if let Some((names, is_numbered)) = names {
                bytes += names.iter().map(String::len).sum::<usize>();
                found.push(ClassNames { place: inner, names, is_numbered });
            } else if depth < DEEPEST && places.len() < MOST_PLACES && entries(pickle, value).is_some() {
                places.push_back((value, inner, depth + 1));
            }
        }
    }
    found
}

/// Every key of a JSON object that names classes.
pub(crate) fn class_names_in_json(json: &Json) -> Vec<ClassNames> {
    let named = |(key, value): (&String, &Json)| {
        let (names, is_numbered) = KEYS.contains(&key.to_ascii_lowercase().as_str()).then(|| names_in_json(value)).flatten()?;
        Some(ClassNames { place: key.clone(), names, is_numbered })
    };
    json.as_object().into_iter().flatten().filter_map(named).collect()
}

fn names_in_json(json: &Json) -> Option<(Vec<String>, bool)> {
    let name = |json: &Json| json.as_str().map(str::to_owned);
    if let Some(items) = json.as_array().filter(|items| !items.is_empty()) {
        return Some((items.iter().map(name).collect::<Option<_>>()?, false));
    }
    let entries = json.as_object().filter(|entries| !entries.is_empty())?;
    let mut names = vec![None; entries.len()];
    for (key, value) in entries {
        // Keys are texts there: a number as a value is a class's, else the key is.
        let (number, name) = match value.as_u64() {
            Some(number) => (usize::try_from(number).ok()?, key.clone()),
            None => (key.parse().ok()?, name(value)?),
        };
        if names.get_mut(number)?.replace(name).is_some() {
            return None;
        }
    }
    names.into_iter().collect::<Option<_>>().map(|names| (names, true))
}

/// The entries of a dictionary, or the attributes of an instance.
fn entries(pickle: &Pickle, id: Id) -> Option<&[(Id, Id)]> {
    if let Some(entries) = pickle.dict(id) {
        return Some(entries);
    }
    let (_, _, state) = pickle.object(id)?;
    pickle.dict(state?)
}

/// The names in a value, and whether they came with numbers: names to numbers, numbers to names, or a list of names.
fn names(pickle: &Pickle, id: Id) -> Option<(Vec<String>, bool)> {
    if let Some(items) = pickle.sequence(id).filter(|items| !items.is_empty() && items.len() <= MOST_NAMES) {
        let names: Option<Vec<String>> = items.iter().map(|&item| name(pickle, item)).collect();
        return Some((names?, false));
    }
    let entries = pickle.dict(id).filter(|entries| !entries.is_empty() && entries.len() <= MOST_NAMES)?;
    let mut names = vec![None; entries.len()];
    for &(key, value) in entries {
        let (number, name) = match (number(pickle, key), number(pickle, value)) {
            (None, Some(number)) => (number, name(pickle, key)?),
            (Some(number), None) => (number, name(pickle, value)?),
            // A name may be a number too, and then the one that is no text is the class.
            (Some(of_key), Some(of_value)) if pickle.int(value).is_some() => (of_value, name(pickle, key).unwrap_or(of_key.to_string())),
            (Some(of_key), Some(_)) => (of_key, name(pickle, value)?),
            (None, None) => return None,
        };
        let place = names.get_mut(number)?;
        if place.replace(name).is_some() {
            return None;
        }
    }
    names.into_iter().collect::<Option<Vec<String>>>().map(|names| (names, true))
}

fn name(pickle: &Pickle, id: Id) -> Option<String> {
    pickle.text(id).filter(|text| text.len() <= LONGEST_NAME).map(str::to_owned)
}

/// A class's number, also one that a JSON file made text of.
fn number(pickle: &Pickle, id: Id) -> Option<usize> {
    match pickle.value(id) {
        Value::Int(int) => usize::try_from(*int).ok(),
        Value::Text(text) if text.len() < 6 && text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a pickle of protocol 0, written as Python writes it.
    fn found(pickle: &[u8]) -> Vec<(String, Vec<String>, bool)> {
        let (pickle, _) = Pickle::read(pickle).unwrap();
        class_names(&pickle).into_iter().map(|found| (found.place, found.names, found.is_numbered)).collect()
    }

    fn expected(place: &str, names: &[&str], is_numbered: bool) -> Vec<(String, Vec<String>, bool)> {
        vec![(place.into(), names.iter().map(ToString::to_string).collect(), is_numbered)]
    }

    #[test]
    fn numbers_count_wherever_they_stand() {
        for pickle in [
            &b"(dVclass_to_idx\n(dVdog\nI1\nsVcat\nI0\nss."[..],
            b"(dVclass_to_idx\n(dI1\nVdog\nsI0\nVcat\nss.",
            b"(dVclass_to_idx\n(dV1\nVdog\nsV0\nVcat\nss.",
        ] {
            assert_eq!(found(pickle), expected("class_to_idx", &["cat", "dog"], true));
        }
        // Folders that are called by numbers: the tenth class need not be 10.
        assert_eq!(found(b"(dVclass_to_idx\n(dV1\nI0\nsV10\nI1\nsV2\nI2\nss."), expected("class_to_idx", &["1", "10", "2"], true));
        assert_eq!(found(b"(dVidx_to_class\n(dI0\nV7\nsI1\nV9\nss."), expected("idx_to_class", &["7", "9"], true));
    }

    #[test]
    fn lists_are_found_below_keys_and_in_instances() {
        assert_eq!(found(b"(dVmeta\n(dVCLASSES\n(Vb\nVa\ntss."), expected("meta.CLASSES", &["b", "a"], false));
        assert_eq!(
            found(b"(dVmeta\n(dVdataset_meta\n(dVclasses\n(lVb\naVa\nasss."),
            expected("meta.dataset_meta.classes", &["b", "a"], false)
        );
        assert_eq!(
            found(b"(dVargs\ncargparse\nNamespace\n)\x81(dVclass_names\n(Vx\nVy\ntsbs."),
            expected("args.class_names", &["x", "y"], false)
        );
    }

    #[test]
    fn json_names_classes_too() {
        let json = serde_json::json!({
            "id2label": {"1": "dog", "0": "cat"},
            "label2id": {"1": 0, "10": 1, "2": 2},
            "classes": ["b", "a"],
            "label_names": [1, 2],
            "idx_to_class": {"0": "a", "2": "b"},
            "others": ["x"],
        });
        let found: Vec<_> = class_names_in_json(&json).into_iter().map(|it| (it.place, it.names.join(" "), it.is_numbered)).collect();
        let expected = [("classes", "b a", false), ("id2label", "cat dog", true), ("label2id", "1 10 2", true)];
        assert_eq!(found, expected.map(|(place, names, is_numbered)| (place.to_owned(), names.to_owned(), is_numbered)));
    }

    #[test]
    fn what_names_no_classes_is_passed_over() {
        for pickle in [
            &b"(dVclasses\nI2\ns."[..],
            b"(dVclasses\n(ls.",
            b"(dVclasses\n(Va\nI1\nts.",
            b"(dVclass_to_idx\n(dVdog\nI1\nsVcat\nI1\nss.",
            b"(dVclass_to_idx\n(dVdog\nI1\nsVcat\nI2\nss.",
            b"(dVstate_dict\n(dVweight\n(Va\ntss.",
        ] {
            assert_eq!(found(pickle), [], "{}", String::from_utf8_lossy(pickle));
        }
    }
}
