//! Messages on standard error.

use std::io;

use crate::terminal::paint::{self, BAD, DOUBTFUL, paint};
use crate::terminal::progress;

/// Why the command stops, or why an input failed.
pub(crate) fn error(text: &str) {
    say(&(paint(BAD, "error:") + " "), text);
}

/// Something the user should know although work continues.
pub(crate) fn warning(text: &str) {
    say(&(paint(DOUBTFUL, "warning:") + " "), text);
}

/// What was done or assumed.
pub(crate) fn note(text: &str) {
    say("", text);
}

fn say(kind: &str, text: &str) {
    // Unlike `eprintln`, this does not panic if standard error is closed. One write keeps lines whole.
    let lines: Vec<String> = text.lines().map(printable).collect();
    let _ = progress::suspended(|| paint::write(io::stderr().lock(), &format!("{kind}{}\n", lines.join("\n"))));
}

/// `text` with escapes for characters that would move a terminal's cursor, change its colours or the text direction.
pub(crate) fn printable(text: &str) -> String {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if invisible(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}
