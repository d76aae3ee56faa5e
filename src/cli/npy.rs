//! `.npy` files: NumPy's arrays on disk.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use densenet_wgpu::whole_file::WholeFile;
use npyz::{DType, NpyFile, NpyWriter, Order, TypeChar, WriterBuilder};

/// Images in a file, `[N, C, H, W]`, read in turn.
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

    /// The next `images` images. Errors where the file ends early or a value is not finite.
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

/// An array of float32 that appears at its path when it is complete.
pub(crate) struct Array {
    file: WholeFile,
    writer: NpyWriter<f32, BufWriter<File>>,
}

impl Array {
    /// Begins a file of `shape`, beside where it will be.
    pub(crate) fn create(path: &Path, shape: &[u64]) -> io::Result<Self> {
        let file = WholeFile::create(path)?;
        let writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(BufWriter::new(file.handle()?)).begin_nd()?;
        Ok(Self { file, writer })
    }

    /// Appends values in C order.
    pub(crate) fn extend(&mut self, values: Vec<f32>) -> io::Result<()> {
        self.writer.extend(values)
    }

    /// Puts the file in its place. Errors where it cannot, or values are missing.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.writer.finish()?;
        self.file.finish()
    }
}
