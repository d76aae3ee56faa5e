//! `densenet completions`: shell completions.

use clap::Args;
use clap_complete::Shell;

use super::exit::{Stop, WELL};
use super::output::Output;

/// Print completions for a shell
#[derive(Args)]
#[command(after_help = "Example: densenet completions bash > ~/.local/share/bash-completion/completions/densenet")]
pub(crate) struct Options {
    /// The shell to print for
    shell: Shell,
}

/// Prints the completions.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut super::command(), "densenet", &mut script);
    Output::new().write(&script)?;
    Ok(WELL)
}
