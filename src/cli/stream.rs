//! Pictures through a network, as they come.
//!
//! Three stages work at the same time: the [`Reader`]'s threads read pictures, one thread starts batches on the device,
//! and this one waits for results and hands them on, so that the device has a batch to go on with, and a finished row
//! waits for no later picture. In memory are at the most four batches of pictures in 8 bits, and with each of the
//! reader's threads one more and a picture as large as its file made it. A reader that keeps pictures as they were decoded
//! adds those of a mebipixel or less to the batches.

use std::iter::Peekable;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use clap::Args;
use densenet_wgpu::image::{Picture, Prepared};
use densenet_wgpu::{Graph, Samples};

use super::device::{Run, Runner, images_at_once};
use super::dump::Dump;
use super::exit::Stop;
use super::pictures::Notices;
use super::reader::{Read, Reader};

/// How pictures go through a network.
#[derive(Args)]
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
    /// Its place among the inputs, from 0.
    pub(crate) number: usize,
    /// The path as the row shows it.
    pub(crate) path: PathBuf,
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
}

impl Stream {
    /// Runs them all, and hands `finish` every input in its order, those that ran together at once. Says what a person
    /// should know about the pictures. Ends early where `finish` stops, or an input cannot be written.
    pub(crate) fn run(self, runner: &Runner, mut finish: impl FnMut(Vec<Finished>) -> Result<(), Stop>) -> Result<(), Stop> {
        thread::scope(|scope| {
            // A batch is handed over when the one before it is done: the device has two, and no more.
            let (sender, receiver) = sync_channel(0);
            let starting = scope.spawn(move || self.start(runner, &sender));
            let mut number = 0;
            receiver.iter().try_for_each(|batch: Batch| {
                let finished = batch.wait(number);
                number += finished.len();
                finish(finished)
            })?;
            // A panic has been told by the hook.
            starting.join().unwrap_or_else(|_| Err(Stop::refused("batches were not started: an internal error")))
        })
    }

    /// Starts batches as their pictures come, until there are no more or nobody waits for them.
    fn start(self, runner: &Runner, sender: &SyncSender<Batch>) -> Result<(), Stop> {
        let Self { reader, batch, mut dump } = self;
        let (mut reader, mut notices) = (reader.peekable(), Notices::default());
        while let Some(reads) = next_batch(&mut reader, batch) {
            for Read { path, pictures, .. } in &reads {
                let Ok(pictures) = pictures else { continue };
                pictures.iter().for_each(|prepared| notices.look_at(path, &prepared.picture));
                dump.as_mut().map_or(Ok(()), |dump| dump.push(path, pictures))?;
            }
            if sender.send(Batch::start(runner, reads)).is_err() {
                return Ok(());
            }
        }
        dump.map_or(Ok(()), Dump::finish)
    }
}

/// The next inputs that can run together, at most `most`.
fn next_batch(reader: &mut Peekable<Reader>, most: usize) -> Option<Vec<Read>> {
    let mut batch = vec![reader.next()?];
    while batch.len() < most
        && let Some(read) = reader.next_if(|read| read.runs_with(&batch[0]))
    {
        batch.push(read);
    }
    Some(batch)
}

/// Inputs under way.
struct Batch {
    inputs: Vec<(PathBuf, Option<Picture>)>,
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
        Self { inputs: reads.into_iter().map(|read| (read.path, read.original)).collect(), size, run }
    }

    /// Waits for the results; the first input has the number `first`.
    fn wait(self, first: usize) -> Vec<Finished> {
        let Self { inputs, size, run } = self;
        let count = inputs.len();
        let outputs = match run.and_then(|run| run.wait().map_err(|error| vec![error.to_string(); count])) {
            Err(errors) => errors.into_iter().map(Err).collect(),
            Ok(outputs) => images(&outputs, count).into_iter().map(Ok).collect::<Vec<_>>(),
        };
        let inputs = inputs.into_iter().zip(outputs).enumerate();
        let finished = |(index, ((path, original), outputs))| Finished { number: first + index, path, original, size, outputs };
        inputs.map(finished).collect()
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
