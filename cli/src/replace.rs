//! `--force`: which files `convert` and `init` may replace.

use std::fs;
use std::path::Path;

use clap::Args;
use densenet_wgpu::Checkpoint;

use super::exit::Stop;

/// Which file may be replaced.
#[derive(Args)]
pub(crate) struct ReplaceOptions {
    /// Replace a file that this program did not write
    ///
    /// Without it OUT is a new file, or one whose metadata say that `convert` or `init` wrote it.
    #[arg(long)]
    force: bool,
}

impl ReplaceOptions {
    /// Errors where there is a file at `path` that is not ours to replace. Devices and pipes are written to.
    pub(crate) fn check(&self, path: &Path) -> Result<(), Stop> {
        let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
        // What cannot be read is not known to be ours.
        if self.force || !is_file || Checkpoint::wrote(path).unwrap_or(false) {
            return Ok(());
        }
        let is_named_so = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"));
        let labels = if is_named_so { "" } else { "; a list of labels goes behind --labels" };
        Err(Stop::refused(format!(
            "{}: expected no file of that name, or one that densenet wrote, found another; give another name, or --force to replace it{labels}",
            path.display()
        )))
    }
}
