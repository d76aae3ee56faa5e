//! What a person sees on a terminal.

use std::process::Command;

use vt100::Color;

use crate::terminal::{Style, Terminal};
use crate::{CPU, densenet, fixture, folder};

/// A terminal of `width` columns after `densenet` with these arguments, and its exit status.
fn shown(width: u16, arguments: &[&str]) -> (Terminal, Option<i32>) {
    let mut terminal = Terminal::open(width, 100);
    let mut command = densenet();
    command.args(arguments);
    terminal.run(command);
    let status = terminal.wait();
    (terminal, status)
}

#[test]
fn help_is_as_wide_as_the_terminal() {
    for (width, most) in [(60, 60), (100, 100), (200, 120)] {
        let (terminal, status) = shown(width, &["--help"]);
        assert_eq!(status, Some(0));
        let widest = terminal.rows().iter().map(|row| row.chars().count()).max().unwrap();
        assert!(widest <= most && widest > most - 20, "{widest} of {width}:\n{}", terminal.screen());
    }
}

#[test]
fn misuse_is_red_unless_colours_are_unwanted() {
    for (variable, style) in [("NO_COLOR", Style::PLAIN), ("UNRELATED", Style { colour: Color::Idx(1), bold: true, dim: false })] {
        let mut terminal = Terminal::open(80, 24);
        let mut misuse = densenet();
        misuse.arg("clasify").env(variable, "1");
        terminal.run(misuse);
        assert_eq!(terminal.wait(), Some(2));
        assert_eq!(terminal.style_of("error:"), style, "{variable}");
    }
}

#[test]
fn control_c_ends_it_after_a_finished_row() {
    let folder = folder();
    // Nobody writes to this pipe, so that the second picture never comes.
    let pipe = folder.path().join("pipe.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut terminal = Terminal::open(80, 24);
    let mut command = densenet();
    command.arg("classify").args(CPU).arg(fixture("L.png")).arg(&pipe).args(["--batch", "1"]);
    terminal.run(command);
    terminal.wait_for("logit");
    terminal.type_in("\u{3}");
    assert_eq!(terminal.wait(), Some(130));
}
