//! From what rows say, in names, to classes with numbers.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use super::{Known, TruePicture, Truth};

/// What a row says of a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// It is of this class.
    One(String),
    /// It is of these classes, and of no other that any row names.
    Several(Vec<String>),
    /// It is of these classes or not, or nobody knows.
    Each(Vec<(String, Option<bool>)>),
}

impl Truth {
    /// Numbers the classes that rows name. Rows of one class and of several may be mixed: a class alone is a set of one.
    pub(super) fn gathered(rows: Vec<(PathBuf, Said)>) -> Self {
        let is_of_one = rows.iter().all(|(_, said)| matches!(said, Said::One(_)));
        let classes = names(&rows);
        let numbers: HashMap<&str, usize> = classes.iter().enumerate().map(|(number, name)| (name.as_str(), number)).collect();
        let known = |said: &Said| match said {
            Said::One(name) if is_of_one => Known::One(numbers[name.as_str()]),
            Said::One(name) => Known::Each(classes.iter().map(|class| Some(class == name)).collect()),
            Said::Several(names) => Known::Each(classes.iter().map(|class| Some(names.contains(class))).collect()),
            Said::Each(each) => {
                let mut known = vec![None; classes.len()];
                each.iter().for_each(|(name, is_true)| known[numbers[name.as_str()]] = *is_true);
                Known::Each(known)
            }
        };
        let pictures = rows.iter().map(|(path, said)| TruePicture { path: path.clone(), known: known(said), group: None }).collect();
        Self { pictures, classes, ..Self::default() }
    }
}

/// All names: those of columns as they come, others sorted by code points.
fn names(rows: &[(PathBuf, Said)]) -> Vec<String> {
    let (mut columns, mut others) = (Vec::new(), BTreeSet::new());
    let mut seen = BTreeSet::new();
    for (_, said) in rows {
        match said {
            Said::One(name) => _ = others.insert(name.clone()),
            Said::Several(names) => others.extend(names.iter().cloned()),
            Said::Each(each) => columns.extend(each.iter().filter(|(name, _)| seen.insert(name)).map(|(name, _)| name.clone())),
        }
    }
    others.retain(|name| !seen.contains(name));
    columns.extend(others);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_others_name_is_not_there() {
        let several = |names: &[&str]| Said::Several(names.iter().map(|name| (*name).to_owned()).collect());
        let truth =
            Truth::gathered(vec![("a".into(), several(&["b", "a"])), ("b".into(), several(&[])), ("c".into(), Said::One("b".into()))]);
        assert_eq!(truth.classes, ["a", "b"]);
        let known: Vec<&Known> = truth.pictures.iter().map(|picture| &picture.known).collect();
        assert_eq!(
            known,
            [[true, true], [false, false], [false, true]].map(|each| Known::Each(each.map(Some).to_vec())).iter().collect::<Vec<_>>()
        );
        assert_eq!((truth.counts(), truth.is_of_each()), (vec![1, 2], true));
    }
}
