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
use super::panics;

/// The pictures that the network runs on for one input: one, or ten crops of it; else why there are none. The message leaves
/// the path to the row.
pub(crate) type Pictures = Result<Vec<Prepared>, String>;

/// An input after it was read.
pub(crate) struct Read {
    /// The path as the row shows it.
    pub(crate) path: PathBuf,
    /// What came of it.
    pub(crate) pictures: Pictures,
    /// The picture as it was decoded, where it is kept ([`Reader::keeping`]).
    pub(crate) original: Option<Picture>,
}

/// What the network runs on, and the picture as it was decoded where it is kept.
type Decoded = (Pictures, Option<Picture>);

/// Pixels of a picture that is kept as it was decoded; a larger one is read once more where it is needed again.
const KEPT_PIXELS: usize = 1 << 20;

impl Read {
    /// Whether both can be in one batch: pictures of one size, or no pictures.
    pub(crate) fn runs_with(&self, other: &Self) -> bool {
        let size = |pictures: &[Prepared]| pictures.first().map(|first| (first.picture.height(), first.picture.width()));
        match (&self.pictures, &other.pictures) {
            (Ok(a), Ok(b)) => size(a) == size(b),
            (Err(_), Err(_)) => true,
            _ => false,
        }
    }
}

/// What is made of each picture.
#[derive(Clone)]
pub(crate) struct Preparation {
    /// How it becomes the network's input.
    pub(crate) preprocessing: Preprocessing,
    /// Whether it is turned as its EXIF orientation says first.
    pub(crate) upright: bool,
    /// Whether it becomes ten crops instead of one.
    pub(crate) ten_crop: bool,
}

/// Reads, resizes and crops pictures on every core and yields them in the order of the inputs.
///
/// The threads are its own: a slow disk must not keep those of the reference waiting. Nobody waits for them when rows
/// end early.
pub(crate) struct Reader {
    inputs: vec::IntoIter<Input>,
    preparation: Arc<Preparation>,
    threads: ThreadPool,
    ahead: usize,
    keeps: bool,
    coming: VecDeque<(PathBuf, Receiver<Decoded>)>,
}

impl Reader {
    /// A reader that has `batch` pictures ready before they are asked for, and works on one more with each thread.
    pub(crate) fn new(inputs: Vec<Input>, preparation: Preparation, batch: usize) -> Result<Self, Stop> {
        // A panic has been told by the hook. It drops the sender, which costs the row of its picture.
        let threads = rayon::ThreadPoolBuilder::new().panic_handler(drop).build().map_err(Stop::refused)?;
        let ahead = batch.saturating_add(threads.current_num_threads());
        let preparation = Arc::new(preparation);
        Ok(Self { inputs: inputs.into_iter(), preparation, threads, ahead, keeps: false, coming: VecDeque::new() })
    }

    /// The same reader, which hands on pictures as they were decoded too, where they are small or cannot be read again.
    pub(crate) fn keeping(self, keeps: bool) -> Self {
        Self { keeps, ..self }
    }

    fn begin(&mut self, input: Input) {
        let (sender, receiver) = channel();
        self.coming.push_back((input.path.clone(), receiver));
        let (preparation, keeps) = (Arc::clone(&self.preparation), self.keeps);
        self.threads.spawn_fifo(move || {
            let read = match input.error {
                Some(error) => (Err(error), None),
                None => preparation.read(&input.path, keeps),
            };
            // The receiver is gone where rows end early: nobody is left to tell.
            drop(sender.send(read));
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
        let (path, read) = self.coming.pop_front()?;
        let untold = |_| (Err("not read: an internal error, which standard error tells".into()), None);
        let (pictures, original) = read.recv().unwrap_or_else(untold);
        Some(Read { path, pictures, original })
    }
}

impl Preparation {
    /// What the network runs on for the picture at `path`, and the picture itself where it is to be kept.
    fn read(&self, path: &Path, keeps: bool) -> Decoded {
        let picture = match self.decode(path) {
            Ok(picture) => picture,
            Err(error) => return (Err(error), None),
        };
        let pictures = self.prepare(&picture).map_err(|error| error.to_string());
        let is_kept = keeps && pictures.is_ok() && (picture.height() * picture.width() <= KEPT_PIXELS || !path.is_file());
        (pictures, is_kept.then_some(picture))
    }

    /// The picture at `path`, as it is to be seen.
    pub(crate) fn decode(&self, path: &Path) -> Result<Picture, String> {
        if path.is_dir() {
            return Err("expected a picture, found a folder".into());
        }
        let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
        let picture = panics::untold(|| Picture::from_file(file)).map_err(|error| error.to_string())?;
        Ok(if self.upright { picture.upright() } else { picture })
    }

    fn prepare(&self, picture: &Picture) -> densenet_wgpu::Result<Vec<Prepared>> {
        if self.ten_crop { self.preprocessing.ten_crops(picture) } else { Ok(vec![self.preprocessing.prepare(picture)?]) }
    }
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
        let preparation = Preparation { preprocessing: Preprocessing::torchvision(1).sized(8, 8), upright: true, ten_crop: false };
        let mut reader = Reader::new(inputs.clone(), preparation, 3).unwrap();
        for (index, input) in inputs.iter().enumerate() {
            let read = reader.next().unwrap();
            assert!(reader.coming.len() < reader.ahead);
            assert_eq!(read.path, input.path);
            match read.pictures {
                Ok(prepared) => assert!(prepared[0].picture.samples().iter().all(|&sample| usize::from(sample) == index)),
                Err(error) => assert_eq!(Some(error), input.error),
            }
        }
        assert!(reader.next().is_none());
    }
}
