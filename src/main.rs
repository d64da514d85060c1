//! The one binary: parses the command line and dispatches.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    mizan::cli::run(mizan::cli::Cli::parse())
}
