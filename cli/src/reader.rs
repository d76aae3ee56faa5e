//! Pictures, read ahead of the device.

use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use densenet_wgpu::image::{Decoding, Picture, Prepared};
use densenet_wgpu::preprocessing::Preprocessing;
use rayon::ThreadPool;

use super::exit::Stop;
use super::inputs::{Content, Input, Inputs, Next, Subject};
use super::panics;
use super::remedy::told;

/// The pictures that the network runs on for one input: one, or ten crops of it; else why there are none. The message leaves
/// the path to the row.
pub(crate) type Pictures = Result<Vec<Prepared>, String>;

/// An input after it was read.
pub(crate) struct Read {
    /// The input's place among all inputs, from 0.
    pub(crate) number: usize,
    /// Whose row it is.
    pub(crate) subject: Subject,
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
    /// Height and width that the network will see; none of what could not be read.
    pub(crate) fn size(&self) -> Option<[usize; 2]> {
        let first = self.pictures.as_ref().ok()?.first()?;
        Some([first.picture.height(), first.picture.width()])
    }
}

/// What is made of each picture.
#[derive(Clone)]
pub(crate) struct Preparation {
    /// How it becomes the network's input.
    pub(crate) preprocessing: Preprocessing,
    /// How its file is decoded.
    pub(crate) decoding: Decoding,
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
    inputs: Inputs,
    preparation: Arc<Preparation>,
    threads: ThreadPool,
    ahead: usize,
    keeps: bool,
    coming: VecDeque<Coming>,
    /// What came after a batch and could not run with it.
    left: Option<Read>,
}

/// An input that is being read.
struct Coming {
    number: usize,
    subject: Subject,
    decoded: Receiver<Decoded>,
    /// What has been received already.
    here: Option<Decoded>,
}

/// How long nobody looks whether the run is over.
const PATIENCE: Duration = Duration::from_millis(50);

impl Reader {
    /// A reader that has `batch` pictures ready before they are asked for, and works on one more with each thread.
    pub(crate) fn new(inputs: Inputs, preparation: Preparation, batch: usize) -> Result<Self, Stop> {
        // A panic has been told by the hook. It drops the sender, which costs the row of its picture.
        let threads = rayon::ThreadPoolBuilder::new().panic_handler(drop).build().map_err(Stop::refused)?;
        let ahead = batch.saturating_add(threads.current_num_threads());
        let preparation = Arc::new(preparation);
        Ok(Self { inputs, preparation, threads, ahead, keeps: false, coming: VecDeque::new(), left: None })
    }

    /// The same reader, which hands on pictures as they were decoded too, where they are small or cannot be read again.
    pub(crate) fn keeping(self, keeps: bool) -> Self {
        Self { keeps, ..self }
    }

    /// The next inputs that can run together, at most `most`: those that could be read are of one size. Of inputs that another
    /// program sends only the first is waited for: it may be waiting for its answer. `None` where there are no more, or `is_over`
    /// says so meanwhile.
    pub(crate) fn next_batch(&mut self, most: usize, is_over: impl Fn() -> bool) -> Option<Vec<Read>> {
        let mut batch = vec![self.next(&is_over)?];
        let mut size = batch[0].size();
        while batch.len() < most && self.has_more() {
            let read = self.next(&is_over)?;
            if size.is_some() && read.size().is_some_and(|other| Some(other) != size) {
                self.left = Some(read);
                break;
            }
            size = size.or(read.size());
            batch.push(read);
        }
        Some(batch)
    }

    fn next(&mut self, is_over: &impl Fn() -> bool) -> Option<Read> {
        if let Some(left) = self.left.take() {
            return Some(left);
        }
        while !is_over() {
            self.begin_all();
            let Some(Coming { decoded, here, .. }) = self.coming.front_mut() else {
                match self.inputs.wait() {
                    Next::Input(input) => self.begin(input),
                    Next::NotYet => {}
                    Next::End => return None,
                }
                continue;
            };
            let (pictures, original) = match here.take().map_or_else(|| decoded.recv_timeout(PATIENCE), Ok) {
                Ok(decoded) => decoded,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => (Err("not read: an internal error, which standard error tells".into()), None),
            };
            let Coming { number, subject, .. } = self.coming.pop_front()?;
            return Some(Read { number, subject, pictures, original });
        }
        None
    }

    /// Whether there is another input that a batch may wait for.
    fn has_more(&mut self) -> bool {
        self.begin_all();
        let Some(Coming { decoded, here, .. }) = self.coming.front_mut() else { return false };
        if here.is_none() {
            *here = decoded.try_recv().ok();
        }
        here.is_some() || matches!(self.inputs, Inputs::Listed(_))
    }

    fn begin_all(&mut self) {
        while self.coming.len() < self.ahead
            && let Next::Input(input) = self.inputs.poll()
        {
            self.begin(input);
        }
    }

    fn begin(&mut self, input: Input) {
        let (sender, decoded) = channel();
        let Input { number, subject, content } = input;
        self.coming.push_back(Coming { number, subject, decoded, here: None });
        let (preparation, keeps) = (Arc::clone(&self.preparation), self.keeps);
        // The receiver is gone where rows end early: nobody is left to tell.
        self.threads.spawn_fifo(move || drop(sender.send(preparation.read(content, keeps))));
    }
}

impl Preparation {
    /// What the network runs on for a picture, and the picture itself where it is to be kept.
    fn read(&self, content: Content, keeps: bool) -> Decoded {
        let (decoded, is_there_again) = match content {
            Content::Refused(error) => (Err(error), false),
            Content::Bytes(bytes) => (self.decoded(|| self.decoding.decode(&bytes)), false),
            Content::File(path) => (self.decode(&path), keeps && path.is_file()),
        };
        let picture = match decoded {
            Ok(picture) => picture,
            Err(error) => return (Err(error), None),
        };
        let pictures = self.prepare(&picture).map_err(|error| told(&error));
        let is_kept = keeps && pictures.is_ok() && (picture.height() * picture.width() <= KEPT_PIXELS || !is_there_again);
        (pictures, is_kept.then_some(picture))
    }

    /// The picture at `path`, as it is to be seen.
    pub(crate) fn decode(&self, path: &Path) -> Result<Picture, String> {
        if path.is_dir() {
            return Err("expected a picture, found a folder".into());
        }
        let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
        self.decoded(|| self.decoding.read_file(file))
    }

    fn decoded(&self, decode: impl FnOnce() -> densenet_wgpu::Result<Picture>) -> Result<Picture, String> {
        let picture = panics::untold(decode).map_err(|error| told(&error))?;
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
            let refused = (index % 7 == 3).then(|| Content::Refused(format!("refused {index}")));
            let content = refused.unwrap_or_else(|| Content::File(path.clone()));
            Input { number: index, subject: Subject::file(path), content }
        };
        let inputs: Vec<Input> = (0..40).map(input).collect();
        let preparation = Preparation {
            preprocessing: Preprocessing::torchvision(1).sized(8, 8),
            decoding: Decoding::default(),
            upright: true,
            ten_crop: false,
        };
        let mut reader = Reader::new(Inputs::Listed(inputs.clone().into_iter()), preparation, 3).unwrap();
        for (index, input) in inputs.into_iter().enumerate() {
            let read = reader.next(&|| false).unwrap();
            assert!(reader.coming.len() < reader.ahead);
            assert_eq!((read.number, read.subject), (index, input.subject));
            match read.pictures {
                Ok(prepared) => assert!(prepared[0].picture.samples().iter().all(|&sample| usize::from(sample) == index)),
                Err(error) => assert_eq!(Content::Refused(error), input.content),
            }
        }
        assert!(reader.next(&|| false).is_none());
    }
}
