//! `densenet completions`: shell completions.

use clap::Args;
use clap_complete::Shell;

use crate::arguments::{LABELS, MODELS, PRESETS};
use crate::exit::{SUCCESS, Stop};
use crate::output::Output;

/// Print shell completions
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet completions bash > ~/.local/share/bash-completion/completions/densenet

  # a folder in $fpath
  densenet completions zsh > ~/.zfunc/_densenet

  densenet completions fish > ~/.config/fish/completions/densenet.fish")]
pub(crate) struct Options {
    /// Shell
    shell: Shell,
}

/// Prints the completions.
pub(crate) fn run(options: Options, mut program: clap::Command) -> Result<u8, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut program, "densenet", &mut script);
    let script = with_files(options.shell, String::from_utf8_lossy(&script).into_owned());
    Output::new().write(script.as_bytes())?;
    Ok(SUCCESS)
}

/// `script`, which offers a file too where a flag takes one beside the names that it knows. bash does that by itself.
fn with_files(shell: Shell, script: String) -> String {
    let known = [("labels", LABELS.names()), ("models", MODELS.names()), ("presets", PRESETS.names())];
    known.into_iter().fold(script, |script, (what, names)| match shell {
        Shell::Zsh => {
            let (start, names) = ("autoload -U is-at-least\n", names.join(" "));
            let function = format!("\n_densenet_{what}() {{\n    _alternative '{what}:{what}:({names})' 'files:file:_files'\n}}\n");
            let script = script.replace(&format!(":({names})'"), &format!(":_densenet_{what}'"));
            script.replacen(start, &format!("{start}{function}"), 1)
        }
        // `-f` is no file, `-F` a file.
        Shell::Fish => script.replace(&format!("-r -f -a \"{}\\t", names[0]), &format!("-r -F -a \"{}\\t", names[0])),
        _ => script,
    })
}
