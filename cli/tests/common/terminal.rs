//! A terminal for the real binary: a pseudo terminal, and what it shows.
//!
//! ```ignore
//! let mut terminal = Terminal::open(60, 20);
//! terminal.run({ let mut c = densenet(); c.args(["classify", "-"]); c });
//! terminal.type_in("a.png\n\u{4}");
//! terminal.wait_for("a.png");
//! assert_eq!(terminal.wait(), Some(1));
//! assert_eq!(terminal.style_of("error:").colour, Color::Idx(1));
//! ```

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{self, Pty};
use vt100::{Color, Parser};

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// The environment, except what a test sets itself; `None` is unset.
const ENVIRONMENT: [(&str, Option<&str>); 7] = [
    ("TERM", Some("xterm-256color")),
    ("LC_ALL", Some("C.UTF-8")),
    ("NO_COLOR", None),
    ("CLICOLOR", None),
    ("CLICOLOR_FORCE", None),
    ("COLUMNS", None),
    ("CI", None),
];

/// A screen, and what runs before it.
pub(crate) struct Terminal {
    size: [u16; 2],
    screen: Arc<Mutex<Parser>>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    pty: Arc<Pty>,
    /// Ends when nothing has the terminal open any more, and all that was written is on the screen.
    reader: JoinHandle<()>,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) colour: Color,
    pub(crate) bold: bool,
    pub(crate) dim: bool,
}

impl Style {
    /// Text without styles.
    pub(crate) const PLAIN: Self = Self { colour: Color::Default, bold: false, dim: false };
}

impl Terminal {
    /// An empty screen of `width` x `height` characters.
    pub(crate) fn open(width: u16, height: u16) -> Self {
        let [rows, columns] = [height, width].map(|side| NonZeroU16::new(side).unwrap());
        Self { size: [height, width], screen: Arc::new(Mutex::new(Parser::new(rows, columns, 0))), running: None }
    }

    /// Starts `command` with the terminal as its standard input, output and error, except those that the command has set
    /// itself, and as what sends it signals. What ran before must be over ([`Terminal::wait`]).
    pub(crate) fn run(&mut self, mut command: Command) {
        assert!(self.running.is_none(), "something is running");
        for (variable, value) in ENVIRONMENT {
            if !command.get_envs().any(|(set, _)| set == variable) {
                match value {
                    Some(value) => command.env(variable, value),
                    None => command.env_remove(variable),
                };
            }
        }
        let (pty, pts) = blocking::open().unwrap();
        let [height, width] = self.size;
        pty.resize(Size::new(height, width)).unwrap();
        let child = blocking::Command::from(command).spawn(pts).unwrap();
        let (pty, screen) = (Arc::new(pty), Arc::clone(&self.screen));
        let reading = Arc::clone(&pty);
        let reader = spawn(move || {
            let mut bytes = [0; 4096];
            // Linux reports an error once no process has the terminal open.
            while let Ok(count @ 1..) = (&*reading).read(&mut bytes) {
                screen.lock().unwrap().process(&bytes[..count]);
            }
        });
        self.running = Some(Running { child, pty, reader });
    }

    /// Types `keys`: `"\u{3}"` is Ctrl-C, `"\u{4}"` Ctrl-D.
    pub(crate) fn type_in(&self, keys: &str) {
        (&*self.running.as_ref().unwrap().pty).write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until what runs is over and all that it wrote is on the screen; its exit status, `None` after a signal.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.until(|terminal| terminal.running.as_mut().unwrap().child.try_wait().unwrap().is_some(), "the end");
        let Running { mut child, reader, .. } = self.running.take().unwrap();
        reader.join().unwrap();
        child.wait().unwrap().code()
    }

    /// Waits until `text` is on the screen. Where it is longer than a row, it may go on in the next.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.until(|terminal| terminal.screen.lock().unwrap().screen().contents().contains(text), text);
    }

    /// Every row of the screen as it is seen, without what is blank at its end; empty rows at the end are left out.
    pub(crate) fn rows(&self) -> Vec<String> {
        let screen = self.screen.lock().unwrap();
        let mut rows: Vec<String> = screen.screen().rows(0, self.size[1]).map(|row| row.trim_end().to_owned()).collect();
        rows.truncate(rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1));
        rows
    }

    /// [`Terminal::rows`] as one text.
    pub(crate) fn screen(&self) -> String {
        self.rows().join("\n")
    }

    /// How `text` looks, which is in one row and of one style, where it is first on the screen.
    #[track_caller]
    pub(crate) fn style_of(&self, text: &str) -> Style {
        let (screen, [height, width]) = (self.screen.lock().unwrap(), self.size);
        let cell = |row, column| screen.screen().cell(row, column).unwrap();
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            let rest: String = (column..width).map(|column| cell(row, column).contents()).collect();
            if !rest.starts_with(text) {
                continue;
            }
            let (mut found, mut styles) = (String::new(), Vec::new());
            for cell in (column..width).map(|column| cell(row, column)) {
                if found.len() < text.len() && !cell.is_wide_continuation() {
                    found += cell.contents();
                    styles.push(Style { colour: cell.fgcolor(), bold: cell.bold(), dim: cell.dim() });
                }
            }
            assert!(styles.iter().all(|style| *style == styles[0]), "{text:?} has several styles: {styles:?}");
            return styles[0];
        }
        drop(screen);
        panic!("{text:?} is not on the screen:\n{}", self.screen());
    }

    #[track_caller]
    fn until(&mut self, mut is_so: impl FnMut(&mut Self) -> bool, what: &str) {
        let start = Instant::now();
        while !is_so(self) {
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what:?}; the screen:\n{}", self.screen());
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            // It may be over by itself.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}
