//! A cell of a column that is a finding.

/// Whether a finding is there; `None` if nobody knows: an empty cell, or -1 and its like, as CheXpert has them. Errors with what was
/// expected and found for anything else.
pub(super) fn finding(cell: &str) -> Result<Option<bool>, String> {
    let word = cell.trim().to_lowercase();
    match word.as_str() {
        "1" | "1.0" | "true" | "yes" | "y" | "t" => Ok(Some(true)),
        "0" | "0.0" | "false" | "no" | "n" | "f" => Ok(Some(false)),
        "" | "-1" | "-1.0" | "u" | "uncertain" | "unknown" | "nan" | "na" | "n/a" | "null" | "none" | "?" => Ok(None),
        _ => Err(format!("expected 1, 0, or an empty cell, -1 or U if nobody knows, found {cell:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::finding;

    #[test]
    fn what_nobody_knows_is_neither() {
        assert_eq!(
            ["1.0", " True", "0", "no", "", "-1.0", "U"].map(|cell| finding(cell).unwrap()),
            [Some(true), Some(true), Some(false), Some(false), None, None, None]
        );
        assert!(finding("maybe").unwrap_err().ends_with("found \"maybe\""));
    }
}
