//! One command a file: its flags, and what it does with them.

mod bench;
mod classify;
mod completions;
mod convert;
mod devices;
mod embed;
mod evaluate;
mod fit;
mod infer;
mod init;
mod inspect;
mod man;
mod plan;
mod profile;
mod report;
mod tune;
mod verify;

use clap::Subcommand;

use crate::exit::Stop;

#[derive(Subcommand)]
pub(crate) enum Command {
    Classify(classify::Options),
    Embed(embed::Options),
    Evaluate(Box<evaluate::Options>),
    Fit(Box<fit::Options>),
    Infer(infer::Options),
    Inspect(inspect::Options),
    Convert(convert::Options),
    Init(init::Options),
    Plan(plan::Options),
    Bench(bench::Options),
    Profile(profile::Options),
    Tune(tune::Options),
    Verify(verify::Options),
    Report(report::Options),
    Devices(devices::Options),
    Completions(completions::Options),
    Man(man::Options),
}

impl Command {
    /// Runs it and returns the exit status. `program` is the whole command line as data, for completions and manual pages.
    pub(crate) fn run(self, program: clap::Command) -> Result<u8, Stop> {
        match self {
            Self::Classify(options) => classify::run(options),
            Self::Embed(options) => embed::run(options),
            Self::Evaluate(options) => evaluate::run(*options),
            Self::Fit(options) => fit::run(*options),
            Self::Infer(options) => infer::run(options),
            Self::Inspect(options) => inspect::run(options),
            Self::Convert(options) => convert::run(options),
            Self::Init(options) => init::run(options),
            Self::Plan(options) => plan::run(options),
            Self::Bench(options) => bench::run(options),
            Self::Profile(options) => profile::run(options),
            Self::Tune(options) => tune::run(options),
            Self::Verify(options) => verify::run(options),
            Self::Report(options) => report::run(options),
            Self::Devices(options) => devices::run(options),
            Self::Completions(options) => completions::run(options, program),
            Self::Man(options) => man::run(options, program),
        }
    }
}
