//! Transfer syntaxes: which are supported, and commands that convert the others.

use dicom_dictionary_std::uids;
use dicom_transfer_syntax_registry::TransferSyntax;
use dicom_transfer_syntax_registry::entries::EXPLICIT_VR_BIG_ENDIAN;

use super::refusal::refused;
use crate::error::{Error, Result};
use crate::image::refusal::AS_PNG;

/// Errors if pixel data of this transfer syntax are not supported.
pub(super) fn check(syntax: &TransferSyntax) -> Result<()> {
    let uid = syntax.uid();
    if is_native(uid) || is_jpeg(uid) || is_jpeg_ls(uid) || uid == uids::RLE_LOSSLESS {
        return Ok(());
    }
    if is_jpeg2000(uid) {
        return if cfg!(feature = "jpeg2000") { Ok(()) } else { Err(without_jpeg2000()) };
    }
    let found = format!("{} ({uid})", syntax.name());
    Err(refused_as_coded(refused("pixel data that are native, RLE, JPEG, JPEG-LS or JPEG 2000", found), uid))
}

/// `error` with the advice to make the pixel data native, instead of converting to PNG, which would lose the rest of the file.
pub(super) fn refused_as_coded(error: Error, uid: &str) -> Error {
    match error {
        Error::Picture { path, reason } => Error::Picture { path, reason: reason.replace(AS_PNG, &remedy(uid)) },
        other => other,
    }
}

pub(super) fn is_native(uid: &str) -> bool {
    let little = [uids::IMPLICIT_VR_LITTLE_ENDIAN, uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN];
    little.contains(&uid) || uid == EXPLICIT_VR_BIG_ENDIAN.uid()
}

pub(super) fn is_jpeg(uid: &str) -> bool {
    [uids::JPEG_BASELINE8_BIT, uids::JPEG_EXTENDED12_BIT, uids::JPEG_LOSSLESS, uids::JPEG_LOSSLESS_SV1].contains(&uid)
}

pub(super) fn is_jpeg_ls(uid: &str) -> bool {
    [uids::JPEGLS_LOSSLESS, uids::JPEGLS_NEAR_LOSSLESS].contains(&uid)
}

pub(super) fn is_jpeg2000(uid: &str) -> bool {
    [uids::JPEG2000_LOSSLESS, uids::JPEG2000].contains(&uid)
}

/// Advice for pixel data of a transfer syntax that is not supported: making them native keeps everything else in the file.
fn remedy(uid: &str) -> String {
    const VIDEOS: &str = "1.2.840.10008.1.2.4.10";
    // Processes 1 to 29, including retired ones.
    const JPEGS: [&str; 3] = ["1.2.840.10008.1.2.4.5", "1.2.840.10008.1.2.4.6", uids::JPEG_LOSSLESS_SV1];
    let dcmtks = match uid {
        uids::RLE_LOSSLESS => " or `dcmdrle IN OUT`",
        uid if is_jpeg_ls(uid) => " or `dcmdjpls IN OUT`",
        uid if JPEGS.iter().any(|jpegs| uid.starts_with(jpegs)) => " or `dcmdjpeg IN OUT`",
        uid if is_jpeg2000(uid) => "",
        uid if uid.starts_with(VIDEOS) => return "it is a video: save a picture of it as PNG or JPEG".into(),
        _ => return "save it with native pixel data, as pydicom's `decompress` does".into(),
    };
    format!("`gdcmconv --raw IN OUT`{dcmtks} makes its pixel data native")
}

pub(super) fn without_jpeg2000() -> Error {
    Error::MissingFeature {
        path: None,
        what: format!("a DICOM file whose pixel data are JPEG 2000 ({})", remedy(uids::JPEG2000)),
        feature: "jpeg2000",
    }
}
