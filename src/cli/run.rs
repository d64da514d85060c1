use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::{
    Answer, Usage, call, catalogue, demo, doctor, key, ledger, load, login, migrate, portal, reconcile,
    report, sandbox, serve, simulate, statement, user,
};

/// Mizan: the payment and e-fee settlement hub of a government.
#[derive(Debug, Parser)]
#[command(name = "mizan", version, about, propagate_version = true)]
pub struct Cli {
    /// Configuration file (TOML); environment variables MIZAN__SECTION__KEY go over it.
    #[arg(long, short, global = true, env = "MIZAN_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the hub: API, payer's page, console, poster, publisher and jobs.
    Serve(serve::Args),
    /// Run poster, publisher, deliveries and jobs alone, beside `mizan serve --no-worker`; any number of them.
    Worker,
    /// Tell the whole story on a database, a bank and a hub of its own.
    Demo(demo::Args),
    /// Press payments through a hub, time every call, and check the laws afterwards (docs/PERFORMANCE.md).
    Load(load::Args),
    /// Bring the tables of the database to this release.
    Migrate(migrate::Args),
    /// Look at configuration, database, keys, clocks and addresses, and say what to do.
    Doctor(doctor::Args),
    /// Get a key of your own for this machine.
    Login(login::Args),
    /// Take on portals.
    #[command(subcommand)]
    Portal(portal::Command),
    /// Take on staff.
    #[command(subcommand)]
    User(user::Command),
    /// List, rotate and revoke keys.
    #[command(subcommand)]
    Key(key::Command),
    /// Check fee catalogue files and bring them in force.
    #[command(subcommand)]
    Catalogue(catalogue::Command),
    /// Match payments, settlements and refunds against the banks' lines.
    Reconcile(reconcile::Args),
    /// Sign a request with a key and send it.
    Call(call::Args),
    /// Run the sandbox bank and card gateway alone (docs/SANDBOX.md).
    Sandbox(sandbox::Args),
    /// Live a seeded life with everything that goes wrong, on a database of its own, and check every law.
    Simulate(simulate::Args),
    /// Check bank statement files, and hand them to the hub.
    #[command(subcommand)]
    Statement(statement::Command),
    /// What finance reads.
    #[command(subcommand)]
    Report(report::Command),
    /// Check the book again, and write it out.
    #[command(subcommand)]
    Ledger(ledger::Command),
}

/// Runs the command and turns its outcome into an exit code.
pub fn run(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let outcome = runtime.block_on(async {
        let config = cli.config.as_deref();
        match cli.command {
            Command::Serve(args) => serve::run(config, args).await,
            Command::Worker => serve::work(config).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Load(args) => load::run(config, args).await,
            Command::Migrate(args) => migrate::run(config, args).await,
            Command::Doctor(args) => doctor::run(config, args).await,
            Command::Login(args) => login::run(args).await,
            Command::Portal(command) => portal::run(command).await,
            Command::User(command) => user::run(config, command).await,
            Command::Key(command) => key::run(command).await,
            Command::Catalogue(command) => catalogue::run(command).await,
            Command::Reconcile(args) => reconcile::run(args).await,
            Command::Call(args) => call::run(args).await,
            Command::Sandbox(args) => sandbox::run(args).await,
            Command::Simulate(args) => simulate::run(args).await,
            Command::Statement(command) => statement::run(command).await,
            Command::Report(command) => report::run(config, command).await,
            Command::Ledger(command) => ledger::run(config, command).await,
        }
    });
    match outcome {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) => failed(&error),
    }
}

/// The environment failed (3), or the usage was wrong (2).
fn failed(error: &anyhow::Error) -> ExitCode {
    use std::io::Write;
    // Nothing is left to tell when standard error is gone.
    drop(writeln!(std::io::stderr(), "mizan: {error:#}"));
    ExitCode::from(if error.is::<Usage>() { 2 } else { 3 })
}
