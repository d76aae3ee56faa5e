//! Picture files, by format: JPEG in [`jpeg`], all others by the crate `image`.

use std::fmt::Display;
use std::io::{BufRead, Seek};
use std::ops::Range;

use ::image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{Decoding, Orientation, Picture, foreign, jpeg};
use crate::error::{Error, Result};

/// Decodes a picture, its format guessed from the content; see [`Picture::read`].
pub(super) fn decode(decoding: &Decoding, source: impl BufRead + Seek) -> Result<Picture> {
    let mut source = source;
    let head = source.fill_buf().map_err(unreadable)?;
    if head.is_empty() {
        return Err(Error::picture("the file is empty; expected a picture"));
    }
    if is_dicom(head) {
        return decode_dicom(decoding, source);
    }
    if let Some(kind) = foreign::kind(head) {
        return foreign::refuse(kind);
    }
    // Depth and colour type. Where one level is transparent, the decoder makes of grey what grey with alpha is.
    let is_grey_png = head.starts_with(b"\x89PNG") && head.get(24..26) == Some(&[16, 0]);
    let reader = ImageReader::new(source).with_guessed_format().map_err(unreadable)?;
    match reader.format() {
        None => Err(Error::picture("not a picture; expected PNG, JPEG, GIF, BMP, WebP, TIFF, PNM or DICOM")),
        Some(ImageFormat::Jpeg) => jpeg::decode(decoding, &decoding.whole(reader.into_inner())?),
        Some(format) => decode_as(decoding, format, reader, is_grey_png),
    }
}

/// Where a DICOM file says that it is one (PS3.10, 7.1).
pub(super) const DICOM_MAGIC: Range<usize> = 128..132;

/// Whether that is how a DICOM file begins.
pub(super) fn is_dicom(head: &[u8]) -> bool {
    head.get(DICOM_MAGIC) == Some(b"DICM")
}

/// Whether the DICOM file that begins so is the directory of those beside it, as CDs have it (Media Storage Directory Storage).
pub(super) fn is_dicomdir(head: &[u8]) -> bool {
    const UID: &[u8] = b"1.2.840.10008.1.3.10";
    head.windows(UID.len()).any(|window| window == UID)
}

#[cfg(feature = "dicom")]
fn decode_dicom(decoding: &Decoding, source: impl BufRead) -> Result<Picture> {
    super::dicom::decode(decoding, &decoding.whole(source)?)
}

#[cfg(not(feature = "dicom"))]
fn decode_dicom(_: &Decoding, _: impl BufRead) -> Result<Picture> {
    Err(Error::MissingFeature { path: None, what: "a DICOM file".into(), feature: "dicom" })
}

fn decode_as(decoding: &Decoding, format: ImageFormat, mut reader: ImageReader<impl BufRead + Seek>, is_grey_png: bool) -> Result<Picture> {
    let error = |error| told(decoding, &error);
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
    let picture = Picture::new(height as usize, width as usize, 3, rgb(decoded, is_wide_grey))?;
    let picture = Picture { orientation, has_scaled_grey: is_wide_grey, ..picture };
    // Pillow turns TIFF files upright as it opens them.
    Ok(if format == ImageFormat::Tiff { picture.upright() } else { picture })
}

/// What metadata says; those that cannot be read say nothing.
fn orientation(format: ImageFormat, decoder: &mut impl ImageDecoder) -> Orientation {
    if format == ImageFormat::Tiff {
        let told = decoder.orientation().ok().and_then(|told| Orientation::from_exif(told.to_exif()));
        return told.unwrap_or(Orientation::UPRIGHT);
    }
    let (exif, xmp) = (decoder.exif_metadata().ok().flatten(), decoder.xmp_metadata().ok().flatten());
    Orientation::told(exif.as_deref(), xmp.as_deref())
}

/// Samples `[height, width, 3]` in 8 bits. Wide grey is scaled by its range; other wide samples keep their high byte.
fn rgb(picture: DynamicImage, is_wide_grey: bool) -> Vec<u8> {
    let repeat = |grey: u8| [grey; 3];
    let high = |wide: u16| (wide >> 8) as u8;
    let scaled = |wide: u16| ((u32::from(wide) + 128) / 257) as u8;
    match picture {
        DynamicImage::ImageRgb8(p) => p.into_raw(),
        DynamicImage::ImageLuma8(p) => p.into_raw().into_iter().flat_map(repeat).collect(),
        DynamicImage::ImageLumaA8(p) => p.as_raw().chunks_exact(2).flat_map(|la| repeat(la[0])).collect(),
        DynamicImage::ImageRgba8(p) => p.as_raw().chunks_exact(4).flat_map(|rgba| [rgba[0], rgba[1], rgba[2]]).collect(),
        DynamicImage::ImageLuma16(p) => p.as_raw().iter().flat_map(|&wide| repeat(scaled(wide))).collect(),
        DynamicImage::ImageLumaA16(p) if is_wide_grey => p.as_raw().chunks_exact(2).flat_map(|la| repeat(scaled(la[0]))).collect(),
        DynamicImage::ImageLumaA16(p) => p.as_raw().chunks_exact(2).flat_map(|la| repeat(high(la[0]))).collect(),
        DynamicImage::ImageRgb16(p) => p.as_raw().iter().map(|&wide| high(wide)).collect(),
        DynamicImage::ImageRgba16(p) => p.as_raw().chunks_exact(4).flat_map(|rgba| [high(rgba[0]), high(rgba[1]), high(rgba[2])]).collect(),
        other => other.into_rgb8().into_raw(),
    }
}

fn told(decoding: &Decoding, error: &ImageError) -> Error {
    match error {
        ImageError::Limits(_) => decoding.too_many_bytes(error),
        ImageError::Unsupported(_) => unsupported(error),
        error => damaged(error),
    }
}

pub(super) fn unreadable(error: std::io::Error) -> Error {
    Error::picture(format!("cannot be read: {error}"))
}

pub(super) fn unsupported(what: &dyn Display) -> Error {
    Error::picture(format!("this kind of picture is not supported ({what}); convert it to PNG or JPEG"))
}

pub(super) fn damaged(how: &dyn Display) -> Error {
    Error::picture(format!("the picture is damaged or cut off ({how})"))
}
