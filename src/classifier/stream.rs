//! Runs many inputs through a classifier as they arrive.
//!
//! Three stages work at the same time: the classifier's threads read pictures, a thread per device starts batches, and another waits for
//! their results, which are returned in the order of the inputs. So a device always has a next batch, and a finished answer does not wait
//! for a later batch.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::vec;

use super::batch::Batch;
use super::inner::Inner;
use super::prediction::Prediction;
use super::reader::{Read, Reader};
use super::source::Source;
use super::turn::{EndOnPanic, Turn, lock};
use crate::error::{Error, Result};

/// Options for running many inputs.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::AtomicBool;
/// use densenet_wgpu::predictions::StreamOptions;
///
/// let stop = Arc::new(AtomicBool::new(false)); // signal_hook::flag::register sets such a flag
/// let options = StreamOptions::default().with_live(true).with_stop(Arc::clone(&stop));
/// assert!(options.live);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct StreamOptions {
    /// Whether inputs come one by one from somebody who waits for answers: then a batch takes those that are there, and waits
    /// for none that is not. Otherwise it waits until it is full.
    pub live: bool,
    /// Ends the stream early when it becomes true: no new batch is started, and batches on devices are finished and returned.
    pub stop: Option<Arc<AtomicBool>>,
}

impl StreamOptions {
    /// Sets whether inputs that arrive one by one are answered without waiting for others.
    #[must_use]
    pub fn with_live(self, live: bool) -> Self {
        Self { live, ..self }
    }

    /// Ends the stream when `stop` becomes true, which is checked about twenty times a second.
    #[must_use]
    pub fn with_stop(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop: Some(stop), ..self }
    }
}

/// The predictions for many inputs, in order, each with its tag.
///
/// Dropping it waits until the devices have finished their current batches; no new ones are started.
#[derive(Debug)]
pub struct Predictions<T> {
    turn: Arc<Turn>,
    finished: Option<Receiver<Finished<T>>>,
    threads: Vec<JoinHandle<()>>,
    /// Batches that finished before their turn.
    early: BTreeMap<usize, Vec<(T, Result<Prediction>)>>,
    next: usize,
    /// The rest of a batch that is returned one by one.
    begun: vec::IntoIter<(T, Result<Prediction>)>,
}

/// The number of a batch, and its results.
type Finished<T> = (usize, Vec<(T, Result<Prediction>)>);

/// Batches per device that may finish before the one whose turn it is, so that a faster device need not wait for a slower one.
const AHEAD: usize = 4;

impl<T: Send + 'static> Predictions<T> {
    pub(super) fn begin(
        classifier: &Arc<Inner>,
        inputs: impl Iterator<Item = (T, Source)> + Send + 'static,
        options: StreamOptions,
    ) -> Result<Self> {
        let devices = classifier.runners.len();
        let ahead = (classifier.batch * devices).saturating_add(classifier.threads.count());
        let reader = Reader::begin(inputs, &classifier.preparation, &classifier.threads, ahead, options.live)?;
        let turn = Arc::new(Turn::first(if devices > 1 { AHEAD * devices } else { 1 }));
        let queue =
            Queue { reader: Mutex::new((0, reader)), turn: Arc::clone(&turn), stop: options.stop, alive: AtomicUsize::new(devices) };
        let queue = Arc::new(queue);
        let (to_hand_on, finished) = channel();
        let mut stream =
            Self { turn, finished: Some(finished), threads: Vec::new(), early: BTreeMap::new(), next: 0, begun: Vec::new().into_iter() };
        for device in 0..devices {
            // A batch is passed on when the one before it is done: a device has at most two.
            let (to_wait, started) = sync_channel(0);
            let (shared, sharing) = (Arc::clone(classifier), Arc::clone(&queue));
            stream.spawn("densenet-start", move || sharing.start_all(&shared, device, &to_wait))?;
            let (shared, turn, to_hand_on) = (Arc::clone(classifier), Arc::clone(&stream.turn), to_hand_on.clone());
            stream.spawn("densenet-wait", move || wait_for_all(&shared, device, &started, &turn, &to_hand_on))?;
        }
        Ok(stream)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let turn = Arc::clone(&self.turn);
        let thread = thread::Builder::new().name(name.into()).spawn(move || {
            let _end = EndOnPanic(&turn);
            work();
        });
        self.threads.push(thread.map_err(|source| Error::NoThread { purpose: "run pictures", source })?);
        Ok(())
    }
}

impl<T> Predictions<T> {
    /// The results of the next batch; if [`Iterator::next`] has returned some of a batch, the rest of it. `None` after the last.
    pub fn next_batch(&mut self) -> Option<Vec<(T, Result<Prediction>)>> {
        if self.begun.len() > 0 {
            return Some(std::mem::take(&mut self.begun).collect());
        }
        loop {
            if let Some(batch) = self.early.remove(&self.next) {
                self.next += 1;
                self.turn.advance(self.next);
                return Some(batch);
            }
            match self.finished.as_ref().and_then(|finished| finished.recv().ok()) {
                Some((number, batch)) => drop(self.early.insert(number, batch)),
                None => {
                    self.end();
                    return None;
                }
            }
        }
    }

    /// Whether [`Predictions::next_batch`] can return without waiting; waits at most `time` until it can. For callers that have other
    /// things to look after, such as signals.
    ///
    /// ```
    /// use std::time::Duration;
    /// use densenet_wgpu::{Classifier, ClassifierOptions, predictions::StreamOptions};
    ///
    /// let classifier = Classifier::open("digits", ClassifierOptions::default())?;
    /// let sources = ["examples/digits/7-1442-8.png"].map(|path| (path, path.into()));
    /// let mut predictions = classifier.stream(sources, StreamOptions::default())?;
    /// while !predictions.is_ready_within(Duration::from_millis(50)) {
    ///     eprintln!("still waiting");
    /// }
    /// assert_eq!(predictions.next_batch().map(|batch| batch.len()), Some(1));
    /// assert!(predictions.is_ready_within(Duration::MAX) && predictions.next_batch().is_none());
    /// # Ok::<(), densenet_wgpu::Error>(())
    /// ```
    pub fn is_ready_within(&mut self, time: Duration) -> bool {
        let until = Instant::now().checked_add(time);
        while self.begun.len() == 0 && !self.early.contains_key(&self.next) {
            let Some(finished) = &self.finished else { return true };
            let received = match until {
                Some(until) => finished.recv_timeout(until.saturating_duration_since(Instant::now())),
                None => finished.recv().map_err(RecvTimeoutError::from),
            };
            match received {
                Ok((number, batch)) => drop(self.early.insert(number, batch)),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
        true
    }

    /// Ends all threads and waits for them. Propagates their panics.
    fn end(&mut self) {
        self.turn.end();
        self.finished = None;
        for thread in self.threads.drain(..) {
            if let Err(panic) = thread.join()
                && !thread::panicking()
            {
                resume_unwind(panic);
            }
        }
    }
}

impl<T> Iterator for Predictions<T> {
    type Item = (T, Result<Prediction>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.begun.next() {
                Some(finished) => return Some(finished),
                None => self.begun = self.next_batch()?.into_iter(),
            }
        }
    }
}

impl<T> Drop for Predictions<T> {
    fn drop(&mut self) {
        self.end();
    }
}

/// The source of batches for all devices.
struct Queue<T> {
    /// And the number of batches it has returned.
    reader: Mutex<(usize, Reader<T>)>,
    turn: Arc<Turn>,
    stop: Option<Arc<AtomicBool>>,
    /// Number of devices that can take batches.
    alive: AtomicUsize,
}

impl<T: Send + 'static> Queue<T> {
    /// Starts batches on one device as their pictures arrive, until there are no more or the stream ends. If the device is lost, the others
    /// continue; if it is the last, further inputs fail.
    fn start_all(&self, classifier: &Inner, device: usize, started: &SyncSender<(usize, Batch<T>)>) {
        let runner = &classifier.runners[device];
        let leaves = |alive: usize| (alive > 1).then(|| alive - 1);
        while runner.failure().is_none() || self.alive.fetch_update(Ordering::Relaxed, Ordering::Relaxed, leaves).is_err() {
            let Some((number, reads)) = self.next(classifier.batch) else { return };
            if started.send((number, Batch::start(runner, reads))).is_err() {
                return;
            }
        }
    }

    /// The next batch and its number.
    fn next(&self, most: usize) -> Option<(usize, Vec<Read<T>>)> {
        let (given, reader) = &mut *lock(&self.reader);
        let is_over = || self.turn.is_ended() || self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed));
        let reads = reader.next_batch(most, is_over)?;
        *given += 1;
        Some((*given - 1, reads))
    }
}

/// Waits for the batches of one device, and sends the results of each, not long before its turn.
fn wait_for_all<T>(
    classifier: &Inner,
    device: usize,
    started: &Receiver<(usize, Batch<T>)>,
    turn: &Turn,
    to_hand_on: &Sender<Finished<T>>,
) {
    for (number, batch) in started {
        let finished = batch.wait(classifier, &classifier.runners[device]);
        turn.await_nearly(number);
        if to_hand_on.send((number, finished)).is_err() {
            return;
        }
    }
}
