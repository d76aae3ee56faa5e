//! The command line: one command a file; the only place that prints or exits.

mod classify;
mod completions;
mod device;
mod devices;
mod exit;
mod hub;
mod infer;
mod init;
mod inputs;
mod message;
mod model;
mod npy;
mod output;
mod plan;
mod rows;
mod size;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Parser, Subcommand};

use exit::{INTERRUPTED, REFUSED, Stop, WELL};

/// Run any trained DenseNet on any GPU that Vulkan, Metal or DirectX 12 can drive, without CUDA or Python.
#[derive(Parser)]
#[command(name = "densenet", version, arg_required_else_help = true, max_term_width = 120, after_help = AFTER_HELP)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit status: 0 all well, 1 an input failed, 2 nothing could be tried (usage, model, device), 130 after Ctrl-C.
Results go to standard output, everything else to standard error.

Example: densenet classify examples/digits --model digits";

#[derive(Subcommand)]
enum Command {
    Classify(classify::Options),
    Infer(infer::Options),
    Init(init::Options),
    Plan(plan::Options),
    Devices(devices::Options),
    Completions(completions::Options),
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| message::error(&format!("internal error, please report it: {panic}"))));
    // Each row is one write, so leaving at once loses no finished row. Where there are no signals there is nothing to do.
    let always = Arc::new(AtomicBool::new(true));
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGINT, INTERRUPTED.into(), always);
    let command = match CommandLine::try_parse() {
        Ok(line) => line.command,
        Err(usage) => {
            // Where the terminal is gone there is nobody to tell.
            let _ = usage.print();
            return ExitCode::from(if usage.use_stderr() { REFUSED } else { WELL });
        }
    };
    let status = std::panic::catch_unwind(|| run(command)).unwrap_or(REFUSED);
    ExitCode::from(status)
}

fn run(command: Command) -> u8 {
    let result = match command {
        Command::Classify(options) => classify::run(options),
        Command::Infer(options) => infer::run(options),
        Command::Init(options) => init::run(options),
        Command::Plan(options) => plan::run(options),
        Command::Devices(options) => devices::run(options),
        Command::Completions(options) => completions::run(options),
    };
    match result {
        Ok(status) => status,
        Err(Stop::ReaderGone) => WELL,
        Err(Stop::With { status, message }) => {
            message::error(&message);
            status
        }
    }
}

/// The command line as data, for shell completions.
fn command() -> clap::Command {
    <CommandLine as clap::CommandFactory>::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        super::command().debug_assert();
    }

    #[test]
    fn every_flag_says_what_it_does() {
        let mut command = super::command();
        command.build();
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            assert!(sub.get_about().is_some(), "{}", sub.get_name());
            assert!(sub.get_after_help().is_some_and(|text| text.to_string().contains("Example")), "{}", sub.get_name());
            for argument in sub.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", sub.get_name(), argument.get_id());
            }
        }
    }
}
