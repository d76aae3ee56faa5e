//! Ctrl-C, and the signal that a scheduler sends before it kills.
//!
//! Most commands end at once: what they write appears when it is complete. Those that work through many inputs finish what
//! the device is at, write it, and end; a second signal ends them at once too.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The status to leave with, once a signal has asked for the end.
pub(crate) fn asked() -> Option<u8> {
    signals::asked()
}

/// What is true from the signal on that asks for the end.
pub(crate) fn flag() -> Arc<AtomicBool> {
    Arc::clone(&ASKED)
}

/// While it lives, the first signal only asks ([`asked`]).
pub(crate) struct Grace(());

impl Grace {
    /// From now on, until the result is dropped.
    pub(crate) fn begin() -> Self {
        signals::end_at_once(false);
        Self(())
    }
}

impl Drop for Grace {
    fn drop(&mut self) {
        signals::end_at_once(true);
    }
}

/// Listens to signals from now on.
pub(crate) fn listen() {
    signals::listen();
}

#[cfg(unix)]
mod signals {
    use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
    use std::time::{Duration, Instant};

    use densenet_wgpu::internal::WholeFile;
    use signal_hook::consts::{SIGINT, SIGTERM};

    use super::ASKED;
    use crate::exit::INTERRUPTED;
    use crate::message;

    /// What follows the first signal so soon is the same request, which `timeout` sends twice, to the process and to its group.
    const ECHO: Duration = Duration::from_millis(300);

    static AT_ONCE: AtomicBool = AtomicBool::new(true);

    /// 0 where no signal has come.
    static STATUS: AtomicU8 = AtomicU8::new(0);

    pub(super) fn asked() -> Option<u8> {
        Some(STATUS.load(Ordering::Relaxed)).filter(|status| *status != 0)
    }

    pub(super) fn end_at_once(at_once: bool) {
        AT_ONCE.store(at_once, Ordering::Relaxed);
    }

    /// A thread, which may remove unfinished files, as a signal handler may not.
    pub(super) fn listen() {
        // Where there are no signals there is nothing to do.
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
        std::thread::spawn(move || {
            let (mut first, mut is_told) = (None::<Instant>, false);
            for signal in signals.forever() {
                let status = if signal == SIGINT { INTERRUPTED } else { 128 + signal as u8 };
                STATUS.store(status, Ordering::Relaxed);
                ASKED.store(true, Ordering::Relaxed);
                let is_again = first.get_or_insert_with(Instant::now).elapsed() > ECHO;
                if AT_ONCE.load(Ordering::Relaxed) || is_again {
                    WholeFile::abandon_all();
                    signal_hook::low_level::exit(status.into());
                }
                if !is_told {
                    is_told = true;
                    message::note("ending: what is under way is finished; once more ends at once");
                }
            }
        });
    }
}

#[cfg(not(unix))]
mod signals {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, LazyLock};

    use signal_hook::consts::SIGINT;
    use signal_hook::flag;

    use super::ASKED;
    use crate::exit::INTERRUPTED;

    static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

    pub(super) fn asked() -> Option<u8> {
        ASKED.load(Ordering::Relaxed).then_some(INTERRUPTED)
    }

    pub(super) fn end_at_once(at_once: bool) {
        AT_ONCE.store(at_once, Ordering::Relaxed);
    }

    /// Handlers in the order in which they run: the end, where it is to be at once; else it is asked for, and is at once the
    /// next time. Unfinished files stay: no handler may remove them.
    pub(super) fn listen() {
        // Where there are no signals there is nothing to do.
        let _ = flag::register_conditional_shutdown(SIGINT, INTERRUPTED.into(), Arc::clone(&AT_ONCE));
        let _ = flag::register(SIGINT, Arc::clone(&ASKED));
        let _ = flag::register(SIGINT, Arc::clone(&AT_ONCE));
    }
}
