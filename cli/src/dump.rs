//! `--dump-input X.npy`: the network's input as a file.

use std::path::{Path, PathBuf};

use densenet_wgpu::Prediction;

use crate::exit::Stop;
use crate::inputs::Subject;
use crate::message;
use crate::npy::Stack;

/// Writes the readable inputs of a run to a file, in order.
pub(crate) struct Dump {
    path: PathBuf,
    stack: Stack,
    shape: [usize; 3],
    /// The first input: the others must have its size.
    first: Option<Subject>,
}

impl Dump {
    /// Creates the file at `path` for inputs of `[C, H, W]`. The first input may change the height and width.
    pub(crate) fn create(path: &Path, shape: [usize; 3]) -> Result<Self, Stop> {
        let stack = Stack::create(path).map_err(|error| Stop::in_file(path, error))?;
        Ok(Self { path: path.into(), stack, shape, first: None })
    }

    /// Appends an input. Errors if its size differs from the first.
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

    /// Moves the file into place and reports its shape.
    pub(crate) fn finish(self) -> Result<(), Stop> {
        let Self { path, stack, shape, .. } = self;
        let [channels, height, width] = shape;
        let count = stack.arrays();
        stack.finish(&shape).map_err(|error| Stop::unwritten(&path, error))?;
        message::note(&format!("{}: {:?}", path.display(), [count, channels, height, width]));
        Ok(())
    }
}
