//! Where results go: standard output, or a file.

use std::fs::File;
use std::io::{self, IsTerminal, StdoutLock, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use densenet_wgpu::internal::WholeFile;
use serde::Serialize;

use crate::exit::Stop;
use crate::terminal::paint;
use crate::terminal::progress;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Human-readable.
    Text,
    /// One JSON object.
    Json,
}

/// Where a report goes: a file, which appears only when complete, or standard output.
pub(crate) enum Destination<'a> {
    File(&'a Path, WholeFile),
    Standard,
}

impl<'a> Destination<'a> {
    /// Opens the file at `path`, or standard output without one. Call it before slow work, so that a bad path fails early.
    pub(crate) fn open(path: Option<&'a Path>) -> Result<Self, Stop> {
        match path {
            Some(path) => WholeFile::create(path).map(|file| Self::File(path, file)).map_err(|error| Stop::in_file(path, error)),
            None => Ok(Self::Standard),
        }
    }

    /// Writes human-readable `text`, with styles only on a terminal that shows them.
    pub(crate) fn text(self, text: &str) -> Result<(), Stop> {
        match self {
            Self::File(..) => self.write(paint::plain(text).as_bytes()),
            Self::Standard => Output::new().text(text),
        }
    }

    /// Writes `content`.
    pub(crate) fn write(self, content: &[u8]) -> Result<(), Stop> {
        match self {
            Self::File(path, mut file) => file.write_all(content).and_then(|()| file.finish()).map_err(|error| Stop::in_file(path, error)),
            Self::Standard => Output::new().write(content),
        }
    }
}

/// Where rows go, in whole lines.
pub(crate) struct Output {
    target: Target,
}

enum Target {
    Standard { is_terminal: bool },
    File(PathBuf, File),
}

impl Output {
    /// Standard output.
    pub(crate) fn new() -> Self {
        Self { target: Target::Standard { is_terminal: io::stdout().is_terminal() } }
    }

    /// Whether standard output is piped to another program, whose display a progress bar would disturb.
    pub(crate) fn is_piped() -> bool {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd;
            use std::os::unix::fs::FileTypeExt;
            let file = io::stdout().as_fd().try_clone_to_owned().map(File::from);
            file.and_then(|file| file.metadata()).is_ok_and(|metadata| metadata.file_type().is_fifo())
        }
        #[cfg(not(unix))]
        false
    }

    /// An open file, written at its current position.
    pub(crate) fn to_file(path: PathBuf, file: File) -> Self {
        Self { target: Target::File(path, file) }
    }

    /// Writes `bytes` and flushes, so that a reader sees them now and no row is torn when the process ends.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        match &mut self.target {
            Target::Standard { is_terminal } => standard(*is_terminal, |stdout| stdout.write_all(bytes)),
            Target::File(path, file) => file.write_all(bytes).map_err(|error| {
                Stop::failed(format!("{}: {error}; the rows before are complete, and the same command continues", path.display()))
            }),
        }
    }

    /// Writes human-readable `text` as [`Output::write`] does, with styles only on a terminal that shows them.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Stop> {
        match &mut self.target {
            Target::Standard { is_terminal } => standard(*is_terminal, |stdout| paint::write(stdout, text)),
            Target::File(..) => self.write(paint::plain(text).as_bytes()),
        }
    }

    /// Writes a JSON value on a line of its own.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        let mut line = serde_json::to_vec(value).map_err(|error| Stop::output(error.into()))?;
        line.push(b'\n');
        self.write(&line)
    }
}

/// Writes to standard output without breaking a progress bar.
fn standard(is_terminal: bool, write: impl FnOnce(&mut StdoutLock<'static>) -> io::Result<()>) -> Result<(), Stop> {
    let write = || {
        let mut stdout = io::stdout().lock();
        write(&mut stdout).and_then(|()| stdout.flush()).map_err(Stop::output)
    };
    if is_terminal { progress::suspended(write) } else { write() }
}
