use super::Answer;
#[derive(Debug, clap::Args)]
pub struct Args {}
pub async fn run(_args: Args) -> anyhow::Result<Answer> {
    Ok(Answer::No)
}
