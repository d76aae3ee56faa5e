//! The threads that decode pictures.

use std::io;

use futures_channel::oneshot;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// As many threads as there are cores, two at the least. They are a classifier's own: a slow disk must not keep those of the reference waiting.
/// They end when this is dropped and what they are at is done; nobody waits for them.
#[derive(Debug)]
pub(super) struct Threads(ThreadPool);

impl Threads {
    pub(super) fn new() -> Result<Self> {
        // One may wait for a pipe.
        let count = std::thread::available_parallelism().map_or(1, usize::from).max(2);
        // Whoever panics drops an end of a channel: whoever waits at the other is told.
        let pool =
            ThreadPoolBuilder::new().num_threads(count).thread_name(|index| format!("densenet-decode-{index}")).panic_handler(drop).build();
        pool.map(Self).map_err(|error| Error::NoThread { purpose: "decode pictures", source: io::Error::other(error) })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.current_num_threads()
    }

    /// Does `work` when what was handed in before it has begun.
    pub(super) fn begin(&self, work: impl FnOnce() + Send + 'static) {
        self.0.spawn_fifo(work);
    }

    /// What `work` gives, without blocking whoever awaits it.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        // The receiver is gone where the answer was given up.
        self.begin(move || drop(sender.send(work())));
        receiver.await.unwrap_or_else(|_| Err(panicked()))
    }
}

/// What `work` gives, on a thread of its own.
pub(super) async fn on_its_own<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    let thread = std::thread::Builder::new().name("densenet-open".into()).spawn(move || drop(sender.send(work())));
    thread.map_err(|source| Error::NoThread { purpose: "make a classifier", source })?;
    receiver.await.unwrap_or_else(|_| Err(panicked()))
}

/// What is told of work that panicked, to whoever waits for it.
pub(super) fn panicked() -> Error {
    Error::picture("not done: an internal error, which the panic's message tells")
}
