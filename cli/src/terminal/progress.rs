//! The progress of a run, on a terminal.

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use console::Term;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle, TermLike};

use super::shows_unicode;

/// The bar on the terminal. Other output must not be written into it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

const STYLE: &str = "{bar:20} {pos}/{len}{rate}";

const STYLE_OF_PARTS: &str = "{bar:20} {pos}/{len} {wide_msg}";

/// A progress bar on standard error, if that is a terminal, until this is dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts a bar for `total` pictures, of which `done` already have results. Shows nothing if the number is unknown or 1, or on a
    /// terminal that cannot move its cursor.
    pub(crate) fn begin(total: Option<usize>, done: usize) -> Self {
        // The rate of this run: indicatif's own rate would include results of an earlier one. Write errors are ignored.
        let rate = move |state: &ProgressState, text: &mut dyn Write| {
            let (pictures, seconds) = (state.pos().saturating_sub(done as u64) as f64, state.elapsed().as_secs_f64());
            if pictures > 0.0 {
                let left = seconds / pictures * state.len().unwrap_or(0).saturating_sub(state.pos()) as f64;
                let left = HumanDuration(Duration::from_secs_f64(left));
                let _ = write!(text, ", {:.1} images/s, {left:#} left", pictures / seconds);
            }
        };
        Self::with_style(total, done, STYLE, |style| style.with_key("rate", rate))
    }

    /// Starts a bar for `total` parts that take different times, of which `done` are done. Shown under the same conditions as
    /// [`Progress::begin`].
    pub(crate) fn begin_parts(total: usize, done: usize) -> Self {
        Self::with_style(Some(total), done, STYLE_OF_PARTS, |style| style)
    }

    fn with_style(total: Option<usize>, done: usize, style: &str, keyed: impl FnOnce(ProgressStyle) -> ProgressStyle) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let is_shown = |total: &usize| *total > 1 && io::stderr().is_terminal() && !is_dumb;
        let Some(total) = total.filter(is_shown) else { return Self { bar: None } };
        let terminal = Box::new(Margin(Term::buffered_stderr()));
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::term_like_with_hz(terminal, 5));
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = if shows_unicode() { style } else { style.progress_chars("#>.") };
        let bar = bar.with_style(keyed(style)).with_position(done as u64).with_finish(ProgressFinish::AndClear);
        // Update the time while a batch runs.
        bar.enable_steady_tick(Duration::from_millis(500));
        *shown() = Some(bar.clone());
        Self { bar: Some(bar) }
    }

    /// Whether a bar is on the terminal.
    pub(crate) fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// Sets the number of parts done, and the next part.
    pub(crate) fn at(&self, done: usize, next: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
            bar.set_message(next.to_owned());
        }
    }

    /// Adds a number of pictures done.
    pub(crate) fn add(&self, pictures: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(pictures as u64);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            *shown() = None;
            bar.finish_and_clear();
        }
    }
}

/// Calls `write`, which may write to the terminal, with the bar hidden.
pub(crate) fn suspended<T>(write: impl FnOnce() -> T) -> T {
    // The bar itself may be what panicked.
    if std::thread::panicking() {
        return write();
    }
    match &*shown() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// A terminal with room at the end of the bar's line: echoed keys, such as ^C, must not wrap the line and leave a bar behind that is
/// never removed.
#[derive(Debug)]
struct Margin(Term);

/// Columns left for echoed keys.
const MARGIN: u16 = 8;

impl TermLike for Margin {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(MARGIN).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, rows: usize) -> io::Result<()> {
        self.0.move_cursor_up(rows)
    }

    fn move_cursor_down(&self, rows: usize) -> io::Result<()> {
        self.0.move_cursor_down(rows)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}
