//! The terminal of standard output.

pub(crate) mod cell;
pub(crate) mod paint;
pub(crate) mod progress;

use std::env;
use std::io::{self, IsTerminal};

/// Columns of a terminal of unknown size.
const COLUMNS: usize = 80;

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Characters in a row.
    pub(crate) columns: usize,
    /// Whether it shows characters beyond ASCII.
    pub(crate) is_utf8: bool,
}

impl Terminal {
    /// The terminal at its current size; `None` if standard output is a file or pipe, for which nothing is cut or drawn.
    pub(crate) fn stdout() -> Option<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        let size = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
        let said = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let columns = size.or_else(said).filter(|&columns| columns > 0).unwrap_or(COLUMNS);
        Some(Self { columns, is_utf8: shows_unicode() })
    }
}

/// Whether a terminal with this locale shows characters beyond ASCII.
pub(crate) fn shows_unicode() -> bool {
    is_utf8(|name| env::var(name).ok())
}

/// Whether the first of POSIX's locale variables that is set says UTF-8. On Windows, Rust's output to a console is always Unicode.
fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|locale| !locale.is_empty());
    let locale = locale.unwrap_or_default().to_lowercase();
    cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(windows))]
    #[test]
    fn the_first_variable_that_says_anything_counts() {
        let locale = |set: &[(&str, &str)]| {
            let set: Vec<(String, String)> = set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            is_utf8(|name| set.iter().find(|(set, _)| set == name).map(|(_, value)| value.clone()))
        };
        assert!(locale(&[("LANG", "de_DE.UTF-8")]) && locale(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("LANG", "C")]));
        assert!(!locale(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]) && !locale(&[]));
    }
}
