//! The threads that decode pictures.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use futures_channel::oneshot;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::cores;
use crate::error::{Error, Result};

/// A thread per core, at least two. They are separate from rayon's, on which the reference computes, because a slow disk must not block
/// those. They end when this is dropped and their current work is done; dropping does not wait for them.
#[derive(Debug)]
pub(super) struct Threads(ThreadPool);

impl Threads {
    pub(super) fn new() -> Result<Self> {
        // One may be blocked by a pipe.
        let count = thread::available_parallelism().map_or(1, usize::from).max(2);
        // A panic drops an end of a channel, which informs the thread at the other end.
        let pool =
            ThreadPoolBuilder::new().num_threads(count).thread_name(|index| format!("densenet-decode-{index}")).panic_handler(drop).build();
        pool.map(Self).map_err(|error| Error::NoThread { purpose: "decode pictures", source: io::Error::other(error) })
    }

    /// The number of threads.
    pub(super) fn count(&self) -> usize {
        self.0.current_num_threads()
    }

    /// Runs `work` after all earlier work has started.
    pub(super) fn begin(&self, work: impl FnOnce() + Send + 'static) {
        self.0.spawn_fifo(work);
    }

    /// The result of `work`, without blocking the caller.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        // The receiver is gone if the answer is no longer needed.
        self.begin(move || drop(sender.send(work())));
        receiver.await.unwrap_or_else(|_| Err(panicked()))
    }
}

/// The result of `work` on rayon's threads, on which its parallel loops run.
pub(super) async fn on_every_core<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    // A panic there would abort the process.
    let caught = move || catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(panicked()));
    cores::begin(move || drop(sender.send(caught())));
    receiver.await.unwrap_or_else(|_| Err(panicked()))
}

/// The result of `work` on a thread of its own. Propagates a panic.
pub(super) async fn on_its_own<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    let caught = move || drop(sender.send(catch_unwind(AssertUnwindSafe(work))));
    let no_thread = |source| Error::NoThread { purpose: "make a classifier", source };
    thread::Builder::new().name("densenet-open".into()).spawn(caught).map_err(no_thread)?;
    let finished = receiver.await.map_err(|canceled| no_thread(io::Error::other(canceled)))?;
    finished.unwrap_or_else(|panic| resume_unwind(panic))
}

/// The error for work that panicked.
pub(super) fn panicked() -> Error {
    Error::picture("not done because of an internal error; see the panic's message")
}
