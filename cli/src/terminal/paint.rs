//! Text styles on a terminal: few, each with one meaning.
//!
//! Human-readable output carries its styles as ANSI escapes, which are removed on output unless the stream wants them ([`wanted`]).

use std::io::Write;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice, adapter};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use clap::builder::Styles;

/// Headings: a picture's path, the header of a table.
pub(crate) const HEADING: Style = Style::new().bold();
/// Errors.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Warnings.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
/// Checks that passed.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Bars.
pub(crate) const BAR: Style = AnsiColor::Cyan.on_default();
/// Less important details.
pub(crate) const ASIDE: Style = Style::new().dimmed();

/// The same styles for help and usage errors, which clap writes.
pub(crate) const HELP: Styles = Styles::styled()
    .header(HEADING)
    .usage(HEADING)
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(Style::new())
    .error(BAD)
    .invalid(DOUBTFUL)
    .valid(GOOD);

/// `text` in that style.
pub(crate) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// `text`, a table from the library, with headings painted: its first line, and lines that begin with one of `beginnings`, also after
/// blanks.
pub(crate) fn headed(text: &str, beginnings: &[&str]) -> String {
    let is_heading = |(at, line): (usize, &str)| at == 0 || beginnings.iter().any(|beginning| line.trim_start().starts_with(beginning));
    text.lines().enumerate().map(|(at, line)| if is_heading((at, line)) { paint(HEADING, line) } else { line.to_owned() } + "\n").collect()
}

/// `text` without its styles.
pub(crate) fn plain(text: &str) -> String {
    adapter::strip_str(text).to_string()
}

/// Whether styles are wanted on `stream`: if it is a terminal other than `TERM=dumb` and `NO_COLOR` is not set, or if `--color` or
/// `CLICOLOR_FORCE` says so.
pub(crate) fn wanted<S: RawStream>(stream: &S) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// Writes `text` in one piece, with its styles if they are wanted.
pub(crate) fn write<S: RawStream + anstream::stream::AsLockedWrite>(mut stream: S, text: &str) -> std::io::Result<()> {
    match wanted(&stream) {
        // Where a console of Windows knows no escapes, this calls its functions.
        true => AutoStream::always(stream).write_all(text.as_bytes()),
        false => stream.write_all(plain(text).as_bytes()),
    }
}

/// Styles from now on as `--color` says. It is looked for before the command line is understood, as misuse has colours too.
pub(crate) fn as_asked(arguments: impl Iterator<Item = String>) {
    let arguments: Vec<String> = arguments.collect();
    let value = |at: usize| match arguments[at].split_once('=') {
        Some(("--color" | "--colour", when)) => Some(when),
        None if ["--color", "--colour"].contains(&arguments[at].as_str()) => arguments.get(at + 1).map(String::as_str),
        _ => None,
    };
    if let Some(when) = (0..arguments.len()).rev().find_map(value).and_then(|when| clap::ColorChoice::from_str(when, false).ok()) {
        set(when);
    }
}

/// Styles from now on as `--color` says.
pub(crate) fn set(when: clap::ColorChoice) {
    let choice = match when {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    };
    choice.write_global();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_styles_is_taken_out() {
        // In UTF-8 these have bytes that terminals of eight bits take for the beginning of an escape.
        let text = "\tÛ 雛 · e\u{301} …\n";
        assert_eq!(plain(&format!("{}{}", paint(BAD, text), paint(HEADING, text))), [text, text].concat());
    }

    #[test]
    fn headings_are_the_first_line_and_those_that_are_named() {
        let table = headed("1 x 3\n\nlayer  ms\nlayer1.conv  2\n   before ms\n", &["layer ", "before ms"]);
        let painted: Vec<&str> = table.lines().filter(|line| line.contains('\u{1b}')).collect();
        assert_eq!(painted, ["1 x 3", "layer  ms", "   before ms"].map(|line| paint(HEADING, line)));
        assert_eq!(plain(&table).lines().count(), 5);
    }
}
