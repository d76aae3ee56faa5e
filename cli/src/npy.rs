//! `.npy` files: NumPy's arrays on disk.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use densenet_wgpu::internal::WholeFile;
use npyz::{DType, NpyFile, NpyWriter, Order, TypeChar, WriterBuilder};

/// Images in a file, `[N, C, H, W]`, read one after the other.
pub(crate) struct Images {
    /// The array's shape.
    pub(crate) shape: [usize; 4],
    values: npyz::NpyReader<f32, BufReader<File>>,
    element: u64,
}

impl Images {
    /// Opens an array of float32 `[N, C, H, W]`. Errors say what was expected, what was found and how to convert it.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
        let byte_length = file.metadata().map_err(|error| error.to_string())?;
        let byte_length = byte_length.is_file().then_some(byte_length.len()).ok_or("expected a .npy file, found no regular file")?;
        let npy = NpyFile::new(BufReader::new(file)).map_err(|error| format!("expected a .npy file, found something else ({error})"))?;
        let shape = check_header(&npy)?;
        let element_count = shape.iter().try_fold(1u64, |product, &n| product.checked_mul(n));
        let byte_count = element_count.and_then(|count| count.checked_mul(4));
        if byte_count.is_none_or(|bytes| bytes > byte_length) {
            let expected = byte_count.map_or("more bytes than there can be".to_owned(), |bytes| format!("{bytes} bytes of data"));
            return Err(format!("expected {expected} for shape {shape:?}, found a file of {byte_length} bytes: it was cut off"));
        }
        let values = npy.data::<f32>().map_err(|error| error.to_string())?;
        Ok(Self { shape: shape.map(|n| n as usize), values, element: 0 })
    }

    /// The next `images` images. Errors if the file ends early or a value is not finite.
    pub(crate) fn next(&mut self, images: usize) -> Result<Vec<f32>, String> {
        let [_, channels, height, width] = self.shape;
        let count = images * channels * height * width;
        let mut values = Vec::with_capacity(count);
        for value in self.values.by_ref().take(count) {
            let value = value.map_err(|error| format!("expected {count} more values, found the end of the file ({error})"))?;
            if !value.is_finite() {
                return Err(format!("expected finite values, found {value} at {:?}", self.position()));
            }
            self.element += 1;
            values.push(value);
        }
        Ok(values)
    }

    fn position(&self) -> [u64; 4] {
        let [_, channels, height, width] = self.shape.map(|n| n as u64);
        let (row, column) = (self.element / width, self.element % width);
        [row / height / channels, row / height % channels, row % height, column]
    }
}

fn check_header(npy: &NpyFile<BufReader<File>>) -> Result<[u64; 4], String> {
    let dtype = npy.dtype();
    let is_f32 = matches!(&dtype, DType::Plain(plain) if plain.type_char() == TypeChar::Float && plain.size_field() == 4);
    if !is_f32 {
        let found = dtype.descr();
        let found = match found.trim_matches('\'') {
            "<f8" | ">f8" => "float64",
            "<f2" | ">f2" => "float16",
            "|u1" => "uint8",
            _ => &found,
        };
        return Err(format!("expected float32 values, found {found}; convert: numpy.save(path, array.astype('float32'))"));
    }
    let &[n, c, h, w] = npy.shape() else {
        let shape = npy.shape();
        let remedy = if shape.len() == 3 { "; for one image: numpy.save(path, array[None])" } else { "" };
        return Err(format!("expected 4 dimensions [N, C, H, W], found {} {shape:?}{remedy}", shape.len()));
    };
    if npy.order() == Order::Fortran && npy.len() > 0 {
        return Err("expected C order, found Fortran order; convert: numpy.save(path, numpy.ascontiguousarray(array))".into());
    }
    Ok([n, c, h, w])
}

/// Writes an array of float32; the file appears only when complete.
pub(crate) struct Array {
    file: WholeFile,
    writer: NpyWriter<f32, BufWriter<File>>,
}

impl Array {
    /// Creates a temporary file beside `path`.
    pub(crate) fn create(path: &Path, shape: &[u64]) -> io::Result<Self> {
        let file = replacement(path)?;
        let writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(BufWriter::new(file.handle()?)).begin_nd()?;
        Ok(Self { file, writer })
    }

    /// Appends values in C order.
    pub(crate) fn extend(&mut self, values: Vec<f32>) -> io::Result<()> {
        self.writer.extend(values)
    }

    /// Moves the file into place. Errors if that fails, or values are missing.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.writer.finish()?;
        self.file.finish()
    }
}

/// Writes arrays of float32 of one length as a single array; the file appears only when complete, and only then is their number known.
pub(crate) struct Stack {
    file: WholeFile,
    writer: BufWriter<File>,
    arrays: usize,
    element_array: Option<usize>,
}

/// Bytes of a [`Stack`]'s header, padded so that it can be written last: a multiple of 64, as in NumPy.
const BYTE_HEADER: usize = 128;

impl Stack {
    /// Creates a temporary file beside `path`. Errors if `path` is a device or pipe, because the header is written last.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = replacement(path)?;
        let handle = file.handle()?;
        if !handle.metadata()?.is_file() {
            return Err(io::Error::other("expected a file to write, found a device or pipe"));
        }
        let mut writer = BufWriter::new(handle);
        writer.write_all(&[0; BYTE_HEADER])?;
        Ok(Self { file, writer, arrays: 0, element_array: None })
    }

    /// Appends an array, in C order.
    ///
    /// # Panics
    /// If its length differs from the first.
    pub(crate) fn push(&mut self, array: &[f32]) -> io::Result<()> {
        assert_eq!(array.len(), *self.element_array.get_or_insert(array.len()), "numbers in an array");
        self.arrays += 1;
        array.iter().try_for_each(|value| self.writer.write_all(&value.to_le_bytes()))
    }

    /// How many arrays there are.
    pub(crate) fn arrays(&self) -> usize {
        self.arrays
    }

    /// Moves the file into place; `shape` is that of each array.
    ///
    /// # Panics
    /// If the arrays have another length.
    pub(crate) fn finish(mut self, shape: &[usize]) -> io::Result<()> {
        assert!(self.element_array.is_none_or(|elements| elements == shape.iter().product::<usize>()), "numbers in an array");
        self.writer.seek(SeekFrom::Start(0))?;
        self.writer.write_all(&header(self.arrays, shape))?;
        self.writer.flush()?;
        drop(self.writer);
        self.file.finish()
    }
}

/// Creates a file to replace what is at `path`: nothing, or another array. Refuses to replace pictures or checkpoints.
fn replacement(path: &Path) -> io::Result<WholeFile> {
    let mut begin = Vec::new();
    if path.is_file() {
        File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut begin)?;
    }
    if !begin.is_empty() && begin != MAGIC {
        return Err(io::Error::other("expected a new name or a .npy file to replace, found a file of another kind"));
    }
    WholeFile::create(path)
}

/// How a .npy file begins.
const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// The header for `count` arrays of float32 in C order, in version 1.0 of NumPy's format (NEP 1).
fn header(count: usize, shape: &[usize]) -> [u8; BYTE_HEADER] {
    const BYTE_PREFIX: usize = 10;
    let shape: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {shape}), }}");
    let mut header = [b' '; BYTE_HEADER];
    header[..8].copy_from_slice(b"\x93NUMPY\x01\x00");
    header[8..BYTE_PREFIX].copy_from_slice(&((BYTE_HEADER - BYTE_PREFIX) as u16).to_le_bytes());
    // `count` has at most twenty digits, and `shape` at most three dimensions of arrays that fit in memory: there is always room.
    header[BYTE_PREFIX..][..text.len()].copy_from_slice(text.as_bytes());
    header[BYTE_HEADER - 1] = b'\n';
    header
}
