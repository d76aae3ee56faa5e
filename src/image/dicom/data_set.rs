//! The elements of a file, read without recursion, and its pixel data.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_parser::StatefulDecode;
use dicom_parser::dataset::LazyDataToken;
use dicom_parser::dataset::lazy_read::LazyDataSetReader;
use dicom_transfer_syntax_registry::entries::{EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN};
use dicom_transfer_syntax_registry::{TransferSyntax, TransferSyntaxIndex, TransferSyntaxRegistry};

use super::refusal::refused;
use super::transfer_syntax::refused_as_coded;
use crate::error::{Error, Result};
use crate::image::Decoding;
use crate::image::dicom_start::{Encoding, first_element};
use crate::image::refusal::damaged;

/// A file after its meta information (PS3.10, 7.1): the encoding of its data set, and the bytes.
pub(super) struct File<'a> {
    pub(super) syntax: &'static TransferSyntax,
    pub(super) data_set: &'a [u8],
}

impl<'a> File<'a> {
    /// Reads the meta information, if there is any. If a file names no transfer syntax, its first element shows its encoding. Errors if it
    /// is damaged or names an unknown transfer syntax.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self> {
        let (mut element_end, mut uid) = (first_element(bytes).unwrap_or_default(), None);
        let mut source = Cursor::new(bytes);
        source.set_position(element_end as u64);
        let mut reader = LazyDataSetReader::new_with_ts(source, &EXPLICIT_VR_LITTLE_ENDIAN.erased()).map_err(damaged)?;
        // It ends with its group, whose length may be missing. What follows may be encoded differently.
        while let Some(Ok(token)) = reader.advance() {
            match token {
                LazyDataToken::ElementHeader(header) if header.tag.group() == 2 => {}
                LazyDataToken::LazyValue { header, decoder } => {
                    let value = slice(bytes, decoder.position(), header.len.0)?;
                    if header.tag == tags::TRANSFER_SYNTAX_UID {
                        uid = Some(text(value));
                    }
                    decoder.skip_bytes(header.len.0).map_err(damaged)?;
                    element_end = decoder.position() as usize;
                }
                _ => break,
            }
        }
        let data_set = &bytes[element_end..];
        let uid = match (uid, Encoding::of(data_set)) {
            (Some(uid), _) => uid,
            (None, Some(Encoding::Implicit)) => uids::IMPLICIT_VR_LITTLE_ENDIAN.into(),
            (None, Some(Encoding::Explicit)) => uids::EXPLICIT_VR_LITTLE_ENDIAN.into(),
            (None, Some(Encoding::BigEndian)) => EXPLICIT_VR_BIG_ENDIAN.uid().into(),
            (None, None) => return Err(damaged("it names no transfer syntax")),
        };
        let unknown = || refused_as_coded(refused("a transfer syntax that is known", &uid), &uid);
        let syntax = TransferSyntaxRegistry.get(&uid).ok_or_else(unknown)?;
        Ok(Self { syntax, data_set })
    }

    /// Whether the data set must be [`inflated`](File::inflated) first.
    pub(super) fn is_deflated(&self) -> bool {
        self.syntax.uid() == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
    }

    /// The inflated data set. Errors if it exceeds the memory limit of decoders.
    pub(super) fn inflated(&self, decoding: &Decoding) -> Result<Vec<u8>> {
        let most = decoding.max_decoder_bytes;
        let mut bytes = Vec::new();
        let inflater = flate2::read::DeflateDecoder::new(self.data_set);
        inflater.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(damaged)?;
        if bytes.len() as u64 > most { Err(decoding.too_many_bytes("its data set is deflated")) } else { Ok(bytes) }
    }
}

/// One element.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    /// The type of its value.
    pub(super) vr: VR,
    /// Its value as stored.
    pub(super) bytes: &'a [u8],
    /// Whether its numbers are big endian.
    pub(super) is_big_endian: bool,
}

impl Element<'_> {
    /// Its 16-bit numbers.
    pub(super) fn words(&self) -> impl ExactSizeIterator<Item = u16> {
        let word = if self.is_big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        self.bytes.as_chunks().0.iter().map(move |&bytes| word(bytes))
    }

    /// Its text without padding.
    pub(super) fn text(&self) -> String {
        text(self.bytes)
    }

    /// The first number in its text; `None` if that is not a number.
    pub(super) fn decimal(&self) -> Option<f64> {
        self.text().split('\\').next()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }
}

/// Pixel data (PS3.5, 8 and A.4).
pub(super) enum PixelData<'a> {
    /// All frames, native.
    Native(Element<'a>),
    /// The first frame, encoded, of one fragment or several.
    Encoded(Vec<u8>),
}

/// What a picture is made from: the elements of group 0028, those in the first items of its lookup tables, and pixel data.
pub(super) struct DataSet<'a> {
    pub(super) syntax: &'static TransferSyntax,
    pub(super) pixel_data: PixelData<'a>,
    /// By sequence (or [`TOP`]) and tag.
    elements: HashMap<(Tag, Tag), Element<'a>>,
}

/// The place of an element outside any sequence.
pub(super) const TOP: Tag = Tag(0, 0);

/// Maximum depth of nested sequences. The standard needs about ten.
const MAX_DEPTH: usize = 1000;

impl<'a> DataSet<'a> {
    /// Reads a data set to its pixel data. Errors if it is damaged or has none.
    pub(super) fn read(syntax: &'static TransferSyntax, bytes: &'a [u8]) -> Result<Self> {
        let is_big_endian = syntax.uid() == EXPLICIT_VR_BIG_ENDIAN.uid();
        let mut reader = LazyDataSetReader::new_with_ts(Cursor::new(bytes), syntax).map_err(damaged)?;
        let mut elements = HashMap::new();
        // The sequences around an element: the depth, the outermost one, and the index of its item.
        let (mut depth, mut sequence, mut item) = (0_usize, TOP, 0_usize);
        while let Some(token) = reader.advance() {
            match token.map_err(damaged)? {
                LazyDataToken::SequenceStart { .. } if depth == MAX_DEPTH => {
                    return Err(damaged(format!("more than {MAX_DEPTH} sequences are in one another")));
                }
                LazyDataToken::SequenceStart { tag, .. } => {
                    if depth == 0 {
                        (sequence, item) = (tag, 0);
                    }
                    depth += 1;
                }
                LazyDataToken::PixelSequenceStart if depth == 0 => {
                    let pixel_data = PixelData::Encoded(first_frame(&mut reader, bytes, syntax.uid() == uids::RLE_LOSSLESS));
                    return Ok(Self { syntax, pixel_data, elements });
                }
                LazyDataToken::PixelSequenceStart => depth += 1,
                LazyDataToken::SequenceEnd => depth = depth.saturating_sub(1),
                LazyDataToken::ItemStart { .. } if depth == 1 => item += 1,
                LazyDataToken::LazyValue { header, decoder } if depth == 0 && header.tag == tags::PIXEL_DATA => {
                    let rest = bytes.get(decoder.position() as usize..).unwrap_or_default();
                    let bytes = &rest[..rest.len().min(header.len.0 as usize)];
                    let pixel_data = PixelData::Native(Element { vr: header.vr, bytes, is_big_endian });
                    return Ok(Self { syntax, pixel_data, elements });
                }
                LazyDataToken::LazyValue { header, decoder } => {
                    let parent = if depth == 0 { TOP } else { sequence };
                    let is_lookup = [tags::MODALITY_LUT_SEQUENCE, tags::VOILUT_SEQUENCE].contains(&sequence);
                    let is_kept = depth == 0 || (depth == 1 && item == 1 && is_lookup);
                    if [tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA].contains(&header.tag) && depth == 0 {
                        return Err(refused("integers as pixel data", "floats"));
                    }
                    if is_kept && header.tag.group() == 0x28 {
                        let element = Element { vr: header.vr, bytes: slice(bytes, decoder.position(), header.len.0)?, is_big_endian };
                        elements.insert((parent, header.tag), element);
                    }
                    decoder.skip_bytes(header.len.0).map_err(damaged)?;
                }
                token => token.skip().map_err(damaged)?,
            }
        }
        Err(Error::picture("DICOM: expected pixel data, found none: the file is a report, a plan or the like, or is cut off"))
    }

    /// The element of that tag, in the first item of a sequence or in none ([`TOP`]); `None` if it is missing or empty.
    pub(super) fn get(&self, sequence: Tag, tag: Tag) -> Option<Element<'a>> {
        self.elements.get(&(sequence, tag)).copied().filter(|element| !element.bytes.is_empty())
    }
}

/// The first frame of encoded pixel data, after the table of offsets, which may be empty: an RLE frame is one fragment; a JPEG, JPEG-LS or
/// JPEG 2000 frame begins with the fragment that starts one. A truncated frame ends with the file.
fn first_frame<S: StatefulDecode>(reader: &mut LazyDataSetReader<S>, bytes: &[u8], is_one_fragment: bool) -> Vec<u8> {
    const STARTS: [&[u8]; 3] = [&[0xff, 0xd8], &[0xff, 0x4f, 0xff, 0x51], b"\0\0\0\x0cjP  "];
    let (mut frame, mut items) = (Vec::new(), 0);
    while let Some(Ok(token)) = reader.advance() {
        match token {
            LazyDataToken::ItemStart { .. } => items += 1,
            LazyDataToken::LazyItemValue { len, decoder } => {
                let rest = bytes.get(decoder.position() as usize..).unwrap_or_default();
                let fragment = &rest[..rest.len().min(len as usize)];
                if items > 2 && (is_one_fragment || STARTS.iter().any(|start| fragment.starts_with(start))) {
                    break;
                }
                if items > 1 {
                    frame.extend_from_slice(fragment);
                }
                if decoder.skip_bytes(len).is_err() {
                    break;
                }
            }
            LazyDataToken::SequenceEnd => break,
            _ => {}
        }
    }
    frame
}

fn slice(bytes: &[u8], position: u64, byte_len: u32) -> Result<&[u8]> {
    let rest = bytes.get(position as usize..).unwrap_or_default();
    rest.get(..byte_len as usize).ok_or_else(|| damaged("an element is longer than the file"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches(['\0', ' ']).to_owned()
}
