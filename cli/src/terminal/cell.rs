//! Text in a table, measured in terminal columns: Chinese characters take two.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that `text` takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text`, padded with blanks to `columns`.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{:blank$}", "", blank = columns.saturating_sub(width(text)))
}

/// `text` if it is at most `columns` wide, otherwise its beginning and `ellipsis`.
pub(crate) fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (mut left, mut beginning) = (columns.saturating_sub(width(ellipsis)), String::new());
    for c in text.chars() {
        match left.checked_sub(c.width().unwrap_or(0)) {
            Some(rest) => left = rest,
            None => break,
        }
        beginning.push(c);
    }
    beginning + ellipsis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_a_terminal() {
        assert_eq!(["cat", "猫", "e\u{301}", ""].map(width), [3, 2, 1, 0]);
        assert_eq!((padded("猫", 4).as_str(), padded("cats", 3).as_str()), ("猫  ", "cats"));
    }

    #[test]
    fn what_is_too_wide_is_cut_between_characters() {
        assert_eq!(cut("Egyptian cat", 12, "…"), "Egyptian cat");
        assert_eq!(cut("Egyptian cat", 9, "…"), "Egyptian…");
        assert_eq!(
            (cut("猫猫猫", 6, "…").as_str(), cut("猫猫猫", 5, "…").as_str(), cut("猫猫猫", 4, "…").as_str()),
            ("猫猫猫", "猫猫…", "猫…")
        );
        assert_eq!(cut("cafe\u{301}teria", 5, "…"), "cafe\u{301}…");
        assert_eq!(cut("Egyptian cat", 5, ".."), "Egy..");
    }
}
