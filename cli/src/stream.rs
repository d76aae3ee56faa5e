//! Pictures through a network, as they come, on one device or several.
//!
//! Three stages work at the same time: the [`Reader`]'s threads read pictures, a thread for each device starts batches there,
//! another waits for their results, and this one hands them on in the order of the inputs; so that a device has a batch to
//! go on with, and a finished row waits for no later batch. In memory are at the most two batches for each device and one
//! more of pictures in 8 bits, with each of the reader's threads one more and a picture as large as its file made it, and the
//! results of [`AHEAD`] batches for each device. A reader that keeps pictures as they were decoded adds those of a mebipixel or
//! less, and those that cannot be read again, to all of these.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use clap::Args;
use densenet_wgpu::image::{Picture, Prepared};
use densenet_wgpu::{Graph, Samples};

use super::device::{Run, Runner, images_at_once};
use super::dump::Dump;
use super::exit::Stop;
use super::inputs::Subject;
use super::interrupt::{self, Grace};
use super::pictures::Notices;
use super::reader::{Read, Reader};
use super::remedy::told;
use super::terminal::progress::Progress;

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

/// Batches that may be finished before the one whose turn it is, for each device: one that is faster than another goes on
/// meanwhile.
const AHEAD: usize = 4;

impl Stream {
    /// Runs them all, and hands `finish` every input in its order, those that ran together at once. Says what a person
    /// should know about the pictures. Ends early where `finish` stops, an input cannot be written, or a signal asks for it:
    /// then what is under way is still finished.
    pub(crate) fn run(self, runners: &[Runner], mut finish: impl FnMut(Vec<Finished>) -> Result<(), Stop>) -> Result<(), Stop> {
        let Self { reader, batch, dump, progress } = self;
        let _grace = Grace::begin();
        let turn = Turn { ahead: if runners.len() > 1 { AHEAD * runners.len() } else { 1 }, ..Turn::default() };
        let source = Source { batch, turn: &turn, queue: Mutex::new(Queue { reader, dump, notices: Notices::default(), begun: 0 }) };
        let (sender, finished) = channel();
        thread::scope(|scope| {
            // However this ends, nobody waits for it any longer.
            let _end = EndOnDrop(&turn);
            let mut starting = Vec::new();
            for runner in runners {
                // A batch is handed over when the one before it is done: a device has two, and no more.
                let (to_wait, started) = sync_channel(0);
                let (source, turn, sender) = (&source, &turn, sender.clone());
                starting.push(scope.spawn(move || {
                    let _end = EndOnPanic(turn);
                    source.start_all(runner, &to_wait)
                }));
                scope.spawn(move || {
                    let _end = EndOnPanic(turn);
                    wait_for_all(runner, &started, turn, &sender)
                });
            }
            drop(sender);
            let handed_on = in_order(&finished, &turn, |inputs| {
                progress.add(inputs.len());
                finish(inputs)
            });
            turn.end();
            drop(finished);
            // A panic has been told by the hook.
            let internal = |_| Err(Stop::refused("batches were not started: an internal error"));
            let started = starting.into_iter().map(|thread| thread.join().unwrap_or_else(internal)).collect::<Vec<_>>();
            handed_on.and(started.into_iter().collect::<Result<(), Stop>>())
        })?;
        let Queue { dump, .. } = source.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        dump.map_or(Ok(()), Dump::finish)
    }
}

/// Where all devices get their batches from.
struct Source<'a> {
    batch: usize,
    turn: &'a Turn,
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
    /// Starts batches on one device as their pictures come, until there are no more or nobody waits for them.
    fn start_all(&self, runner: &Runner, started: &SyncSender<(usize, Batch)>) -> Result<(), Stop> {
        while let Some((number, reads)) = self.next()? {
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
        let is_over = || self.turn.is_ended() || interrupt::asked().is_some();
        let Some(reads) = reader.next_batch(self.batch, is_over) else { return Ok(None) };
        for Read { subject, pictures, .. } in &reads {
            let Ok(pictures) = pictures else { continue };
            pictures.iter().for_each(|prepared| notices.look_at(subject, &prepared.picture));
            let pushed = dump.as_mut().map_or(Ok(()), |dump| dump.push(subject, pictures));
            // The other devices would write more of it.
            pushed.inspect_err(|_| self.turn.end())?;
        }
        *begun += 1;
        Ok(Some((*begun - 1, reads)))
    }
}

/// What came of a batch and its number, or why there will be no more.
type Sent = Result<(usize, Vec<Finished>), Stop>;

/// Waits for one device's batches, and sends what came of each, not long before its turn. What fails with the device fails by no
/// fault of its pictures: they get no row, so that another run can try them.
fn wait_for_all(runner: &Runner, started: &Receiver<(usize, Batch)>, turn: &Turn, finished: &Sender<Sent>) {
    for (number, batch) in started {
        let inputs = batch.wait();
        turn.await_nearly(number);
        let failed = inputs.iter().any(|input| input.outputs.is_err());
        let sent = match runner.failure().filter(|_| failed) {
            Some(failure) => Err(Stop::failed(format!("{failure}; inputs that have no row yet were not tried"))),
            None => Ok((number, inputs)),
        };
        if finished.send(sent).is_err() {
            return;
        }
    }
}

/// Hands on what came of each batch, in the order of their numbers.
fn in_order(finished: &Receiver<Sent>, turn: &Turn, mut hand_on: impl FnMut(Vec<Finished>) -> Result<(), Stop>) -> Result<(), Stop> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    for sent in finished {
        let (number, inputs) = sent?;
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
    /// Batches that may be finished before it.
    ahead: usize,
    next: Mutex<usize>,
    moved: Condvar,
}

impl Turn {
    fn advance(&self, next: usize) {
        let mut now = lock(&self.next);
        *now = next.max(*now);
        self.moved.notify_all();
    }

    /// There is none any more: lets everybody go.
    fn end(&self) {
        self.advance(usize::MAX);
    }

    fn is_ended(&self) -> bool {
        *lock(&self.next) == usize::MAX
    }

    /// Waits until no more batches come before this one than may be finished before their turn.
    fn await_nearly(&self, number: usize) {
        let is_early = |next: &mut usize| next.saturating_add(self.ahead) < number;
        // The guard is of no use: the number only grows.
        drop(self.moved.wait_while(lock(&self.next), is_early));
    }
}

/// Ends all turns when it is dropped.
struct EndOnDrop<'a>(&'a Turn);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Ends all turns where its thread panics: the batch that it had never comes.
struct EndOnPanic<'a>(&'a Turn);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

/// The guarded value; a thread that panicked while it held the lock is told by the hook.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Inputs under way.
struct Batch {
    inputs: Vec<Started>,
    size: [usize; 2],
    /// The run of those that could be read, where there are any.
    run: Option<Result<Run, String>>,
}

struct Started {
    number: usize,
    subject: Subject,
    original: Option<Picture>,
    /// Why it is not in the run.
    error: Option<String>,
}

impl Batch {
    fn start(runner: &Runner, reads: Vec<Read>) -> Self {
        let size = reads.iter().find_map(Read::size);
        let samples: Vec<Samples> = reads.iter().filter_map(|read| read.pictures.as_ref().ok()).flatten().map(Prepared::samples).collect();
        let run = size.map(|[height, width]| runner.start(&samples, height, width).map_err(|error| told(&error)));
        let started = |Read { number, subject, pictures, original }| Started { number, subject, original, error: pictures.err() };
        Self { inputs: reads.into_iter().map(started).collect(), size: size.unwrap_or_default(), run }
    }

    /// Waits for the results.
    fn wait(self) -> Vec<Finished> {
        let Self { inputs, size, run } = self;
        let count = inputs.iter().filter(|input| input.error.is_none()).count();
        let outputs = run.map(|run| run.and_then(|run| run.wait().map_err(|error| told(&error))));
        let mut images = match outputs {
            Some(Ok(outputs)) => images(&outputs, count).into_iter().map(Ok).collect(),
            Some(Err(error)) => vec![Err(error); count],
            None => Vec::new(),
        }
        .into_iter();
        let finished = |Started { number, subject, original, error }: Started| {
            let ran = || images.next().unwrap_or_else(|| Err("not run: an internal error".into()));
            Finished { number, subject, original, size, outputs: error.map_or_else(ran, Err) }
        };
        inputs.into_iter().map(finished).collect()
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
