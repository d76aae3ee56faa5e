//! `--dump-input X.npy`: what goes into the network, as a file.

use std::path::{Path, PathBuf};

use densenet_wgpu::Prediction;

use crate::exit::Stop;
use crate::inputs::Subject;
use crate::message;
use crate::npy::Stack;

/// The inputs of a run on their way to a file, in order; those that could not be read are not among them.
pub(crate) struct Dump {
    path: PathBuf,
    stack: Stack,
    shape: [usize; 3],
    /// Where the first input is from: the others are as large.
    first: Option<Subject>,
}

impl Dump {
    /// Begins the file at `path` for inputs of `[C, H, W]`; if there are any, the first may have another height and width.
    pub(crate) fn create(path: &Path, shape: [usize; 3]) -> Result<Self, Stop> {
        let stack = Stack::create(path).map_err(|error| Stop::in_file(path, error))?;
        Ok(Self { path: path.into(), stack, shape, first: None })
    }

    /// Appends what an input became. Errors where it is of another size than what came before.
    pub(crate) fn push(&mut self, subject: &Subject, prediction: &Prediction) -> Result<(), Stop> {
        let (Some(values), [height, width]) = (prediction.input(), prediction.size()) else { return Ok(()) };
        let shape = [values.len() / (prediction.crops() * height * width), height, width];
        let first = self.first.get_or_insert_with(|| {
            self.shape = shape;
            subject.clone()
        });
        if shape != self.shape {
            let [_, first_height, first_width] = self.shape;
            let expected = format!("--dump-input: expected inputs of one size, {first_height}x{first_width} as from {first}");
            return Err(Stop::failed(format!("{expected}, found {height}x{width} from {subject}; --size HxW makes them equal")));
        }
        let mut images = values.chunks_exact(shape.iter().product());
        images.try_for_each(|image| self.stack.push(image)).map_err(|error| Stop::unwritten(&self.path, error))
    }

    /// Puts the file in its place and says its shape.
    pub(crate) fn finish(self) -> Result<(), Stop> {
        let Self { path, stack, shape, .. } = self;
        let [channels, height, width] = shape;
        let count = stack.arrays();
        stack.finish(&shape).map_err(|error| Stop::unwritten(&path, error))?;
        message::note(&format!("{}: {:?}", path.display(), [count, channels, height, width]));
        Ok(())
    }
}
