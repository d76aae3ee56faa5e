//! TIFF files with a palette, which the crate `image` does not read, and checks for kinds that neither reads.
//!
//! Samples are indices into a table of colours (TIFF 6.0, section 5). They are read as grey, for which the file is changed in memory, and
//! looked up.

use std::io::{BufRead, Cursor, Seek, SeekFrom};

use ::image::metadata::Orientation as ExifOrientation;
use tiff::TiffError;
use tiff::decoder::{Decoder, DecodingResult, Limits};

use super::refusal::{damaged, unsupported};
use super::{Decoding, Orientation, Picture};
use crate::error::{Error, Result};

const BITS_PER_SAMPLE: u16 = 258;
const PHOTOMETRIC: u16 = 262;
const ORIENTATION: u16 = 274;
const SAMPLES_PER_PIXEL: u16 = 277;
const COLOUR_MAP: u16 = 320;
const SAMPLE_FORMAT: u16 = 339;

/// `PHOTOMETRIC` of grey with 0 for black, and of a palette.
const GREY: u16 = 1;
const PALETTE: u16 = 3;

/// `SAMPLE_FORMAT` of unsigned integers, signed integers and floats.
const UNSIGNED: u16 = 1;
const SIGNED: u16 = 2;
const FLOATS: u16 = 3;

/// The first directory of a file: the entries that are needed here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Directory {
    is_big_endian: bool,
    /// How to interpret samples.
    photometric: Option<u16>,
    /// Their number format.
    format: u16,
    /// Byte position of the number that says how to interpret samples.
    photometric_at: u64,
    bits: u16,
    samples_per_pixel: u16,
    orientation: Orientation,
    /// Byte position of the colours.
    colours_at: u64,
}

impl Directory {
    /// The directory of a TIFF file; `None` for any other file, and for a damaged one. Does not move `source`.
    pub(super) fn of(source: &mut (impl BufRead + Seek)) -> Option<Self> {
        let begin = source.stream_position().ok()?;
        let directory = Self::read(source, begin);
        source.seek(SeekFrom::Start(begin)).ok()?;
        directory
    }

    /// Whether samples are indices into a palette.
    pub(super) fn has_palette(&self) -> bool {
        self.photometric == Some(PALETTE)
    }

    /// Errors unless samples are unsigned integers of at most 16 bits. Errors for grey with alpha.
    pub(super) fn check(&self) -> Result<()> {
        let bits = self.bits;
        match self.format {
            SIGNED => Err(unsupported(format!("TIFF with numbers of {bits} bits that have a sign"))),
            FLOATS => Err(unsupported(format!("TIFF with floats of {bits} bits"))),
            UNSIGNED if bits > 16 => Err(unsupported(format!("TIFF with {bits} bits a sample"))),
            UNSIGNED if self.samples_per_pixel == 2 => Err(unsupported("TIFF with two samples a pixel, as of grey with alpha")),
            _ => Ok(()),
        }
    }

    fn read(source: &mut (impl BufRead + Seek), begin: u64) -> Option<Self> {
        let mut header = [0; 8];
        source.read_exact(&mut header).ok()?;
        let is_big_endian = match &header[..4] {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        let word = |bytes: [u8; 2]| if is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        let long = |bytes: [u8; 4]| if is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let [.., a, b, c, d] = header;
        let first = u64::from(long([a, b, c, d]));
        source.seek(SeekFrom::Start(begin + first)).ok()?;
        let mut count = [0; 2];
        source.read_exact(&mut count).ok()?;
        let mut found = Self {
            is_big_endian,
            photometric: None,
            format: UNSIGNED,
            photometric_at: 0,
            bits: 1,
            samples_per_pixel: 1,
            orientation: Orientation::UPRIGHT,
            colours_at: 0,
        };
        for index in 0..u64::from(word(count)) {
            let mut entry = [0; 12];
            source.read_exact(&mut entry).ok()?;
            let [tag0, tag1, _, _, count0, count1, count2, count3, a, b, c, d] = entry;
            let value = word([a, b]);
            // More than two numbers are stored elsewhere.
            let is_here = long([count0, count1, count2, count3]) <= 2;
            match word([tag0, tag1]) {
                BITS_PER_SAMPLE | SAMPLE_FORMAT if !is_here => {}
                BITS_PER_SAMPLE => found.bits = value,
                SAMPLE_FORMAT => found.format = value,
                PHOTOMETRIC => (found.photometric, found.photometric_at) = (Some(value), first + 2 + 12 * index + 8),
                ORIENTATION => found.orientation = orientation(value),
                SAMPLES_PER_PIXEL => found.samples_per_pixel = value,
                COLOUR_MAP => found.colours_at = long([a, b, c, d]).into(),
                _ => {}
            }
        }
        Some(found)
    }

    /// Decodes the bytes of its file to three channels. Errors as [`Picture::read`] does.
    pub(super) fn decode(self, decoding: &Decoding, mut bytes: Vec<u8>) -> Result<Picture> {
        if self.samples_per_pixel != 1 || ![1, 2, 4, 8].contains(&self.bits) {
            let found = format!("a palette for {} samples of {} bits", self.samples_per_pixel, self.bits);
            return Err(unsupported(found));
        }
        let colours = self.colours(&bytes)?;
        let grey = if self.is_big_endian { GREY.to_be_bytes() } else { GREY.to_le_bytes() };
        let at = self.photometric_at as usize;
        bytes.get_mut(at..at + 2).ok_or_else(|| damaged("its directory is cut off"))?.copy_from_slice(&grey);
        let error = |error| refusal(decoding, &error);
        let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(error)?;
        let (width, height) = decoder.dimensions().map_err(error)?;
        decoding.takes_pixels(width.into(), height.into())?;
        // Indices, and the three samples for each.
        let byte_size = 4 * u64::from(width) * u64::from(height);
        if byte_size > decoding.max_decoder_bytes {
            return Err(decoding.too_many_bytes(byte_size));
        }
        let mut limits = Limits::default();
        limits.decoding_buffer_size = usize::try_from(decoding.max_decoder_bytes).unwrap_or(usize::MAX);
        let DecodingResult::U8(packed) = decoder.with_limits(limits).read_image().map_err(error)? else {
            return Err(unsupported("a palette for samples that are not integers"));
        };
        let (width, height) = (width as usize, height as usize);
        let bits = usize::from(self.bits);
        let row_bytes = (width * bits).div_ceil(8);
        if packed.len() < row_bytes * height {
            return Err(damaged("it has too few samples"));
        }
        let place = |row: &[u8], column: usize| {
            let bit = column * bits;
            usize::from(row[bit / 8] >> (8 - bits - bit % 8)) & ((1 << bits) - 1)
        };
        let rows = packed.chunks_exact(row_bytes).take(height);
        let samples = rows.flat_map(|row| (0..width).flat_map(|column| colours[place(row, column)]).collect::<Vec<u8>>()).collect();
        // Pillow turns TIFF files upright as it opens them.
        Ok(Picture { orientation: self.orientation, ..Picture::new(height, width, 3, samples)? }.upright())
    }

    /// The colour of each index. Colours have 16 bits, of which the high byte counts; some writers use the low byte.
    fn colours(&self, bytes: &[u8]) -> Result<Vec<[u8; 3]>> {
        let count = 1 << self.bits;
        let table = bytes.get(self.colours_at as usize..).and_then(|table| table.get(..count * 6));
        let table = table.filter(|_| self.colours_at > 0).ok_or_else(|| damaged("its palette is cut off"))?;
        let word = if self.is_big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        let words: Vec<u16> = table.as_chunks().0.iter().map(|&bytes| word(bytes)).collect();
        let shift = if words.iter().all(|&word| word < 256) { 0 } else { 8 };
        Ok((0..count).map(|place| [0, 1, 2].map(|channel| (words[channel * count + place] >> shift) as u8)).collect())
    }
}

fn orientation(number: u16) -> Orientation {
    let declared = u8::try_from(number).ok().and_then(ExifOrientation::from_exif);
    declared.and_then(|declared| Orientation::from_exif(declared.to_exif())).unwrap_or(Orientation::UPRIGHT)
}

fn refusal(decoding: &Decoding, error: &TiffError) -> Error {
    match error {
        TiffError::LimitsExceeded => decoding.too_many_bytes(error),
        TiffError::UnsupportedError(_) => unsupported(error),
        error => damaged(error),
    }
}
