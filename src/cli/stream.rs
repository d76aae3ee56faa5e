//! Pictures through a network, as they come, on one device or several.
//!
//! Three stages work at the same time: the [`Reader`]'s threads read pictures, a thread for each device starts batches there,
//! another waits for their results, and this one hands them on in the order of the inputs; so that a device has a batch to
//! go on with, and a finished row waits for no later picture. In memory are at the most three batches for each device and
//! one more of pictures in 8 bits, and with each of the reader's threads one more and a picture as large as its file made it.
//! A reader that keeps pictures as they were decoded adds those of a mebipixel or less to the batches.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use clap::Args;
use densenet_wgpu::image::{Picture, Prepared};
use densenet_wgpu::{Graph, Samples};

use super::device::{Run, Runner, images_at_once};
use super::dump::Dump;
use super::exit::Stop;
use super::interrupt::{self, Grace};
use super::pictures::Notices;
use super::progress::Progress;
use super::reader::{Read, Reader};
use super::subject::Subject;

/// How pictures go through a network.
#[derive(Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct StreamOptions {
    /// Pictures that run at once
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
}

impl StreamOptions {
    /// Pictures that run at once through `graph`.
    pub(crate) fn batch(&self, graph: &Graph) -> usize {
        images_at_once(self.batch, graph.input_shape())
    }
}

/// An input that went through the network, or did not.
pub(crate) struct Finished {
    /// Its place among all inputs, from 0.
    pub(crate) number: usize,
    /// Whose row it is.
    pub(crate) subject: Subject,
    /// The picture as it was decoded, where the reader keeps it.
    pub(crate) original: Option<Picture>,
    /// Height and width that the network saw.
    pub(crate) size: [usize; 2],
    /// What the network made of it, for each of its outputs, and there for each of its crops; or what went wrong.
    pub(crate) outputs: Result<Vec<Vec<f32>>, String>,
}

/// Inputs to run.
pub(crate) struct Stream {
    /// Where they come from.
    pub(crate) reader: Reader,
    /// How many run at once, at most.
    pub(crate) batch: usize,
    /// Where what goes into the network is written too.
    pub(crate) dump: Option<Dump>,
    /// Who sees how far it is.
    pub(crate) progress: Progress,
}

/// Batches that may be finished before the one whose turn it is: a device that is faster than another goes on meanwhile.
const AHEAD: usize = 32;

impl Stream {
    /// Runs them all, and hands `finish` every input in its order, those that ran together at once. Says what a person
    /// should know about the pictures. Ends early where `finish` stops, an input cannot be written, or a signal asks for it:
    /// then what is under way is still finished.
    pub(crate) fn run(self, runners: &[Runner], mut finish: impl FnMut(Vec<Finished>) -> Result<(), Stop>) -> Result<(), Stop> {
        let Self { reader, batch, dump, progress } = self;
        let _grace = Grace::begin();
        let is_stopped = AtomicBool::new(false);
        let source =
            Source { batch, is_stopped: &is_stopped, queue: Mutex::new(Queue { reader, dump, notices: Notices::default(), begun: 0 }) };
        let turn = Turn::default();
        let (sender, finished) = channel();
        thread::scope(|scope| {
            let mut starting = Vec::new();
            for runner in runners {
                // A batch is handed over when the one before it is done: a device has two, and no more.
                let (to_wait, started) = sync_channel(0);
                let (source, turn, sender) = (&source, &turn, sender.clone());
                starting.push(scope.spawn(move || source.start_all(runner, &to_wait)));
                scope.spawn(move || wait_for_all(&started, turn, &sender));
            }
            drop(sender);
            let handed_on = in_order(&finished, &turn, |inputs| {
                progress.add(inputs.len());
                finish(inputs)
            });
            is_stopped.store(true, Ordering::Relaxed);
            turn.end();
            drop(finished);
            // A panic has been told by the hook.
            let internal = |_| Err(Stop::refused("batches were not started: an internal error"));
            let started = starting.into_iter().map(|thread| thread.join().unwrap_or_else(internal)).collect::<Vec<_>>();
            handed_on.and(started.into_iter().collect::<Result<(), Stop>>())
        })?;
        if runners.iter().all(Runner::is_lost) {
            return Err(Stop::failed("no device is left; inputs that have no row were not tried"));
        }
        let Queue { dump, .. } = source.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        dump.map_or(Ok(()), Dump::finish)
    }
}

/// Where all devices get their batches from.
struct Source<'a> {
    batch: usize,
    is_stopped: &'a AtomicBool,
    queue: Mutex<Queue>,
}

struct Queue {
    reader: Reader,
    dump: Option<Dump>,
    notices: Notices,
    /// Batches that were handed out.
    begun: usize,
}

impl Source<'_> {
    /// Starts batches on one device as their pictures come, until there are no more, nobody waits for them, or the device is
    /// lost: the others, if there are any, go on.
    fn start_all(&self, runner: &Runner, started: &SyncSender<(usize, Batch)>) -> Result<(), Stop> {
        while !runner.is_lost()
            && let Some((number, reads)) = self.next()?
        {
            if started.send((number, Batch::start(runner, reads))).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The next batch and its number.
    fn next(&self) -> Result<Option<(usize, Vec<Read>)>, Stop> {
        let mut queue = lock(&self.queue);
        let Queue { reader, dump, notices, begun } = &mut *queue;
        let is_over = || self.is_stopped.load(Ordering::Relaxed) || interrupt::asked().is_some();
        let Some(reads) = reader.next_batch(self.batch, is_over) else { return Ok(None) };
        for Read { subject, pictures, .. } in &reads {
            let Ok(pictures) = pictures else { continue };
            pictures.iter().for_each(|prepared| notices.look_at(subject, &prepared.picture));
            let pushed = dump.as_mut().map_or(Ok(()), |dump| dump.push(subject, pictures));
            // The other devices would write more of it.
            pushed.inspect_err(|_| self.is_stopped.store(true, Ordering::Relaxed))?;
        }
        *begun += 1;
        Ok(Some((*begun - 1, reads)))
    }
}

/// Waits for one device's batches, and sends what came of each, not long before its turn.
fn wait_for_all(started: &Receiver<(usize, Batch)>, turn: &Turn, finished: &Sender<(usize, Vec<Finished>)>) {
    for (number, batch) in started {
        let inputs = batch.wait();
        turn.await_nearly(number);
        if finished.send((number, inputs)).is_err() {
            return;
        }
    }
}

/// Hands on what came of each batch, in the order of their numbers.
fn in_order(
    finished: &Receiver<(usize, Vec<Finished>)>,
    turn: &Turn,
    mut hand_on: impl FnMut(Vec<Finished>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for (number, inputs) in finished {
        early.insert(number, inputs);
        while let Some(inputs) = early.remove(&next) {
            hand_on(inputs)?;
            next += 1;
            turn.advance(next);
        }
    }
    Ok(())
}

/// The number of the batch whose results are handed on next.
#[derive(Default)]
struct Turn {
    next: Mutex<usize>,
    moved: Condvar,
}

impl Turn {
    fn advance(&self, next: usize) {
        *lock(&self.next) = next;
        self.moved.notify_all();
    }

    /// Lets everybody go.
    fn end(&self) {
        self.advance(usize::MAX);
    }

    /// Waits until at most [`AHEAD`] batches come before this one.
    fn await_nearly(&self, number: usize) {
        let is_early = |next: &mut usize| next.saturating_add(AHEAD) < number;
        // The guard is of no use: the number only grows.
        drop(self.moved.wait_while(lock(&self.next), is_early));
    }
}

/// The guarded value; a thread that panicked while it held the lock is told by the hook.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Inputs under way.
struct Batch {
    inputs: Vec<(usize, Subject, Option<Picture>)>,
    size: [usize; 2],
    /// The run of all of them, or what went wrong with each.
    run: Result<Run, Vec<String>>,
}

impl Batch {
    fn start(runner: &Runner, reads: Vec<Read>) -> Self {
        let pictures: Vec<&Prepared> = reads.iter().filter_map(|read| read.pictures.as_ref().ok()).flatten().collect();
        let size = pictures.first().map_or([0, 0], |prepared| [prepared.picture.height(), prepared.picture.width()]);
        let run = match pictures.first() {
            None => Err(reads.iter().filter_map(|read| read.pictures.as_ref().err().cloned()).collect()),
            Some(_) => {
                let samples: Vec<Samples> = pictures.iter().map(|picture| picture.samples()).collect();
                let run = runner.start(&samples, size[0], size[1]);
                run.map_err(|error| vec![error.to_string(); reads.len()])
            }
        };
        Self { inputs: reads.into_iter().map(|read| (read.number, read.subject, read.original)).collect(), size, run }
    }

    /// Waits for the results.
    fn wait(self) -> Vec<Finished> {
        let Self { inputs, size, run } = self;
        let count = inputs.len();
        let outputs = match run.and_then(|run| run.wait().map_err(|error| vec![error.to_string(); count])) {
            Err(errors) => errors.into_iter().map(Err).collect(),
            Ok(outputs) => images(&outputs, count).into_iter().map(Ok).collect::<Vec<_>>(),
        };
        let finished = |((number, subject, original), outputs)| Finished { number, subject, original, size, outputs };
        inputs.into_iter().zip(outputs).map(finished).collect()
    }
}

/// The outputs of each of `count` images, from outputs `[count, …]`.
fn images(outputs: &[Vec<f32>], count: usize) -> Vec<Vec<Vec<f32>>> {
    let image = |index: usize| {
        let part = |output: &Vec<f32>| output[output.len() / count * index..][..output.len() / count].to_vec();
        outputs.iter().map(part).collect()
    };
    (0..count).map(image).collect()
}
