//! The threads of parallel loops: rayon's, one per core.
//!
//! A forked process has none of its parent's threads, and rayon would wait for them for ever. So a process that was forked from one that
//! used them gets threads of its own.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

static CORES: Cores = Cores { first: OnceLock::new(), forked: Mutex::new(None) };

/// Runs `work` so that its parallel loops use every core. Panics, as rayon does, if the system cannot start a thread.
pub(crate) fn on_every_core<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match CORES.of(process()) {
        Some(threads) => threads.install(work),
        None => work(),
    }
}

/// Begins `work` on one of the threads and returns without waiting.
#[cfg(feature = "image")]
pub(crate) fn begin(work: impl FnOnce() + Send + 'static) {
    match CORES.of(process()) {
        Some(threads) => threads.spawn(work),
        None => rayon::spawn(work),
    }
}

/// This process; a browser has one.
fn process() -> u32 {
    if cfg!(target_family = "wasm") { 0 } else { std::process::id() }
}

struct Cores {
    /// The process that used rayon's own threads first.
    first: OnceLock<u32>,
    /// A process forked from it, and its threads.
    forked: Mutex<Option<(u32, Arc<ThreadPool>)>>,
}

impl Cores {
    /// The threads of `process`; `None` for rayon's own.
    fn of(&self, process: u32) -> Option<Arc<ThreadPool>> {
        if *self.first.get_or_init(|| process) == process {
            return None;
        }
        let mut forked = self.forked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, threads)) = forked.as_ref().filter(|(owner, _)| *owner == process) {
            return Some(Arc::clone(threads));
        }
        let threads = ThreadPoolBuilder::new().thread_name(|index| format!("densenet-core-{index}")).build();
        let threads =
            Arc::new(threads.unwrap_or_else(|error| panic!("the system cannot start threads to compute on every core ({error})")));
        // What a parent had is not dropped: its threads are not here to notice.
        std::mem::forget(forked.replace((process, Arc::clone(&threads))));
        Some(threads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_process_has_threads_of_its_own() {
        let cores = Cores { first: OnceLock::new(), forked: Mutex::new(None) };
        assert!(cores.of(1).is_none() && cores.of(1).is_none());
        let [child, again, grandchild] = [2, 2, 3].map(|process| cores.of(process).unwrap());
        assert!(Arc::ptr_eq(&child, &again) && !Arc::ptr_eq(&child, &grandchild));
        assert_eq!(grandchild.install(|| rayon::join(|| 1, || 2)), (1, 2));
        assert!(cores.of(1).is_none());
    }
}
