//! Ctrl-C, and SIGTERM, which a scheduler sends before it kills.
//!
//! Most commands stop at once: their files appear only when complete. Commands that process many inputs finish and write the batches
//! on the device, and then stop; a second signal stops them at once too.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The exit status, once a signal has requested a stop.
pub(crate) fn status() -> Option<u8> {
    signals::status()
}

/// Becomes true when a signal requests a stop.
pub(crate) fn flag() -> Arc<AtomicBool> {
    Arc::clone(&STOP)
}

/// While it lives, the first signal only requests a stop ([`status`]).
pub(crate) struct Grace(());

impl Grace {
    /// Starts the grace period, which ends when the result is dropped.
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

/// Starts to listen for signals.
pub(crate) fn listen() {
    signals::listen();
}

#[cfg(unix)]
mod signals {
    use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
    use std::time::{Duration, Instant};

    use densenet_wgpu::internal::WholeFile;
    use signal_hook::consts::{SIGINT, SIGTERM};

    use super::STOP;
    use crate::exit::INTERRUPTED;
    use crate::message;

    /// A second signal this soon is the same request: `timeout` sends it twice, to the process and to its group.
    const ECHO: Duration = Duration::from_millis(300);

    static AT_ONCE: AtomicBool = AtomicBool::new(true);

    /// 0 until a signal arrives.
    static STATUS: AtomicU8 = AtomicU8::new(0);

    pub(super) fn status() -> Option<u8> {
        Some(STATUS.load(Ordering::Relaxed)).filter(|status| *status != 0)
    }

    pub(super) fn end_at_once(at_once: bool) {
        AT_ONCE.store(at_once, Ordering::Relaxed);
    }

    /// Starts a thread, which may remove unfinished files; a signal handler may not.
    pub(super) fn listen() {
        // Without signals there is nothing to listen for.
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
        std::thread::spawn(move || {
            let (mut first, mut is_announced) = (None::<Instant>, false);
            for signal in signals.forever() {
                let status = if signal == SIGINT { INTERRUPTED } else { 128 + signal as u8 };
                STATUS.store(status, Ordering::Relaxed);
                STOP.store(true, Ordering::Relaxed);
                let is_again = first.get_or_insert_with(Instant::now).elapsed() > ECHO;
                if AT_ONCE.load(Ordering::Relaxed) || is_again {
                    WholeFile::abandon_all();
                    signal_hook::low_level::exit(status.into());
                }
                if !is_announced {
                    is_announced = true;
                    message::note("stopping when the current work is finished; interrupt again to stop now");
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

    use super::STOP;
    use crate::exit::INTERRUPTED;

    static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

    pub(super) fn status() -> Option<u8> {
        STOP.load(Ordering::Relaxed).then_some(INTERRUPTED)
    }

    pub(super) fn end_at_once(at_once: bool) {
        AT_ONCE.store(at_once, Ordering::Relaxed);
    }

    /// Registers handlers, which run in this order: stop at once, if requested; otherwise set the flag, and stop at once the next
    /// time. Unfinished files remain, since no handler may remove them.
    pub(super) fn listen() {
        // Without signals there is nothing to listen for.
        let _ = flag::register_conditional_shutdown(SIGINT, INTERRUPTED.into(), Arc::clone(&AT_ONCE));
        let _ = flag::register(SIGINT, Arc::clone(&STOP));
        let _ = flag::register(SIGINT, Arc::clone(&AT_ONCE));
    }
}
