use std::path::PathBuf;

use super::Answer;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Read statement files and say what is in them, without touching anything.
    Check {
        /// One JSON line per file.
        #[arg(long)]
        json: bool,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

pub async fn run(command: Command) -> anyhow::Result<Answer> {
    match command {
        Command::Check { .. } => Ok(Answer::No),
    }
}
