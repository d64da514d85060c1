//! `mizan user ...`: staff. The first administrator is made on the database, everybody else through the hub.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use clap::ValueEnum;
use mizan_ledger::SystemClock;
use serde_json::{Value, json};

use super::Answer;
use super::database::Database;
use super::output::{say, say_list, tell};
use super::remote::{Key, Remote};
use crate::access::service::{NewPerson, create_first};
use crate::access::{AccessError, Role};
use crate::config::Config;
use crate::entropy::Entropy;
use crate::start;
use crate::tx::Actor;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Propose a member of staff; another administrator approves.
    #[command(after_help = "Examples:\n  \
        mizan user create --first huda --name-en 'Huda (example)' --name-ar 'هدى (مثال)'\n  \
        mizan user create officer1 --role reconciler --name-en 'Reconciler (example)' --name-ar 'موظف التسويات (مثال)'\n\n\
        Roles that control each other are not given to one person: reconciler and approver, catalogue_author and\n\
        catalogue_approver, administrator and any of reconciler, approver, catalogue_approver.")]
    Create(Create),
    /// Who there is, and who waits for approval.
    List {
        #[command(flatten)]
        key: Key,
        /// One JSON line for each person.
        #[arg(long)]
        json: bool,
    },
    /// Approve a person whom another administrator proposed.
    Approve(Named),
    /// End every key and session of a person at once.
    Disable(Named),
}

#[derive(Debug, clap::Args)]
pub struct Create {
    login: String,
    /// Name in Arabic.
    #[arg(long)]
    name_ar: String,
    /// Name in English.
    #[arg(long)]
    name_en: String,
    /// A duty; may stand several times.
    #[arg(long = "role", required_unless_present = "first")]
    roles: Vec<Duty>,
    /// The first administrator, on the database itself: only while there is nobody.
    #[arg(long, conflicts_with_all = ["roles", "key"])]
    first: bool,
    #[command(flatten)]
    key: Key,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct Named {
    login: String,
    #[command(flatten)]
    key: Key,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Duty {
    Reconciler,
    Approver,
    CatalogueAuthor,
    CatalogueApprover,
    Auditor,
    Administrator,
}

pub async fn run(config: Option<&Path>, command: Command) -> anyhow::Result<Answer> {
    match command {
        Command::Create(args) if args.first => first(config, args).await,
        Command::Create(args) => create(args).await,
        Command::List { key, json } => {
            let Some(people) = key.open()?.list("/v1/finance/people").await? else { return Ok(Answer::No) };
            say_list(&people, json, &["/login", "/state", "/roles", "/name/en", "/name/ar", "/id"])?;
            Ok(Answer::Yes)
        }
        Command::Approve(named) => act(named, "approve").await,
        Command::Disable(named) => act(named, "disable").await,
    }
}

async fn first(config: Option<&Path>, args: Create) -> anyhow::Result<Answer> {
    let config = Config::load(config).context("configuration")?;
    let database = Database::open(&config).await?;
    let made = make_first(config.clone(), &database, &args).await;
    database.close().await?;
    let Some(password) = made? else { return Ok(Answer::No) };
    shown(&json!({ "login": args.login, "state": "active", "password": password }), "password", args.json)?;
    tell(&format!(
        "next, once the hub runs (mizan serve):\n  mizan login --hub {} {} --new-password",
        config.public_url, args.login
    ))?;
    Ok(Answer::Yes)
}

async fn make_first(config: Config, database: &Database, args: &Create) -> anyhow::Result<Option<String>> {
    let entropy = Entropy::system();
    let password = entropy.token::<16>();
    let app = start::app(config, database.url(), Arc::new(SystemClock), entropy).await?;
    let new = NewPerson {
        login: args.login.clone(),
        name_ar: args.name_ar.clone(),
        name_en: args.name_en.clone(),
        roles: vec![Role::Administrator],
        password: Some(password.clone()),
    };
    let made = app.run(&Actor::hub("first"), &new, |tx, new| Box::pin(create_first(tx, new))).await;
    app.pool.close().await;
    app.poster_pool.close().await;
    match made {
        Ok(_) => Ok(Some(password)),
        Err(AccessError::Fault(fault)) => Err(fault.into()),
        Err(refusal) => {
            tell(&format!("refused: {refusal}"))?;
            Ok(None)
        }
    }
}

async fn create(args: Create) -> anyhow::Result<Answer> {
    let roles: Vec<String> = args.roles.iter().filter_map(ValueEnum::to_possible_value).map(name).collect();
    let body = json!({
        "login": args.login, "name": { "ar": args.name_ar, "en": args.name_en }, "roles": roles,
    });
    let remote = args.key.open()?;
    let Some(person) = remote.post("/v1/finance/people", &body).await? else { return Ok(Answer::No) };
    let waits = person["state"] == "proposed";
    shown(&person, if waits { "first half of the password" } else { "password" }, args.json)?;
    if waits {
        let approve = format!("mizan user approve {}", args.login);
        tell(&format!("another administrator approves, and is shown the second half: {approve}"))?;
    }
    tell(&format!("then they log in: mizan login --hub {} {} --new-password", remote.hub, args.login))?;
    Ok(Answer::Yes)
}

fn name(value: clap::builder::PossibleValue) -> String {
    value.get_name().to_owned()
}

/// A new person with what is shown once of the password.
fn shown(person: &Value, shown: &str, json: bool) -> anyhow::Result<()> {
    if json {
        return Ok(say(&person.to_string())?);
    }
    let text = |name: &str| person[name].as_str().unwrap_or("-").to_owned();
    say(&format!("{} is {}", text("login"), text("state")))?;
    if person["password"].is_string() {
        say(&format!("{shown} (shown once, replaced at the first login): {}", text("password")))?;
    }
    Ok(())
}

async fn act(named: Named, what: &str) -> anyhow::Result<Answer> {
    let remote = named.key.open()?;
    let Some(id) = find(&remote, &named.login).await? else { return Ok(Answer::No) };
    let path = format!("/v1/finance/people/{id}/{what}");
    let Some(person) = remote.post(&path, &json!({})).await? else { return Ok(Answer::No) };
    shown(&person, "second half of the password", named.json)?;
    Ok(Answer::Yes)
}

/// The id of a login.
async fn find(remote: &Remote, login: &str) -> anyhow::Result<Option<String>> {
    let Some(people) = remote.list("/v1/finance/people").await? else { return Ok(None) };
    let found = people.iter().find(|person| person["login"] == login);
    let id = found.and_then(|person| person["id"].as_str()).map(str::to_owned);
    if id.is_none() {
        tell(&format!("refused: there is no person {login}"))?;
    }
    Ok(id)
}
