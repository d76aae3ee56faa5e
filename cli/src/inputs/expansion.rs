//! From arguments to inputs: files, folders, patterns, and `-` for a list on standard input.

use std::ffi::OsStr;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::found::Found;
use super::input::{Content, Input};
use super::shard::Shard;
use super::subject::Subject;
use crate::exit::Stop;
use crate::message;

/// The inputs that `arguments` stand for, in their order.
///
/// An existing path stands for itself, whatever characters it has, and a folder for the pictures below it, sorted by the bytes of their
/// paths. An argument that does not exist and looks like a pattern is expanded as a shell would. Files that are named are always tried.
/// Stops if there is no input; an empty shard does not stop if others have inputs.
pub(crate) fn expand(arguments: &[PathBuf], shard: Option<Shard>) -> Result<Vec<Input>, Stop> {
    let mut expansion = Expansion::default();
    if arguments.iter().filter(|path| is_list(path)).count() > 1 {
        return Err(Stop::refused("`-` is given twice: standard input can be read once; put all paths into one list"));
    }
    for argument in arguments {
        if is_list(argument) {
            for path in listed(io::stdin().lock())? {
                expansion.add_path(&path);
            }
        } else if !exists(argument) && is_pattern(argument) {
            expansion.add_pattern(argument);
        } else {
            expansion.add_path(argument);
        }
    }
    let found = expansion.finish()?;
    let number = |(number, Found { path, refusal }): (usize, Found)| {
        let content = refusal.map_or_else(|| Content::File(path.clone()), Content::Refused);
        Input { number, subject: Subject::file(path), content }
    };
    let total = found.len();
    let is_ours = |(_, found): &(usize, Found)| shard.is_none_or(|shard| shard.has(&found.path));
    let inputs: Vec<Input> = found.into_iter().enumerate().filter(is_ours).map(number).collect();
    if shard.is_some() {
        message::note(&format!("{} of {total} inputs are in this shard", inputs.len()));
    }
    Ok(inputs)
}

/// Inputs found so far.
#[derive(Default)]
struct Expansion {
    inputs: Vec<Found>,
    nothing_in: Vec<String>,
    unmatched: usize,
}

impl Expansion {
    fn add_path(&mut self, path: &Path) {
        if path.is_dir() { self.add_folder(path) } else { self.inputs.push(Found::new(path)) }
    }

    fn add_pattern(&mut self, pattern: &Path) {
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
        let text = pattern.to_string_lossy();
        let Ok(found) = glob::glob_with(&text, options) else {
            return self.add_path(pattern);
        };
        let before = self.inputs.len();
        for found in found {
            match found {
                // `**` finds the contents of folders by itself.
                Ok(path) if path.is_dir() && text.contains("**") => {}
                Ok(path) => self.add_path(&path),
                Err(error) => self.inputs.push(Found::refused(error.path(), error.error())),
            }
        }
        if self.inputs.len() == before {
            self.unmatched += 1;
            self.nothing_in.push(format!("no picture matches {text}"));
            self.inputs.push(Found::refused(pattern, "no picture matches this pattern"));
        }
    }

    fn add_folder(&mut self, folder: &Path) {
        let mut found = Folder::of(folder);
        if let Some(skipped) = found.skipped() {
            message::note(&format!("{}: {skipped}", folder.display()));
        }
        if found.pictures.is_empty() {
            self.nothing_in.push(format!("no picture in {}", folder.display()));
        }
        self.inputs.append(&mut found.pictures);
    }

    fn finish(self) -> Result<Vec<Found>, Stop> {
        if self.inputs.len() == self.unmatched {
            let reasons = if self.nothing_in.is_empty() { "standard input listed no path".into() } else { self.nothing_in.join("; ") };
            let expected = "expected PNG, JPEG, GIF, BMP, WebP, TIFF, PNM, JPEG 2000 or DICOM";
            return Err(Stop::refused(format!("no input: {reasons}; {expected}")));
        }
        if self.unmatched == 0 {
            self.nothing_in.iter().for_each(|reason| message::warning(reason));
        }
        Ok(self.inputs)
    }
}

fn is_list(argument: &Path) -> bool {
    argument.as_os_str() == "-"
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains(['*', '?', '[']))
}

/// Paths, one per line; empty lines are ignored.
fn listed(mut source: impl BufRead) -> Result<Vec<PathBuf>, Stop> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).map_err(|error| Stop::refused(format!("standard input: {error}")))?;
    let lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.filter(|line| !line.is_empty()).map(path_from_bytes).collect()
}

#[cfg(unix)]
fn path_from_bytes(line: &[u8]) -> Result<PathBuf, Stop> {
    Ok(PathBuf::from(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(line)))
}

#[cfg(not(unix))]
fn path_from_bytes(line: &[u8]) -> Result<PathBuf, Stop> {
    let text = std::str::from_utf8(line).map_err(|error| Stop::refused(format!("standard input: expected paths in UTF-8; {error}")))?;
    Ok(PathBuf::from(OsStr::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_path_on_every_line() {
        let paths = listed(&b"a b.png\n\nc,\"d.png\r\ne"[..]).unwrap();
        assert_eq!(paths, ["a b.png", "c,\"d.png", "e"].map(PathBuf::from));
    }

    #[test]
    fn a_path_that_exists_is_no_pattern() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["[1].png", "1.png", ".hidden.png"] {
            std::fs::write(folder.path().join(name), "P5 1 1 255 x").unwrap();
        }
        let paths = |pattern: &str| -> Vec<PathBuf> {
            let inputs = expand(&[folder.path().join(pattern)], None).unwrap();
            inputs.into_iter().map(|input| input.subject.name()).collect()
        };
        assert_eq!(paths("[1].png"), [folder.path().join("[1].png")]);
        assert_eq!(paths("[12].png"), [folder.path().join("1.png")]);
        assert_eq!(paths("*.png"), [folder.path().join("1.png"), folder.path().join("[1].png")]);
    }
}
