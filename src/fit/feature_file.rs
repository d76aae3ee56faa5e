//! Features that are kept from one run to the next.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::content_hash::ContentHash;
use crate::cache::checksum;
use crate::error::{Error, Result};
use crate::whole_file::WholeFile;

/// A file of features by the content of pictures, which grows with every batch: what was computed before an interruption is there
/// afterwards, and a picture that is renamed or copied is not computed again.
///
/// ```
/// use densenet_wgpu::fit::{ContentHash, FeatureFile};
///
/// let folder = tempfile::tempdir().expect("there is room");
/// let path = folder.path().join("pets.features");
/// let cat = ContentHash::of(b"a picture of a cat");
/// FeatureFile::open(&path, "digits 4d8a1abd3f2c32fb", 3)?.add(cat, &[0.0, 0.5, 1.0])?;
/// assert_eq!(FeatureFile::open(&path, "digits 4d8a1abd3f2c32fb", 3)?.get(&cat), Some(&[0.0, 0.5, 1.0][..]));
/// assert_eq!(FeatureFile::open(&path, "another model", 3)?.get(&cat), None); // begins anew
/// # Ok::<(), densenet_wgpu::Error>(())
/// ```
#[derive(Debug)]
pub struct FeatureFile {
    path: PathBuf,
    file: File,
    columns: usize,
    features: HashMap<ContentHash, Vec<f32>>,
}

/// How the file begins; then what made the features, and a line end. A record is a picture's hash, its features, least byte first, and
/// the [checksum] of both.
const BEGIN: &str = "densenet features 1 ";

const BYTE_CHECKSUM: usize = size_of::<u64>();

impl FeatureFile {
    /// Opens the file at `path`, or begins it, for features of `columns` numbers that `made_by` computes: a line about the model and how
    /// pictures are prepared. Features of another model, and what is damaged, are forgotten.
    ///
    /// Errors if it cannot be read or written, or another kind of file has the name.
    pub fn open(path: &Path, made_by: &str, columns: usize) -> Result<Self> {
        Self::try_open(path, made_by, columns).map_err(|source| Error::File { path: path.into(), source })
    }

    fn try_open(path: &Path, made_by: &str, columns: usize) -> io::Result<Self> {
        let header = format!("{BEGIN}{columns} {}\n", made_by.replace('\n', " "));
        let mut features = HashMap::new();
        let mut byte_kept = 0;
        match fs::metadata(path) {
            Ok(found) if !found.is_file() => return Err(another_kind()),
            Ok(_) => {
                let mut content = Vec::new();
                File::open(path)?.read_to_end(&mut content)?;
                if !content.is_empty() && !content.starts_with(BEGIN.as_bytes()) {
                    return Err(another_kind());
                }
                if let Some(records) = content.strip_prefix(header.as_bytes()) {
                    byte_kept = header.len();
                    // A record that was cut off is the last.
                    for record in records.chunks_exact(byte_record(columns)) {
                        let Some((content, row)) = read(record) else { break };
                        features.insert(content, row);
                        byte_kept += record.len();
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if byte_kept == 0 {
            let mut file = WholeFile::create(path)?;
            file.write_all(header.as_bytes())?;
            file.finish()?;
            byte_kept = header.len();
        }
        let file = File::options().append(true).open(path)?;
        file.set_len(byte_kept as u64)?;
        Ok(Self { path: path.into(), file, columns, features })
    }

    /// The features of a picture with this content, if they are there.
    pub fn get(&self, content: &ContentHash) -> Option<&[f32]> {
        self.features.get(content).map(Vec::as_slice)
    }

    /// Adds the features of a picture with this content. Errors if they are not as many as the file's, not all of them are finite, or they
    /// cannot be written.
    pub fn add(&mut self, content: ContentHash, features: &[f32]) -> Result<()> {
        if features.len() != self.columns {
            let expected = format!("{} features", self.columns);
            return Err(Error::Input { expected, found: features.len().to_string() });
        }
        if let Some(index) = features.iter().position(|feature| !feature.is_finite()) {
            let expected = "a picture with finite features".into();
            return Err(Error::Input { expected, found: format!("{} for feature {index}", features[index]) });
        }
        let mut record = content.0.to_vec();
        record.extend(features.iter().flat_map(|feature| feature.to_le_bytes()));
        record.extend(checksum(&record).to_le_bytes());
        self.file.write_all(&record).map_err(|source| Error::File { path: self.path.clone(), source })?;
        self.features.insert(content, features.to_vec());
        Ok(())
    }
}

fn byte_record(columns: usize) -> usize {
    ContentHash::BYTES + columns * size_of::<f32>() + BYTE_CHECKSUM
}

/// A picture's hash and features; `None` if the record is damaged.
fn read(record: &[u8]) -> Option<(ContentHash, Vec<f32>)> {
    let (content, sum) = record.split_at(record.len() - BYTE_CHECKSUM);
    if checksum(content).to_le_bytes() != sum {
        return None;
    }
    let (hash, features) = content.split_first_chunk()?;
    let features = features.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Some((ContentHash(*hash), features))
}

fn another_kind() -> io::Error {
    io::Error::other("expected no file of that name, or the features of an earlier fit, found another; give the output another name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.features");
        let open = || FeatureFile::open(&path, "m", 2).unwrap();
        let [one, two, three] = [b"1", b"2", b"3"].map(|content| ContentHash::of(content));
        let mut file = open();
        file.add(one, &[1.0, -1.0]).unwrap();
        file.add(two, &[2.0, -2.0]).unwrap();
        let whole = fs::read(&path).unwrap();

        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let mut cut_off = open();
        assert_eq!((cut_off.get(&one), cut_off.get(&two)), (Some(&[1.0, -1.0][..]), None));
        cut_off.add(three, &[3.0, -3.0]).unwrap();
        assert_eq!((open().get(&one).is_some(), open().get(&three)), (true, Some(&[3.0, -3.0][..])));

        let mut damaged = whole.clone();
        let last = damaged.len() - 12;
        damaged[last] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert_eq!((open().get(&one).is_some(), open().get(&two)), (true, None));

        for bad in [&[f32::NAN, 0.0][..], &[0.0]] {
            assert!(open().add(three, bad).is_err());
        }
    }

    #[test]
    fn another_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.features");
        fs::write(&path, "my notes").unwrap();
        let error = FeatureFile::open(&path, "m", 2).unwrap_err().to_string();
        assert!(error.contains("expected no file of that name") && fs::read(&path).unwrap() == b"my notes", "{error}");
        assert!(FeatureFile::open(folder.path(), "m", 2).is_err());
    }
}
