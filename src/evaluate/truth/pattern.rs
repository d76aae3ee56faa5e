//! Classes in file names.

use std::path::{Path, PathBuf};

use regex_lite::Regex;

use super::said::Said;
use super::{Truth, some};
use crate::error::{Error, Result};

/// Where the class is in a pattern.
const LABEL: &str = "{label}";

impl Truth {
    /// The class of each of `pictures` is what stands in its file name for `{label}` of `pattern`; `*` stands for any characters. A
    /// pattern with slashes is that of the end of the path. `{label}` takes as few characters as it can: `{label}-*.png` finds `7` in
    /// `7-1442-8.png`. Pictures of other names are left out.
    ///
    /// Errors if the pattern has not exactly one `{label}`, or no picture's name is like it.
    pub fn of_file_names(pattern: &str, pictures: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let refused = |expected: &str, found: String| Error::Truth { path: pattern.into(), expected: expected.into(), found };
        if pattern.matches(LABEL).count() != 1 {
            let expected = "a pattern with one {label}, as {label}-*.png";
            return Err(refused(expected, format!("{} of them", pattern.matches(LABEL).count())));
        }
        let regex = regex(pattern).map_err(|error| refused("a pattern", error.to_string()))?;
        let (mut rows, mut others) = (Vec::new(), Vec::new());
        for path in pictures {
            match class(&regex, &path) {
                Some(name) => rows.push((path, Said::One(name))),
                None => others.push(path.display().to_string()),
            }
        }
        if rows.is_empty() {
            return Err(refused("the pattern of file names", format!("none like it: {}", some(others))));
        }
        let left_out = (!others.is_empty()).then(|| format!("pictures whose names are not like {pattern} are left out: {}", some(others)));
        Ok(Self { notes: left_out.into_iter().collect(), ..Self::gathered(rows) })
    }
}

fn regex(pattern: &str) -> std::result::Result<Regex, regex_lite::Error> {
    let literal = |text: &str| text.split('*').map(regex_lite::escape).collect::<Vec<_>>().join("[^/]*");
    let all: Vec<String> = pattern.split(LABEL).map(literal).collect();
    Regex::new(&format!("(?:^|/){}$", all.join("([^/]+?)")))
}

fn class(regex: &Regex, path: &Path) -> Option<String> {
    let text = path.to_string_lossy().replace('\\', "/");
    regex.captures(&text).and_then(|found| found.get(1)).map(|label| label.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_as_short_as_can_be() {
        for (pattern, path, expected) in [
            ("{label}-*.png", "examples/digits/7-1442-8.png", Some("7")),
            ("{label}_???.png", "a/golden_001.png", None),
            ("*_{label}.jpg", "a/x_cat.jpg", Some("cat")),
            ("{label}/*.jpg", "root/dog/1.jpg", Some("dog")),
            ("scan-{label}.png", "a/scan-Größe (1).png", Some("Größe (1)")),
            ("{label}.png", "a/.png", None),
        ] {
            assert_eq!(class(&regex(pattern).unwrap(), Path::new(path)).as_deref(), expected, "{pattern} {path}");
        }
        let error = Truth::of_file_names("*.png", Vec::new()).unwrap_err().to_string();
        assert_eq!(error, "*.png: expected a pattern with one {label}, as {label}-*.png, found 0 of them");
    }
}
