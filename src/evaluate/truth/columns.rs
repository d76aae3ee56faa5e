//! Which columns of a table say what.

use crate::evaluate::matching::key;
use crate::nearest::suggestion;

/// What the columns of a table are, by their indices.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// The picture's path.
    pub(super) path: usize,
    /// What is true of it.
    pub(super) labels: LabelColumns,
    /// Its group.
    pub(super) group: Option<usize>,
}

/// The columns that say what is true.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LabelColumns {
    /// One holds the name of a class, or names with `|` between them.
    Names(usize),
    /// Each is a class, which is there or not.
    Findings(Vec<usize>),
}

/// Names of columns that hold paths, and of those that hold classes, in small letters.
const PATHS: [&str; 10] = ["path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img", "image index"];
const LABELS: [&str; 8] = ["label", "labels", "class", "class_name", "target", "category", "finding labels", "y"];

impl Columns {
    /// Finds them in a `header`: as asked for, else by their names, of which those of findings are the model's `classes`. Errors with what
    /// was expected and found.
    pub(super) fn find(header: &[String], path: Option<&str>, labels: &[String], classes: &[String]) -> Result<Self, [String; 2]> {
        let named = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|column| column.trim().to_lowercase() == *name));
        let is_class = |column: &String| classes.iter().any(|class| key(class) == key(column));
        let path = path.map(|name| asked(header, name)).transpose()?.or_else(|| named(&PATHS)).unwrap_or(0);
        let others: Vec<usize> = (0..header.len()).filter(|&column| column != path).collect();
        let findings: Vec<usize> = others.iter().copied().filter(|&column| is_class(&header[column])).collect();
        let asked: Vec<usize> = labels.iter().map(|name| asked(header, name)).collect::<Result<_, _>>()?;
        let labels = match (&asked[..], &findings[..], &others[..], named(&LABELS)) {
            (&[column], ..) if !is_class(&header[column]) => LabelColumns::Names(column),
            ([_, ..], ..) => LabelColumns::Findings(asked),
            (_, [_, ..], ..) => LabelColumns::Findings(findings),
            (_, _, _, Some(column)) if column != path => LabelColumns::Names(column),
            (_, _, &[column], _) => LabelColumns::Names(column),
            _ => {
                let expected = "a column called label, or one for each of the model's classes, or `label_columns` to say which";
                return Err([expected.into(), format!("the columns {}", header.join(", "))]);
            }
        };
        Ok(Self { path, labels, group: None })
    }

    /// The same with a column of groups, if one is asked for. Errors with what was expected and found.
    pub(super) fn with_group(self, header: &[String], name: Option<&str>) -> Result<Self, [String; 2]> {
        let group = name.map(|name| asked(header, name)).transpose()?;
        Ok(Self { group, ..self })
    }
}

/// The column of that name.
fn asked(header: &[String], name: &str) -> Result<usize, [String; 2]> {
    let there = || format!("{}{}", header.join(", "), suggestion(name, header.iter().map(String::as_str)));
    header.iter().position(|column| column == name).ok_or_else(|| [format!("a column called {name}"), there()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(header: &str, asked: &[&str], classes: &[&str]) -> Result<Columns, [String; 2]> {
        let [header, asked, classes] = [&header.split(',').collect::<Vec<_>>()[..], asked, classes]
            .map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        Columns::find(&header, None, &asked, &classes)
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let names = |path, column| Ok(Columns { path, labels: LabelColumns::Names(column), group: None });
        let findings = |columns: &[usize]| Ok(Columns { path: 0, labels: LabelColumns::Findings(columns.to_vec()), group: None });
        assert_eq!(find("path,label", &[], &["cat"]), names(0, 1));
        assert_eq!(find("species,age,filename,label", &[], &["cat"]), names(2, 3));
        assert_eq!(find("Image Index,Finding Labels,Age", &[], &["Edema"]), names(0, 1));
        assert_eq!(find("a,b", &[], &[]), names(0, 1));
        assert_eq!(find("Path,Sex,Pleural Effusion,edema", &[], &["Edema", "Pleural_Effusion"]), findings(&[2, 3]));
        assert_eq!(find("path,a,b", &["b"], &["x"]), names(0, 2));
        assert_eq!(find("path,a,b", &["b", "a"], &["x"]), findings(&[2, 1]));
        assert_eq!(find("path,Edema,b", &["Edema"], &["Edema"]), findings(&[1]));
        assert!(find("path,a,b", &[], &["x"]).unwrap_err()[1].ends_with("path, a, b"));
        assert!(find("path,label", &["lable"], &[]).unwrap_err()[1].contains("did you mean label"));
    }
}
