//! What a Python object becomes as a source of the classifier.

use std::path::PathBuf;

use densenet_wgpu::Source;
use densenet_wgpu::image::Picture;
use numpy::{PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator};

use crate::error::{During, exception, refused};

/// What may be given as a picture, for messages.
const PICTURES: &str = "a path, the bytes of a file, a PIL picture, uint8 [H, W, C] or float32 [C, H, W]";

/// How pictures are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking {
    /// Channels of the network's input.
    pub(crate) channels: usize,
    /// Whether pictures are turned upright.
    pub(crate) upright: bool,
}

/// One source or many, as Python gives them.
pub(crate) enum Inputs<'py> {
    One(Option<Source>),
    Many(Bound<'py, PyIterator>),
    Pictures(Images<'py, u8>),
    Tensors(Images<'py, f32>),
}

/// An array of images of one shape.
pub(crate) struct Images<'py, T: numpy::Element> {
    array: PyReadonlyArrayDyn<'py, T>,
    next: usize,
}

impl<'py> Inputs<'py> {
    /// The sources that `value` stands for.
    pub(crate) fn of(value: &Bound<'py, PyAny>, taking: Taking) -> PyResult<Self> {
        if let Some(source) = file(value)? {
            return Ok(Self::One(Some(source)));
        }
        if let Some(array) = array(value, taking)? {
            return Self::of_array(&array, taking);
        }
        match value.try_iter() {
            Ok(many) => Ok(Self::Many(many)),
            Err(_) => Err(refused(value.py(), &format!("expected {PICTURES}, or several of them; found {}", kind(value)))),
        }
    }

    fn of_array(array: &Bound<'py, PyUntypedArray>, taking: Taking) -> PyResult<Self> {
        let py = array.py();
        if array.ndim() == 1 && !matches!(array.dtype().kind(), b'b' | b'i' | b'u' | b'f' | b'c') {
            return Ok(Self::Many(array.try_iter()?)); // of paths or bytes, as data frames have them
        }
        if let Ok(pictures) = array.cast::<PyArrayDyn<u8>>() {
            return match pictures.ndim() {
                2 | 3 => Ok(Self::One(Some(picture(pictures)?))),
                4 => Ok(Self::Pictures(Images { array: contiguous(pictures)?, next: 0 })),
                _ => Err(refused(py, &format!("expected uint8 pictures [H, W], [H, W, C] or [N, H, W, C], found {}", shape(array)))),
            };
        }
        if let Ok(tensors) = array.cast::<PyArrayDyn<f32>>() {
            let channels = taking.channels;
            return match tensors.shape() {
                [found, _, _] if *found == channels => Ok(Self::One(Some(tensor(tensors, taking)?))),
                [_, found, _, _] if *found == channels => Ok(Self::Tensors(Images { array: contiguous(tensors)?, next: 0 })),
                shape => Err(wrong_tensor(py, shape, channels)),
            };
        }
        Err(wrong_dtype(array))
    }

    /// The next source; `None` after the last. An error inside is of this source alone.
    pub(crate) fn next(&mut self, py: Python<'py>, taking: Taking) -> PyResult<Option<PyResult<Source>>> {
        Ok(match self {
            Self::One(source) => source.take().map(Ok),
            Self::Many(many) => many.next().transpose()?.map(|value| one(&value, taking)),
            Self::Pictures(images) => images.next(|shape, samples| {
                let [height, width, channels] = *shape else { return Err(refused(py, "expected [N, H, W, C]")) };
                of_samples(py, height, width, channels, samples)
            }),
            Self::Tensors(images) => images.next(|shape, values| Ok(Source::values(values, [shape[1], shape[2]]))),
        })
    }
}

impl<T: numpy::Element + Clone> Images<'_, T> {
    /// The next image, made of its shape and elements.
    fn next(&mut self, make: impl FnOnce(&[usize], Vec<T>) -> PyResult<Source>) -> Option<PyResult<Source>> {
        let (count, shape) = self.array.shape().split_first()?;
        if self.next == *count {
            return None;
        }
        let elements: usize = shape.iter().product();
        let at = self.next * elements;
        self.next += 1;
        Some(self.array.as_slice().map_err(PyErr::from).and_then(|all| make(shape, all[at..at + elements].to_vec())))
    }
}

/// The one picture that `value` is.
fn one(value: &Bound<'_, PyAny>, taking: Taking) -> PyResult<Source> {
    let py = value.py();
    if let Some(source) = file(value)? {
        return Ok(source);
    }
    let Some(array) = array(value, taking)? else {
        return Err(refused(py, &format!("expected {PICTURES}, found {}", kind(value))));
    };
    if let Ok(pictures) = array.cast::<PyArrayDyn<u8>>() {
        return picture(pictures);
    }
    match array.cast::<PyArrayDyn<f32>>() {
        Ok(tensors) => tensor(tensors, taking),
        Err(_) => Err(wrong_dtype(&array)),
    }
}

/// The source for a path, bytes, or an open file; `None` for anything else.
fn file(value: &Bound<'_, PyAny>) -> PyResult<Option<Source>> {
    // The most usual, which needs no more questions.
    if value.cast::<PyUntypedArray>().is_ok() {
        return Ok(None);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(bytes.as_bytes().into()));
    }
    if let Ok(path) = value.extract::<PathBuf>() {
        return Ok(Some(path.into()));
    }
    let is_buffer = ["bytearray", "memoryview"].contains(&value.get_type().name()?.to_str()?);
    let content = match is_buffer {
        true => value.py().get_type::<PyBytes>().call1((value,))?,
        false if value.hasattr("read")? => value.call_method0("read")?,
        false => return Ok(None),
    };
    match content.cast::<PyBytes>() {
        Ok(bytes) => Ok(Some(bytes.as_bytes().into())),
        Err(_) => Err(refused(value.py(), "expected a file that was opened in binary mode (\"rb\"), found one of text")),
    }
}

/// The array that `value` is or can become; `None` if it is none.
fn array<'py>(value: &Bound<'py, PyAny>, taking: Taking) -> PyResult<Option<Bound<'py, PyUntypedArray>>> {
    if let Ok(array) = value.cast::<PyUntypedArray>() {
        return Ok(Some(array.clone()));
    }
    let numpy = value.py().import("numpy")?;
    let made = if value.hasattr("getbands")? && value.hasattr("convert")? {
        numpy.call_method1("asarray", (eight_bits(value, taking)?,))
    } else if value.hasattr("__array__")? {
        numpy.call_method1("asarray", (value,))
    } else if value.hasattr("__dlpack__")? {
        numpy.call_method1("from_dlpack", (value,))
    } else {
        return Ok(None);
    };
    let made = made.map_err(|error| {
        let refused = refused(value.py(), &format!("expected an array that numpy can read, found {} ({error})", kind(value)));
        refused.set_cause(value.py(), Some(error));
        refused
    })?;
    Ok(Some(made.cast_into::<PyUntypedArray>()?))
}

/// A picture of Pillow's in 8-bit grey or colour, upright if requested.
fn eight_bits<'py>(picture: &Bound<'py, PyAny>, taking: Taking) -> PyResult<Bound<'py, PyAny>> {
    let py = picture.py();
    let upright = match taking.upright {
        true => py.import("PIL.ImageOps")?.call_method1("exif_transpose", (picture,))?,
        false => picture.clone(),
    };
    let mode: String = upright.getattr("mode")?.extract()?;
    match mode.as_str() {
        "L" | "RGB" => Ok(upright),
        "F" | "I" => Err(wide(py, &mode)),
        sixteen if sixteen.starts_with("I;16") => Err(wide(py, sixteen)),
        _ => upright.call_method1("convert", ("RGB",)),
    }
}

fn wide(py: Python<'_>, mode: &str) -> PyErr {
    let remedy = "give the file itself, whose samples are scaled by their range, or convert it, which Pillow does by clipping";
    refused(py, &format!("expected a PIL picture of 8 bits, found mode {mode:?}; {remedy}"))
}

fn picture(pictures: &Bound<'_, PyArrayDyn<u8>>) -> PyResult<Source> {
    let (py, array) = (pictures.py(), contiguous(pictures)?);
    match *array.shape() {
        [height, width] => of_samples(py, height, width, 1, array.as_slice()?.to_vec()),
        [height, width, channels] => of_samples(py, height, width, channels, array.as_slice()?.to_vec()),
        _ => Err(refused(py, &format!("expected one uint8 picture [H, W] or [H, W, C], found {}", shape(pictures.as_untyped())))),
    }
}

fn of_samples(py: Python<'_>, height: usize, width: usize, channels: usize, samples: Vec<u8>) -> PyResult<Source> {
    if ![1, 3].contains(&channels) {
        let remedy = match (channels, height) {
            (4, _) => "; x[..., :3] leaves out alpha",
            (_, 1 | 3) => "; x.transpose(1, 2, 0) puts channels last",
            _ => "",
        };
        let found = format!("found {channels} channels in [{height}, {width}, {channels}]");
        return Err(refused(py, &format!("expected a uint8 picture [H, W, C] of 1 or 3 channels, {found}{remedy}")));
    }
    let picture = Picture::new(height, width, channels, samples);
    picture.map(Source::from).map_err(|error| exception(py, &error, During::Running))
}

fn tensor(tensors: &Bound<'_, PyArrayDyn<f32>>, taking: Taking) -> PyResult<Source> {
    let array = contiguous(tensors)?;
    match *array.shape() {
        [found, height, width] if found == taking.channels => Ok(Source::values(array.as_slice()?.to_vec(), [height, width])),
        ref shape => Err(wrong_tensor(tensors.py(), shape, taking.channels)),
    }
}

fn wrong_tensor(py: Python<'_>, shape: &[usize], channels: usize) -> PyErr {
    let remedy = match *shape {
        [_, _, last] if last == channels => "; x.transpose(2, 0, 1) puts channels first, pictures of 0 to 255 are uint8",
        [_, _, _, last] if last == channels => "; x.transpose(0, 3, 1, 2) puts channels first, pictures of 0 to 255 are uint8",
        [_, _] => "; x[numpy.newaxis] adds a channel",
        _ => "",
    };
    refused(py, &format!("expected a float32 tensor [{channels}, H, W] or [N, {channels}, H, W], found {shape:?}{remedy}"))
}

fn wrong_dtype(array: &Bound<'_, PyUntypedArray>) -> PyErr {
    let dtype = array.dtype();
    let remedy = match dtype.kind() {
        b'f' => "x.astype(numpy.float32)",
        b'i' | b'u' => "x.astype(numpy.uint8) once it is scaled to 0..255; of a file with 16 bits give the path",
        b'b' => "x.astype(numpy.uint8) * 255",
        _ => "numpy.asarray(x, dtype=numpy.float32)",
    };
    refused(array.py(), &format!("expected uint8 pictures or float32 tensors, found {dtype} {}; {remedy}", shape(array)))
}

/// The array in the order of its indices, without a copy where it is so already.
fn contiguous<'py, T: numpy::Element>(array: &Bound<'py, PyArrayDyn<T>>) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    if array.is_c_contiguous() && array.is_aligned() {
        return Ok(array.try_readonly()?);
    }
    let copied = array.py().import("numpy")?.call_method1("copy", (array, "C"))?;
    Ok(copied.cast_into::<PyArrayDyn<T>>()?.try_readonly()?)
}

fn shape(array: &Bound<'_, PyUntypedArray>) -> String {
    format!("{:?}", array.shape())
}

/// The type of a value, for messages.
fn kind(value: &Bound<'_, PyAny>) -> String {
    value.get_type().fully_qualified_name().map_or_else(|_| "something else".into(), |name| name.to_string())
}
