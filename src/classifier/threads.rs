//! The threads that decode pictures.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use futures_channel::oneshot;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// As many threads as there are cores, two at the least. They are a classifier's own: a slow disk must not keep rayon's waiting,
/// on which the reference computes. They end when this is dropped and what they are at is done; nobody waits for them.
#[derive(Debug)]
pub(super) struct Threads(ThreadPool);

impl Threads {
    pub(super) fn new() -> Result<Self> {
        // One may wait for a pipe.
        let count = thread::available_parallelism().map_or(1, usize::from).max(2);
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

/// What `work` gives, among what rayon's own threads do, on which its parallel loops run.
pub(super) async fn on_every_core<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    // A panic there would end the process.
    let caught = move || catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(panicked()));
    rayon::spawn(move || drop(sender.send(caught())));
    receiver.await.unwrap_or_else(|_| Err(panicked()))
}

/// What `work` gives, on a thread of its own. A panic there is handed on.
pub(super) async fn on_its_own<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    let caught = move || drop(sender.send(catch_unwind(AssertUnwindSafe(work))));
    let no_thread = |source| Error::NoThread { purpose: "make a classifier", source };
    thread::Builder::new().name("densenet-open".into()).spawn(caught).map_err(no_thread)?;
    let finished = receiver.await.map_err(|canceled| no_thread(io::Error::other(canceled)))?;
    finished.unwrap_or_else(|panic| resume_unwind(panic))
}

/// What is told of work that panicked, to whoever waits for it.
pub(super) fn panicked() -> Error {
    Error::picture("not done: an internal error, which the panic's message tells")
}
