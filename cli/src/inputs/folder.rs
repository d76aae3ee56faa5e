//! The pictures in a folder, and other files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use densenet_wgpu::image::Picture;
use walkdir::WalkDir;

use super::found::Found;

/// The contents of a folder and its subfolders.
#[derive(Default)]
pub(super) struct Folder {
    /// Files that look like pictures, sorted by the bytes of their paths.
    pub(super) pictures: Vec<Found>,
    /// The number of other files, by kind.
    skipped: BTreeMap<String, usize>,
}

/// Number of kinds that a message names.
const SHOWN: usize = 6;

impl Folder {
    /// Searches the folder at `path`. A file is a picture if its name or its first bytes look like one. If it cannot be read, it is found
    /// with the reason.
    pub(super) fn of(path: &Path) -> Self {
        let mut folder = Self::default();
        for entry in WalkDir::new(path).follow_links(true) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() => folder.add(entry.into_path()),
                Ok(_) => folder.skip("pipe or device"),
                // Its contents are found at their own place.
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) => {
                    let Some(path) = error.path() else { continue };
                    match error.io_error() {
                        Some(reason) if reason.kind() == io::ErrorKind::NotFound => folder.add_lost(path),
                        Some(reason) => folder.pictures.push(Found::refused(path, reason)),
                        None => {}
                    }
                }
            }
        }
        folder.pictures.sort_by(|a, b| a.path.as_os_str().as_encoded_bytes().cmp(b.path.as_os_str().as_encoded_bytes()));
        folder
    }

    fn add(&mut self, path: PathBuf) {
        if is_named_so(&path) {
            return self.pictures.push(Found::new(path));
        }
        let kind = kind(&path);
        match File::open(&path).map(|file| Picture::recognises(BufReader::new(file))) {
            Ok(true) => self.pictures.push(Found::new(path)),
            Ok(false) => self.skip(&kind),
            // DICOM files often have no extension.
            Err(error) if kind == NO_ENDING => self.pictures.push(Found::refused(path, format!("cannot be opened: {error}"))),
            Err(_) => self.skip(&format!("{kind} that cannot be opened")),
        }
    }

    /// A dangling link, or a file that was just deleted.
    fn add_lost(&mut self, path: &Path) {
        match fs::read_link(path) {
            // Without an extension it may have been a folder, on a disk that is not mounted.
            Ok(target) if is_named_so(path) || kind(path) == NO_ENDING => {
                self.pictures
                    .push(Found::refused(path, format!("expected a picture, found a link to {}, which does not exist", target.display())));
            }
            Ok(_) => self.skip("link that leads nowhere"),
            Err(_) => self.skip(&kind(path)),
        }
    }

    fn skip(&mut self, kind: &str) {
        *self.skipped.entry(kind.to_owned()).or_default() += 1;
    }

    /// A sentence about skipped files, if there are any.
    pub(super) fn skipped(&self) -> Option<String> {
        let count: usize = self.skipped.values().sum();
        let mut kinds: Vec<(&String, &usize)> = self.skipped.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let mut named: Vec<String> = kinds.iter().take(SHOWN).map(|(kind, count)| format!("{count} {kind}")).collect();
        let others: usize = kinds.iter().skip(SHOWN).map(|(_, count)| **count).sum();
        if others > 0 {
            named.push(format!("{others} of other kinds"));
        }
        let files = if count == 1 { "file that is not a picture" } else { "files that are not pictures" };
        (count > 0).then(|| format!("skipped {count} {files}: {}", named.join(", ")))
    }
}

/// The kind of files without an extension.
const NO_ENDING: &str = "without an ending";

/// The kind of a file, by its name.
fn kind(path: &Path) -> String {
    if is_attributes(path) {
        return "of macOS's attributes (._*)".into();
    }
    path.extension().map_or(NO_ENDING.into(), |ending| format!(".{}", ending.to_string_lossy().to_lowercase()))
}

/// Whether a file is like the `._x.jpg` beside `x.jpg`, in which macOS keeps attributes on foreign disks.
fn is_attributes(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"._"))
}

/// Whether a file is named like a picture.
fn is_named_so(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    !is_attributes(path) && ending.is_some_and(|ending| READ.contains(&ending.as_str()) || NOT_READ.contains(&ending.as_str()))
}

/// Extensions of formats that [`Picture::read`] decodes, or explains why it does not.
const READ: [&str; 22] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "gif", "bmp", "webp", "tif", "tiff", "pnm", "pbm", "pgm", "ppm", "dcm", "dicom", "jp2", "j2k",
    "j2c", "jpf", "jpx", "jpc",
];

/// Extensions of other pictures: they get a row, so that it is known that they were not read.
const NOT_READ: [&str; 29] = [
    "heic", "heif", "hif", "avif", "jxl", "jls", "jxr", "wdp", "psd", "psb", "ico", "tga", "exr", "qoi", "dds", "pcx", "pfm", "pam", "svg",
    "dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "pef", "srw",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_of(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, content)| fs::write(folder.path().join(name), content).unwrap());
        folder
    }

    #[test]
    fn what_looks_like_a_picture_is_found_and_the_rest_named_by_kind() {
        let files: [(&str, &[u8]); 11] = [
            ("a.HEIC", b"\0\0\0\x18ftypheic"),
            ("b", b"\0\0\0\x18ftypheic"),
            (".hidden.jpg", b"cut"),
            ("._a.jpg", b"\0\x05\x16\x07"),
            ("notes.txt", b"text"),
            ("more.TXT", b"text"),
            ("LICENSE", b"text"),
            ("c.svg", b"<svg/>"),
            ("d.jpg", b""),
            ("._b.png", b"\x89PNG\r\n\x1a\n"),
            ("e.json", b"{}"),
        ];
        let folder = folder_of(&files);
        let found = Folder::of(folder.path());
        let names: Vec<_> = found.pictures.iter().map(|found| found.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["._b.png", ".hidden.jpg", "a.HEIC", "b", "c.svg", "d.jpg"]);
        let said = found.skipped().unwrap();
        assert_eq!(said, "skipped 5 files that are not pictures: 2 .txt, 1 .json, 1 of macOS's attributes (._*), 1 without an ending");
        assert_eq!(Folder::of(&folder_of(&files[..1]).path().join("a.HEIC")).skipped(), None);
    }

    #[test]
    fn of_many_kinds_the_most_are_named() {
        let mut folder = Folder::default();
        for kind in 0..9 {
            (0..=kind).for_each(|_| folder.skip(&format!(".k{kind}")));
        }
        let said = folder.skipped().unwrap();
        assert_eq!(said, "skipped 45 files that are not pictures: 9 .k8, 8 .k7, 7 .k6, 6 .k5, 5 .k4, 4 .k3, 6 of other kinds");
    }
}
