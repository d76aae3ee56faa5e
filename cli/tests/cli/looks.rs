//! What a person sees on a terminal.

use std::fs;
use std::process::Command;

use vt100::Color;

use crate::terminal::{Style, Terminal};
use crate::{CPU, densenet, draw, fixture, folder, stderr, stdout};

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

const RED: Style = Style { colour: Color::Idx(1), bold: true, dim: false };
const BOLD: Style = Style { bold: true, ..Style::PLAIN };
const DIM: Style = Style { dim: true, ..Style::PLAIN };

/// A terminal after `command` with `variable` set.
fn after(mut command: Command, [variable, value]: [&str; 2]) -> Terminal {
    let mut terminal = Terminal::open(80, 24);
    command.env(variable, value);
    terminal.run(command);
    terminal.wait();
    terminal
}

#[test]
fn misuse_and_our_own_errors_look_alike() {
    let [misuse, refusal] = [["clasify", "--model"], ["inspect", "no such model"]];
    for arguments in [misuse, refusal] {
        assert_eq!(shown(80, &arguments).0.style_of("error:"), RED);
        let command = || {
            let mut command = densenet();
            command.args(arguments);
            command
        };
        for plain in [["NO_COLOR", "1"], ["TERM", "dumb"], ["CLICOLOR", "0"]] {
            assert_eq!(after(command(), plain).style_of("error:"), Style::PLAIN, "{plain:?}");
        }
        for never in [&["--color", "never"][..], &["--color=never"], &["--colour", "never"]] {
            assert_eq!(shown(80, &[&arguments, never].concat()).0.style_of("error:"), Style::PLAIN, "{never:?}");
        }
        let forced = [command().env("CLICOLOR_FORCE", "1").output().unwrap(), command().arg("--color=always").output().unwrap()];
        for output in forced {
            assert!(stderr(&output).starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m"), "{:?}", stderr(&output));
        }
    }
}

#[test]
fn rows_have_bars_and_colours_on_a_terminal_and_nowhere_else() {
    let folder = folder();
    draw(folder.path().join("a.png"));
    let command = || {
        let mut command = densenet();
        command.args(["classify", "a.png", "no such picture.png"]).args(CPU).current_dir(folder.path());
        command
    };
    let terminal = after(command(), ["UNRELATED", "1"]);
    assert_eq!((terminal.style_of("a.png"), terminal.style_of("error:"), terminal.style_of("logit")), (BOLD, RED, DIM));
    assert_eq!(terminal.style_of("█"), Style { colour: Color::Idx(6), ..Style::PLAIN });

    let piped = command().output().unwrap();
    let text = stdout(&piped);
    assert!(text.is_ascii() && !text.contains('\u{1b}'), "{text:?}");
    let bars =
        |line: &str| line.replace(['█', '▉', '▊', '▋', '▌', '▍', '▎', '▏'], " ").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let logits = |text: &str| text.lines().filter(|line| line.contains("logit")).map(bars).collect::<Vec<_>>();
    assert_eq!(logits(&terminal.screen()), logits(&text), "the same words");

    let ascii = after(command(), ["LC_ALL", "C"]);
    assert!(ascii.screen().contains('#') && ascii.screen().is_ascii(), "{}", ascii.screen());
}

#[test]
fn json_and_csv_are_never_coloured() {
    for format in ["json", "csv"] {
        let arguments = ["classify", &fixture("L.png"), "--model", "digits", "--device", "cpu", "--format", format];
        let [plain, forced] = ["0", "1"].map(|force| densenet().args(arguments).env("CLICOLOR_FORCE", force).output().unwrap());
        assert_eq!(stdout(&plain), stdout(&forced));
        assert!(!stdout(&plain).contains('\u{1b}'));
    }
}

#[test]
fn labels_are_cut_where_the_terminal_ends() {
    let folder = folder();
    let labels = folder.path().join("labels.txt");
    let names: Vec<String> = (0..10).map(|digit| format!("{digit}: {}", "黑褐獵浣熊犬".repeat(1 + digit))).collect();
    fs::write(&labels, names.join("\n")).unwrap();
    let picture = folder.path().join("a.png");
    draw(&picture);
    for width in [40, 60, 80, 200] {
        let mut terminal = Terminal::open(width, 40);
        let mut command = densenet();
        command.args(["classify", "a.png", "--top-k", "10", "--labels", "labels.txt"]).args(CPU).current_dir(folder.path());
        terminal.run(command);
        assert_eq!(terminal.wait(), Some(0));
        let rows = terminal.rows();
        let rows = &rows[rows.iter().position(|row| row == "a.png").unwrap_or(0)..]; // after the warning about the device
        assert_eq!((rows.len(), rows[0].as_str()), (11, "a.png"), "no row goes on in the next:\n{}", terminal.screen());
        assert!(rows[1..].iter().all(|row| row.contains(" %  ") && row.contains(": 黑")), "{}", terminal.screen());
        assert_eq!(rows[1..].iter().filter(|row| row.contains('…')).count() > 5, width < 200, "{}", terminal.screen());
    }
}

/// Which kernel of how many is measured, and what is to be beaten; gone at the end.
#[test]
fn tune_shows_how_far_it_is_on_the_default_device() {
    let cache = folder();
    let mut terminal = Terminal::open(160, 60);
    let mut command = densenet();
    command.env("DENSENET_CACHE_DIR", cache.path()).args(["tune", "--model", "digits"]);
    terminal.run(command);
    terminal.wait_for("; best so far: conv");
    assert_eq!(terminal.wait(), Some(0));
    assert!(!terminal.screen().contains("best so far") && terminal.screen().contains(" times as fast; "), "{}", terminal.screen());
}

#[test]
fn reports_have_headings() {
    let (terminal, status) = shown(200, &["inspect", "digits"]);
    assert_eq!((status, terminal.style_of("digits")), (Some(0), BOLD));
    assert_eq!(terminal.style_of("container"), Style::PLAIN);
    let (terminal, _) = shown(200, &["plan", "--model", "digits"]);
    assert_eq!((terminal.style_of("layer  "), terminal.style_of("features.conv0")), (BOLD, Style::PLAIN));
}

#[test]
fn devices_and_verdicts_have_colours_on_the_default_device() {
    let (terminal, _) = shown(200, &["devices"]);
    assert_eq!((terminal.style_of("0: "), terminal.style_of("backend")), (BOLD, Style::PLAIN));
    let (terminal, status) = shown(200, &["verify", "--model", "digits"]);
    assert_eq!((status, terminal.style_of("values agree")), (Some(0), Style { colour: Color::Idx(2), bold: true, dim: false }));
}

#[test]
fn control_c_ends_it_after_a_finished_row() {
    let folder = folder();
    // Nothing writes to this pipe, so that the second picture never arrives.
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
