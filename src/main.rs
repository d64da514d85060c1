//! The one binary: parses the command line and dispatches.

use std::process::ExitCode;

use clap::Parser;

/// A request allocates some thousand times, on any thread: mimalloc takes half the processor time of glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mizan::cli::run(mizan::cli::Cli::parse())
}
