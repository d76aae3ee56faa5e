//! `--force`: which existing files `convert` and `init` may replace.

use std::fs;
use std::path::Path;

use clap::Args;
use densenet_wgpu::Checkpoint;

use crate::exit::Stop;

/// Which file may be replaced.
#[derive(Args)]
pub(crate) struct ReplaceOptions {
    /// Replace an existing file, whatever it is
    ///
    /// Without it OUT must be a new file, or one that this program wrote according to its metadata; init replaces only an untrained
    /// network, unchanged since init wrote it.
    #[arg(long)]
    force: bool,
}

impl ReplaceOptions {
    /// Errors if there is a file at `path` that this program did not write, so that `convert` may not replace it. Devices and pipes
    /// are written to.
    pub(crate) fn check(&self, path: &Path) -> Result<(), Stop> {
        if self.may_replace(path, is_ours) {
            return Ok(());
        }
        let is_named_so = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"));
        let labels = if is_named_so { "" } else { "; a list of labels is given with --labels" };
        Err(refused(path, "one that densenet wrote", "another", labels))
    }

    /// Like [`ReplaceOptions::check`], for `init`, which may replace only files that `init` wrote: no training is lost.
    pub(crate) fn check_untrained(&self, path: &Path) -> Result<(), Stop> {
        if self.may_replace(path, |path| is_ours(path) && is_from_init(path)) {
            return Ok(());
        }
        let found = if is_ours(path) { "one with more than random weights" } else { "another" };
        Err(refused(path, "an untrained network that init wrote", found, ""))
    }

    fn may_replace(&self, path: &Path, may_be_lost: impl Fn(&Path) -> bool) -> bool {
        let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
        self.force || !is_file || may_be_lost(path)
    }
}

/// Whether this program wrote the file. A file that cannot be read counts as not ours.
fn is_ours(path: &Path) -> bool {
    Checkpoint::wrote(path).unwrap_or(false)
}

/// Whether the file holds a network as `init` writes it: without a description, and untrained, since training moves biases and the
/// statistics of batch norms.
fn is_from_init(path: &Path) -> bool {
    let Some(model) = fs::read(path).ok().and_then(|bytes| Checkpoint::from_bytes(&bytes, "OUT").ok()) else { return false };
    let begin = |name: &str| match name.rsplit('.').next() {
        Some("running_mean" | "bias") => Some(0.0),
        Some("running_var") => Some(1.0),
        _ => None,
    };
    let is_untrained = model.weights.iter().all(|(name, tensor)| begin(name).is_none_or(|begin| tensor.data.iter().all(|&it| it == begin)));
    is_untrained && model.preprocessing.is_none() && model.labels.is_none()
}

fn refused(path: &Path, expected: &str, found: &str, more: &str) -> Stop {
    let remedy = "give another name, or --force to replace it";
    Stop::refused(format!("{}: expected no file of that name, or {expected}, found {found}; {remedy}{more}", path.display()))
}
