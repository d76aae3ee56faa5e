//! How far a run is, on a terminal.

use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

/// The bar that is on the terminal. There is one terminal, and what is written there must not be written into the bar.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

const STYLE: &str = "{wide_bar} {pos}/{len} pictures, {per_sec}, {eta} left";

/// A bar on standard error, where that is a terminal, until this is dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins a run of `total` pictures, of which `done` have their results already; nothing is shown where the number is not
    /// known, or there is one.
    pub(crate) fn begin(total: Option<usize>, done: usize) -> Self {
        let Some(total) = total.filter(|total| *total > 1 && std::io::stderr().is_terminal()) else { return Self { bar: None } };
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr_with_hz(5));
        let style = ProgressStyle::with_template(STYLE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_style(style).with_position(done as u64).with_finish(ProgressFinish::AndClear);
        bar.reset_eta();
        // The time goes on while a batch runs.
        bar.enable_steady_tick(Duration::from_millis(500));
        *shown() = Some(bar.clone());
        Self { bar: Some(bar) }
    }

    /// So many more are done.
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

/// Writes to the terminal, perhaps, while no bar is in the way.
pub(crate) fn suspended<T>(write: impl FnOnce() -> T) -> T {
    match &*shown() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}
