//! `densenet`: classify pictures and run tensors through any trained DenseNet, on any GPU.
//!
//! One command a file in `commands`; what they share is beside it. The only place that prints or exits.

mod arguments;
mod commands;
mod device;
mod dump;
mod exit;
#[cfg(target_os = "linux")]
mod headless;
mod inputs;
mod interrupt;
mod latencies;
mod message;
mod model;
mod npy;
mod output;
mod panics;
mod pictures;
mod remedy;
mod replace;
mod rows;
mod stream;
mod terminal;
mod truth;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser};

use commands::Command;
use exit::{REFUSED, SUCCESS, Stop};
use terminal::paint::{self, HEADING, paint};

/// Run any trained DenseNet on any Vulkan, Metal or DirectX 12 GPU, without CUDA or Python.
///
/// Results go to standard output, everything else goes to standard error.
#[derive(Parser)]
#[command(name = "densenet", version, arg_required_else_help = true, max_term_width = 120, styles = paint::HELP, after_help = AFTER_HELP)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    /// Use colours
    ///
    /// `auto` uses them on a terminal, unless NO_COLOR is set or TERM is dumb. JSON and CSV are never coloured.
    #[arg(long, alias = "colour", global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto, display_order = 1000, help_heading = "Output")]
    color: ColorChoice,
}

const AFTER_HELP: &str = "\
Exit status:
  0    success
  1    an input failed
  2    nothing could be run: wrong usage, model or device
  130  Ctrl-C; 143 SIGTERM

Examples:
  # handwritten digits, with the bundled model
  densenet classify examples/digits --model digits

  # any photo; all options of classify
  densenet classify cat.jpg
  densenet classify --help

  # list the devices to run on
  densenet devices";

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    // SAFETY: nothing has started a thread yet.
    unsafe {
        headless::quieten();
    }
    panics::report();
    interrupt::listen();
    paint::as_asked(std::env::args_os().filter_map(|argument| argument.into_string().ok()));
    let parsed = program().try_get_matches().and_then(|matches| CommandLine::from_arg_matches(&matches));
    let command = match parsed {
        Ok(line) => {
            paint::set(line.color);
            line.command
        }
        Err(usage) => {
            // If the terminal is gone, the message is lost.
            let _ = usage.print();
            return ExitCode::from(if usage.use_stderr() { REFUSED } else { SUCCESS });
        }
    };
    let status = std::panic::catch_unwind(|| run(command)).unwrap_or(REFUSED);
    ExitCode::from(status)
}

fn run(command: Command) -> u8 {
    match command.run(program()) {
        Ok(status) => status,
        Err(Stop::ReaderGone) => SUCCESS,
        Err(Stop::With { status, message }) => {
            message::error(&message);
            status
        }
    }
}

/// The command line as data, with all headings in the same style.
fn program() -> clap::Command {
    fn painted(command: clap::Command) -> clap::Command {
        let Some(text) = command.get_after_help().map(ToString::to_string) else { return command };
        let is_heading = |line: &str| line.ends_with(':') && !line.starts_with(' ');
        let lines = text.lines().map(|line| if is_heading(line) { paint(HEADING, line) } else { line.to_owned() });
        command.after_help(lines.collect::<Vec<_>>().join("\n"))
    }
    painted(CommandLine::command()).mut_subcommands(painted)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::program().debug_assert();
    }

    #[test]
    fn every_flag_says_what_it_does() {
        let mut command = super::program();
        command.build();
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            assert!(sub.get_about().is_some(), "{}", sub.get_name());
            assert!(sub.get_after_help().is_some_and(|text| text.to_string().contains("Example")), "{}", sub.get_name());
            for argument in sub.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!((1..=100).contains(&help.len()), "{} {}: {help:?} is no line of `-h`", sub.get_name(), argument.get_id());
            }
        }
    }
}
