//! Reads pictures ahead of the devices.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::preparation::{Preparation, Ready};
use super::source::Source;
use super::threads::{Threads, panicked};
use crate::error::{Error, Result};

/// An input that has been read.
pub(super) struct Read<T> {
    pub(super) tag: T,
    pub(super) ready: Result<Ready>,
}

/// An input that is being read.
struct Coming<T> {
    tag: T,
    ready: Receiver<Result<Ready>>,
    /// The result, if it has been received.
    here: Option<Result<Ready>>,
}

/// Yields inputs that have been read, in their order.
pub(super) struct Reader<T> {
    coming: Receiver<Coming<T>>,
    /// The first of the inputs that are being read.
    front: Option<Coming<T>>,
    /// The input after a batch, if it could not run with it.
    left: Option<Read<T>>,
    /// Whether to wait only for inputs that have already arrived.
    is_live: bool,
    /// The thread that takes inputs.
    taker: Option<JoinHandle<()>>,
}

/// How often to check whether the run is over.
const PATIENCE: Duration = Duration::from_millis(50);

impl<T: Send + 'static> Reader<T> {
    /// Starts to read `inputs`, at most `ahead` in advance. A thread takes them from the iterator, which may block. The thread ends with
    /// the iterator, or at the next input after this is dropped.
    pub(super) fn begin(
        inputs: impl Iterator<Item = (T, Source)> + Send + 'static,
        preparation: &Arc<Preparation>,
        threads: &Arc<Threads>,
        ahead: usize,
        is_live: bool,
    ) -> Result<Self> {
        // One more waits to enter the channel.
        let (to_come, coming) = sync_channel(ahead.saturating_sub(1));
        let (preparation, threads) = (Arc::clone(preparation), Arc::clone(threads));
        let take_all = move || {
            for (tag, source) in inputs {
                let (sender, ready) = channel();
                let preparation = Arc::clone(&preparation);
                // The receiver is gone if the result is no longer needed.
                threads.begin(move || drop(sender.send(preparation.read(source))));
                if to_come.send(Coming { tag, ready, here: None }).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("densenet-inputs".into()).spawn(take_all);
        let taker = thread.map_err(|source| Error::NoThread { purpose: "take inputs", source })?;
        Ok(Self { coming, front: None, left: None, is_live, taker: Some(taker) })
    }

    /// The next inputs that can run together, at most `most`: all readable ones have the same size. For live inputs, waits only for the
    /// first. `None` if there are no more, or `is_over` becomes true.
    pub(super) fn next_batch(&mut self, most: usize, is_over: impl Fn() -> bool) -> Option<Vec<Read<T>>> {
        let mut batch = vec![self.next(&is_over)?];
        while batch.len() < most && self.has_more() {
            let Some(read) = self.next(&is_over) else { break };
            let first = batch.iter().find_map(|read| read.ready.as_ref().ok());
            if let (Some(first), Ok(other)) = (first, &read.ready)
                && !first.images.run_with(&other.images)
            {
                self.left = Some(read);
                break;
            }
            batch.push(read);
        }
        if is_over() { None } else { Some(batch) }
    }

    fn next(&mut self, is_over: &impl Fn() -> bool) -> Option<Read<T>> {
        if let Some(left) = self.left.take() {
            return Some(left);
        }
        while !is_over() {
            let Some(mut front) = self.front.take() else {
                match self.coming.recv_timeout(PATIENCE) {
                    Ok(coming) => self.front = Some(coming),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        self.end();
                        return None;
                    }
                }
                continue;
            };
            let ready = match front.here.take().map_or_else(|| front.ready.recv_timeout(PATIENCE), Ok) {
                Ok(ready) => ready,
                Err(RecvTimeoutError::Timeout) => {
                    self.front = Some(front);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => Err(panicked()),
            };
            return Some(Read { tag: front.tag, ready });
        }
        None
    }

    /// Propagates a panic of the iterator.
    fn end(&mut self) {
        if let Some(Err(panic)) = self.taker.take().map(JoinHandle::join) {
            resume_unwind(panic);
        }
    }

    /// Whether there is another input that a batch may wait for.
    fn has_more(&mut self) -> bool {
        if !self.is_live {
            return true;
        }
        if self.front.is_none() {
            self.front = self.coming.try_recv().ok();
        }
        let Some(front) = &mut self.front else { return false };
        if front.here.is_none() {
            front.here = front.ready.try_recv().ok();
        }
        front.here.is_some()
    }
}
