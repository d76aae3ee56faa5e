//! Standard output: results only.

use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;
use densenet_wgpu::whole_file::WholeFile;
use serde::Serialize;

use super::exit::Stop;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For reading.
    Text,
    /// One JSON object.
    Json,
}

/// Writes `content` to the file of that name, which appears when it is complete; without one to standard output.
pub(crate) fn deliver(path: Option<&Path>, content: &[u8]) -> Result<(), Stop> {
    let Some(path) = path else { return Output::new().write(content) };
    let write = || -> io::Result<()> {
        let mut file = WholeFile::create(path)?;
        file.write_all(content)?;
        file.finish()
    };
    write().map_err(|error| Stop::refused(format!("{}: {error}", path.display())))
}

/// Standard output, written in whole lines.
pub(crate) struct Output {
    stdout: io::Stdout,
}

impl Output {
    /// The process's standard output.
    pub(crate) fn new() -> Self {
        Self { stdout: io::stdout() }
    }

    /// Writes `bytes` and flushes, so that a reader sees them now and nothing is torn when the process ends.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let mut stdout = self.stdout.lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(Stop::output)
    }

    /// Writes one JSON value and a line end.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        let mut line = serde_json::to_vec(value).map_err(|error| Stop::output(error.into()))?;
        line.push(b'\n');
        self.write(&line)
    }
}
