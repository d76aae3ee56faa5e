//! `densenet man`: manual pages.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command, ValueHint};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use densenet_wgpu::internal::WholeFile;

use crate::exit::{SUCCESS, Stop};
use crate::message;
use crate::output::Output;

/// Print the manual page, or write one page per command
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet man | man -l -

  # so that `man densenet-classify` finds it
  densenet man --output ~/.local/share/man/man1")]
pub(crate) struct Options {
    /// Write densenet.1 and a page per command to this folder
    #[arg(long, short, value_name = "DIR", help_heading = "Output", value_hint = ValueHint::DirPath)]
    output: Option<PathBuf>,
}

/// Prints or writes the pages.
pub(crate) fn run(options: Options, program: Command) -> Result<u8, Stop> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let Some(folder) = &options.output else {
        Output::new().write(&page(&program))?;
        return Ok(SUCCESS);
    };
    let commands = || [&program].into_iter().chain(program.get_subcommands());
    fs::create_dir_all(folder).map_err(|error| Stop::in_file(folder, error))?;
    for command in commands() {
        let path = folder.join(format!("{}.1", name(command)));
        let write = |mut file: WholeFile| file.write_all(&page(command)).and_then(|()| file.finish());
        WholeFile::create(&path).and_then(write).map_err(|error| Stop::in_file(&path, error))?;
    }
    message::note(&format!("{}: {} pages", folder.display(), commands().count()));
    Ok(SUCCESS)
}

/// `densenet`, `densenet-classify`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// The page of a command, in the order of man-pages(7).
fn page(command: &Command) -> Vec<u8> {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).source(concat!("densenet ", env!("CARGO_PKG_VERSION"))).manual("densenet");
    let has_commands = command.has_subcommands();
    // Writing to memory cannot fail.
    let _ = man
        .render_title(&mut page)
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| man.render_synopsis_section(&mut page))
        .and_then(|()| man.render_description_section(&mut page))
        .and_then(|()| man.render_options_section(&mut page))
        .and_then(|()| if has_commands { man.render_subcommands_section(&mut page) } else { Ok(()) })
        .and_then(|()| verbatim(&command.get_after_help().map(ToString::to_string).unwrap_or_default()).to_writer(&mut page));
    page
}

/// What stands behind a command's flags: headings, which end in a colon, and lines that stay as they are.
fn verbatim(text: &str) -> Roff {
    let (mut roff, mut is_first) = (Roff::new(), true);
    for line in text.lines() {
        match line.strip_suffix(':').filter(|heading| !heading.starts_with(' ')) {
            Some(heading) => {
                if !std::mem::take(&mut is_first) {
                    roff.control("fi", []);
                }
                roff.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
            }
            None => {
                roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
            }
        }
    }
    if !is_first {
        roff.control("fi", []);
    }
    roff
}
