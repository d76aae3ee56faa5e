//! Pictures, read ahead of the device.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::vec;

use densenet_wgpu::image::{Picture, Prepared};
use densenet_wgpu::weights::Preprocessing;
use rayon::ThreadPool;

use super::exit::Stop;
use super::inputs::Input;

/// An input after it was read: a picture of the size that the network takes, or why there is none.
pub(crate) struct Read {
    /// The path as the row shows it.
    pub(crate) path: PathBuf,
    /// What the network runs on. The message leaves the path to the row.
    pub(crate) picture: Result<Prepared, String>,
    /// The picture as it was decoded, where it is kept ([`Reader::keeping`]).
    pub(crate) original: Option<Picture>,
}

/// Pixels of a picture that is kept as it was decoded; a larger one is read once more where it is needed again.
const KEPT_PIXELS: usize = 1 << 20;

/// What a thread makes of an input.
type Made = Result<(Prepared, Option<Picture>), String>;

impl Read {
    /// Whether both can be in one batch: pictures of one size, or no pictures.
    pub(crate) fn runs_with(&self, other: &Self) -> bool {
        match (&self.picture, &other.picture) {
            (Ok(a), Ok(b)) => (a.picture.height(), a.picture.width()) == (b.picture.height(), b.picture.width()),
            (Err(_), Err(_)) => true,
            _ => false,
        }
    }
}

/// Reads, resizes and crops pictures on every core and yields them in the order of the inputs.
///
/// The threads are its own: a slow disk must not keep those of the reference waiting. Nobody waits for them when rows
/// end early.
pub(crate) struct Reader {
    inputs: vec::IntoIter<Input>,
    preprocessing: Arc<Preprocessing>,
    threads: ThreadPool,
    ahead: usize,
    keeps: bool,
    coming: VecDeque<(PathBuf, Receiver<Made>)>,
}

impl Reader {
    /// A reader that has `batch` pictures ready before they are asked for, and works on one more with each thread.
    pub(crate) fn new(inputs: Vec<Input>, preprocessing: Preprocessing, batch: usize) -> Result<Self, Stop> {
        // A panic has been told by the hook. It drops the sender, which costs the row of its picture.
        let threads = rayon::ThreadPoolBuilder::new().panic_handler(drop).build().map_err(Stop::refused)?;
        let ahead = batch.saturating_add(threads.current_num_threads());
        let preprocessing = Arc::new(preprocessing);
        Ok(Self { inputs: inputs.into_iter(), preprocessing, threads, ahead, keeps: false, coming: VecDeque::new() })
    }

    /// The same reader, which hands on pictures as they were decoded too, where they are small or cannot be read again.
    pub(crate) fn keeping(self, keeps: bool) -> Self {
        Self { keeps, ..self }
    }

    fn begin(&mut self, input: Input) {
        let (sender, receiver) = channel();
        self.coming.push_back((input.path.clone(), receiver));
        let (preprocessing, keeps) = (Arc::clone(&self.preprocessing), self.keeps);
        self.threads.spawn_fifo(move || {
            let picture = input.error.map_or_else(|| read(&input.path, &preprocessing, keeps), Err);
            // The receiver is gone where rows end early: nobody is left to tell.
            drop(sender.send(picture));
        });
    }
}

impl Iterator for Reader {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        while self.coming.len() < self.ahead
            && let Some(input) = self.inputs.next()
        {
            self.begin(input);
        }
        let (path, picture) = self.coming.pop_front()?;
        let picture = picture.recv().unwrap_or_else(|_| Err("not read: an internal error, which standard error tells".into()));
        let (picture, original) = match picture {
            Ok((prepared, original)) => (Ok(prepared), original),
            Err(error) => (Err(error), None),
        };
        Some(Read { path, picture, original })
    }
}

fn read(path: &Path, preprocessing: &Preprocessing, keeps: bool) -> Made {
    let picture = decode(path)?;
    let prepared = preprocessing.prepare(&picture).map_err(|error| error.to_string())?;
    let is_kept = keeps && (picture.height() * picture.width() <= KEPT_PIXELS || !path.is_file());
    Ok((prepared, is_kept.then_some(picture)))
}

/// The picture at `path`.
pub(crate) fn decode(path: &Path) -> Result<Picture, String> {
    if path.is_dir() {
        return Err("expected a picture, found a folder".into());
    }
    let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    Picture::from_file(file).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_whichever_is_read_first() {
        let folder = tempfile::tempdir().unwrap();
        // The first of each five takes longest.
        let input = |index: usize| {
            let path = folder.path().join(format!("{index}.pgm"));
            let side = if index.is_multiple_of(5) { 1500 } else { 8 };
            let header = format!("P5 {side} {side} 255\n").into_bytes();
            std::fs::write(&path, [header, vec![index as u8; side * side]].concat()).unwrap();
            Input { error: (index % 7 == 3).then(|| format!("refused {index}")), path }
        };
        let inputs: Vec<Input> = (0..40).map(input).collect();
        let mut reader = Reader::new(inputs.clone(), Preprocessing::torchvision(1).sized(8, 8), 3).unwrap();
        for (index, input) in inputs.iter().enumerate() {
            let read = reader.next().unwrap();
            assert!(reader.coming.len() < reader.ahead);
            assert_eq!(read.path, input.path);
            match read.picture {
                Ok(prepared) => assert!(prepared.picture.samples().iter().all(|&sample| usize::from(sample) == index)),
                Err(error) => assert_eq!(Some(error), input.error),
            }
        }
        assert!(reader.next().is_none());
    }
}
