//! Decoding of picture files: JPEG by [`jpeg`], other formats by modules of their own or the crate `image`.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use ::image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::dicom_start::{first_element, is_dicomdir};
use super::foreign::Foreign;
use super::refusal::{AS_PNG, damaged, unreadable, unsupported};
use super::sample_scaling::{self, SampleRange, SampleScaling, level};
use super::{Decoding, Orientation, Picture, jpeg, png, tiff};
use crate::error::{Error, Result};
use crate::guarded::guarded;

impl Picture {
    /// Reads the picture at `path`; see [`Picture::read`]. Errors name the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Decoding::default().open(path)
    }

    /// Decodes an open file; see [`Picture::read`]. A file that cannot be rewound, such as a pipe, is read to its end first.
    pub fn from_file(file: File) -> Result<Self> {
        Decoding::default().read_file(file)
    }

    /// Decodes a picture in memory; see [`Picture::read`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Decoding::default().decode(bytes)
    }

    /// Decodes a picture, its format guessed from the content, to three channels as Pillow's `convert("RGB")` does:
    /// grey is repeated, palettes are looked up, alpha is dropped (not blended), 16-bit colour keeps its high byte, ink
    /// becomes light. Reads the first picture of a file with several. DICOM files are read with the feature `dicom`, JPEG 2000 with
    /// `jpeg2000`; grey is scaled by the range of its stored bits, or by the file's own window ([`Decoding::voi_lut`]).
    ///
    /// One intentional difference: 16-bit grey is scaled by its range ([`Decoding::sample_range`]), where Pillow clips it to white.
    /// [`Picture::has_scaled_grey`] says whether it was, and [`Picture::sample_scaling`] whether its samples use less than that range.
    /// As in torchvision, the EXIF orientation ([`Picture::orientation`]) is not applied; [`Picture::upright`] applies it.
    ///
    /// Errors if the content is not a picture, is damaged, or exceeds the limits of the default [`Decoding`]; also if a decoder panics,
    /// which is caught after the program's panic hook has run.
    pub fn read(source: impl BufRead + Seek) -> Result<Self> {
        Decoding::default().read(source)
    }

    /// Whether `source` looks like a picture; it may still be damaged. That includes DICOM files without the feature `dicom`, and formats
    /// that are not supported, such as HEIC: reading them returns an error that names the format.
    pub fn recognises(mut source: impl BufRead + Seek) -> bool {
        if let Ok(head) = source.fill_buf()
            && first_element(head).is_some()
        {
            return !is_dicomdir(head);
        }
        if source.fill_buf().is_ok_and(|head| Foreign::of(head).is_some()) {
            return true;
        }
        let Ok(reader) = ImageReader::new(source).with_guessed_format() else { return false };
        match reader.format() {
            // Two letters identify these formats, and many texts begin with them.
            Some(ImageFormat::Bmp | ImageFormat::Pnm) => matches!(guarded(|| reader.into_dimensions()), Ok(Ok(_))),
            Some(format) => format == ImageFormat::Jpeg || format.reading_enabled(),
            None => false,
        }
    }
}

impl Decoding {
    /// [`Picture::open`] within these limits.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Picture> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| Error::File { path: path.into(), source })?;
        self.read_file(file).map_err(|error| error.in_picture(path))
    }

    /// [`Picture::from_file`] within these limits.
    pub fn read_file(&self, file: File) -> Result<Picture> {
        if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return self.read(BufReader::new(file));
        }
        self.decode(&self.whole(file)?)
    }

    /// [`Picture::decode`] within these limits.
    pub fn decode(&self, bytes: &[u8]) -> Result<Picture> {
        self.read(Cursor::new(bytes))
    }

    /// [`Picture::read`] within these limits.
    #[tracing::instrument(level = "debug", name = "decode picture", skip_all)]
    pub fn read(&self, source: impl BufRead + Seek) -> Result<Picture> {
        // Decoders parse untrusted files: a bug in one must cost one picture, not the run.
        guarded(|| decode(self, source))
            .unwrap_or_else(|_| Err(Error::picture(format!("the picture's decoder failed on this file; {AS_PNG}"))))
    }
}

/// Decodes a picture, its format guessed from the content; see [`Picture::read`].
fn decode(decoding: &Decoding, source: impl BufRead + Seek) -> Result<Picture> {
    let mut source = source;
    let head = source.fill_buf().map_err(unreadable)?;
    if head.is_empty() {
        return Err(Error::picture("the file is empty; expected a picture"));
    }
    if first_element(head).is_some() {
        return decode_dicom(decoding, source);
    }
    if let Some(foreign) = Foreign::of(head) {
        return if foreign.is_jpeg2000() { decode_jpeg2000(decoding, source) } else { Err(foreign.error()) };
    }
    // Bit depth and colour type. If one level is transparent, the decoder converts grey to grey with alpha.
    let is_wide_png = head.starts_with(b"\x89PNG") && head.get(24) == Some(&16);
    let is_grey_png = is_wide_png && head.get(25) == Some(&0);
    let significant_bits = if is_wide_png { png::significant_bits(&mut source) } else { None };
    if let Some(directory) = tiff::Directory::of(&mut source) {
        if directory.has_palette() {
            return directory.decode(decoding, decoding.whole(source)?);
        }
        directory.check()?;
    }
    let reader = ImageReader::new(source).with_guessed_format().map_err(unreadable)?;
    match reader.format() {
        None => Err(Error::picture("not a picture; expected PNG, JPEG, GIF, BMP, WebP, TIFF, PNM, JPEG 2000 or DICOM")),
        Some(ImageFormat::Jpeg) => jpeg::decode(decoding, &decoding.whole(reader.into_inner())?),
        Some(format) => decode_as(decoding, format, reader, is_grey_png, significant_bits),
    }
}

#[cfg(feature = "dicom")]
fn decode_dicom(decoding: &Decoding, source: impl BufRead) -> Result<Picture> {
    super::dicom::decode(decoding, &decoding.whole(source)?)
}

#[cfg(not(feature = "dicom"))]
fn decode_dicom(_: &Decoding, _: impl BufRead) -> Result<Picture> {
    Err(Error::MissingFeature { path: None, what: "a DICOM file".into(), feature: "dicom" })
}

#[cfg(feature = "jpeg2000")]
fn decode_jpeg2000(decoding: &Decoding, source: impl BufRead) -> Result<Picture> {
    super::jpeg2000::decode(decoding, &decoding.whole(source)?)
}

#[cfg(not(feature = "jpeg2000"))]
fn decode_jpeg2000(_: &Decoding, _: impl BufRead) -> Result<Picture> {
    Err(Error::MissingFeature { path: None, what: "a JPEG 2000 picture".into(), feature: "jpeg2000" })
}

fn decode_as(
    decoding: &Decoding,
    format: ImageFormat,
    mut reader: ImageReader<impl BufRead + Seek>,
    is_grey_png: bool,
    significant_bits: Option<u32>,
) -> Result<Picture> {
    let error = |error| refusal(decoding, &error);
    let mut limits = Limits::default();
    limits.max_alloc = Some(decoding.max_decoder_bytes);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(error)?;
    let (width, height) = decoder.dimensions();
    decoding.takes_pixels(width.into(), height.into())?;
    limits.reserve(decoder.total_bytes()).map_err(error)?;
    decoder.set_limits(limits).map_err(error)?;
    let orientation = orientation(format, &mut decoder);
    let is_wide_grey = is_grey_png || decoder.color_type() == ColorType::L16;
    let decoded = DynamicImage::from_decoder(decoder).map_err(error)?;
    let (samples, sample_scaling) = rgb(decoded, is_wide_grey, decoding.sample_range, significant_bits)?;
    let picture = Picture { orientation, sample_scaling, ..Picture::new(height as usize, width as usize, 3, samples)? };
    // Pillow turns TIFF files upright as it opens them.
    Ok(if format == ImageFormat::Tiff { picture.upright() } else { picture })
}

/// The orientation in the metadata; upright if it cannot be read.
fn orientation(format: ImageFormat, decoder: &mut impl ImageDecoder) -> Orientation {
    if format == ImageFormat::Tiff {
        let declared = decoder.orientation().ok().and_then(|declared| Orientation::from_exif(declared.to_exif()));
        return declared.unwrap_or(Orientation::UPRIGHT);
    }
    let (exif, xmp) = (decoder.exif_metadata().ok().flatten(), decoder.xmp_metadata().ok().flatten());
    Orientation::declared(exif.as_deref(), xmp.as_deref())
}

/// Samples `[height, width, 3]` in 8 bits, and what they were if they had more. Errors for floats.
fn rgb(
    picture: DynamicImage,
    is_wide_grey: bool,
    asked: SampleRange,
    significant: Option<u32>,
) -> Result<(Vec<u8>, Option<SampleScaling>)> {
    let repeat = |grey: u8| [grey; 3];
    let samples: Vec<u8> = match picture {
        DynamicImage::ImageRgb8(p) => p.into_raw(),
        DynamicImage::ImageLuma8(p) => p.into_raw().into_iter().flat_map(repeat).collect(),
        DynamicImage::ImageLumaA8(p) => p.as_raw().chunks_exact(2).flat_map(|la| repeat(la[0])).collect(),
        DynamicImage::ImageRgba8(p) => p.as_raw().chunks_exact(4).flat_map(|rgba| [rgba[0], rgba[1], rgba[2]]).collect(),
        DynamicImage::ImageLuma16(p) => return Ok(narrowed::<1>(p.as_raw(), is_wide_grey, asked, significant)),
        DynamicImage::ImageLumaA16(p) => return Ok(narrowed::<2>(p.as_raw(), is_wide_grey, asked, significant)),
        DynamicImage::ImageRgb16(p) => return Ok(narrowed::<3>(p.as_raw(), is_wide_grey, asked, significant)),
        DynamicImage::ImageRgba16(p) => return Ok(narrowed::<4>(p.as_raw(), is_wide_grey, asked, significant)),
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => return Err(unsupported("samples that are floats")),
        other => return Err(unsupported(format!("{:?}", other.color()))),
    };
    Ok((samples, None))
}

/// Converts 16-bit samples, `C` per pixel, of which the last of two or four is alpha. Grey is scaled. Colour keeps its high byte, as in
/// Pillow, unless a range or the file's significant bits say otherwise.
fn narrowed<const C: usize>(
    wide: &[u16],
    is_wide_grey: bool,
    asked: SampleRange,
    significant: Option<u32>,
) -> (Vec<u8>, Option<SampleScaling>) {
    let colours = if C > 2 { 3 } else { 1 };
    let samples = || wide.as_chunks::<C>().0.iter().flat_map(|pixel| &pixel[..colours]).copied();
    let used = sample_scaling::used(samples());
    let declared = significant.filter(|&bits| sample_scaling::are_low(samples(), used[1], bits)).map(|bits| [0, (1 << bits) - 1]);
    let range = match asked {
        SampleRange::Whole => declared,
        SampleRange::Between { least, most } => Some([least, most]),
        SampleRange::Own => Some(used.map(i32::from)),
    };
    let keeps_high_byte = range.is_none() && !is_wide_grey;
    let range = range.unwrap_or([0, u16::MAX.into()]);
    let narrow = |sample: u16| if keeps_high_byte { (sample >> 8) as u8 } else { level(sample.into(), range) };
    let repeats = if colours == 1 { 3 } else { 1 };
    let samples = samples().flat_map(|sample| std::iter::repeat_n(narrow(sample), repeats)).collect();
    let [used, range] = [used.map(f64::from), range.map(f64::from)];
    (samples, Some(SampleScaling { is_grey: colours == 1 && !keeps_high_byte, used, range }))
}

/// The library's error for the decoder's.
fn refusal(decoding: &Decoding, error: &ImageError) -> Error {
    match error {
        ImageError::Limits(_) => decoding.too_many_bytes(error),
        ImageError::Unsupported(_) => unsupported(error),
        error => damaged(error),
    }
}
