//! `mizan doctor`: what a deployment needs, looked at one by one. Changes nothing.

mod certificates;
mod outside;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use mizan_ledger::{Clock as _, SystemClock, Zone};
use serde_json::json;
use sqlx::PgConnection;

use super::Answer;
use super::database::Database;
use super::output::say;
use crate::access::store::{listing, people};
use crate::channels::Channels;
use crate::config::deployment::Deployment;
use crate::config::store::find_deployment;
use crate::config::{Config, Mode};
use crate::entropy::Entropy;
use crate::keys::HubKeys;
use crate::localpg::{LocalPg, schema, store};
use crate::queue::{self, store::Dead};
use crate::webhooks;

/// As `/readyz` has it.
const CLOCK_DRIFT_SECONDS_MAX: i64 = 2;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mizan doctor --config /etc/mizan.toml\n\n\
    Ends with 0 when everything is well, with 1 when something is to be done.")]
pub struct Args {
    /// One JSON line for each thing looked at.
    #[arg(long)]
    json: bool,
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    what: String,
    /// How it is.
    is: String,
    /// What to do; nothing when it is well.
    to_do: Option<String>,
}

#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn well(&mut self, what: &str, is: impl Into<String>) {
        self.0.push(Finding { what: what.to_owned(), is: is.into(), to_do: None });
    }

    fn ill(&mut self, what: &str, is: impl Into<String>, to_do: impl Into<String>) {
        self.0.push(Finding { what: what.to_owned(), is: is.into(), to_do: Some(to_do.into()) });
    }

    fn is_well(&self) -> bool {
        self.0.iter().all(|finding| finding.to_do.is_none())
    }

    fn say(&self, as_json: bool) -> std::io::Result<()> {
        for Finding { what, is, to_do } in &self.0 {
            if as_json {
                let ok = to_do.is_none();
                say(&json!({ "what": what, "ok": ok, "is": is, "to_do": to_do }).to_string())?;
                continue;
            }
            say(&format!("{:<4} {what:<24} {is}", if to_do.is_none() { "ok" } else { "NOT" }))?;
            if let Some(to_do) = to_do {
                say(&format!("     {:<24} -> {to_do}", ""))?;
            }
        }
        Ok(())
    }
}

pub async fn run(file: Option<&Path>, args: Args) -> anyhow::Result<Answer> {
    let mut findings = Findings::default();
    let shown =
        file.map_or("no file: the defaults and the environment".to_owned(), |f| f.display().to_string());
    match Config::read(file) {
        Ok(config) => {
            settings(&config, &shown, &mut findings);
            certificates::look(&config, &mut findings);
            let keys = data_dir(&config, &mut findings);
            database(&config, keys.as_ref(), &mut findings).await;
            outside::look(&config, &mut findings).await;
        }
        Err(error) => findings.ill("configuration", shown, error.to_string()),
    }
    findings.say(args.json)?;
    Ok(if findings.is_well() { Answer::Yes } else { Answer::No })
}

/// What the configuration says about itself.
fn settings(config: &Config, shown: &str, findings: &mut Findings) {
    let missets = config.check();
    for misset in &missets {
        findings.ill("configuration", misset.to_string(), format!("no hub starts with it: correct {shown}"));
    }
    if missets.is_empty() {
        let (mode, url) = (config.mode.as_str(), &config.public_url);
        findings.well("configuration", format!("{shown} (mode {mode}, reached at {url})"));
    }
    match Channels::new(config) {
        Ok(_) => findings.well("channels", format!("{} configured", config.channels.len())),
        Err(error) => {
            findings.ill("channels", error.to_string(), "mend the channel's section of the configuration");
        }
    }
    if let Err(error) = webhooks::Policy::new(config) {
        findings.ill("webhooks", error.to_string(), "mend webhooks.networks or webhooks.hosts");
    }
    if config.mode.is_live() && config.proxies.is_empty() {
        let is = "none, so everybody's tries of a password count as those of one address: whoever guesses it locks its owner out";
        findings.ill("proxies", is, "name the addresses of the reverse proxies that end TLS before the hub");
    }
}

/// The data directory and the hub's keys in it; a hub that never ran has none yet.
fn data_dir(config: &Config, findings: &mut Findings) -> Option<HubKeys> {
    let (folder, shown) = (&config.data_dir, config.data_dir.display().to_string());
    if let Err(error) = fs::metadata(folder) {
        if error.kind() == ErrorKind::NotFound {
            findings.well("data directory", format!("{shown} is made at the first start"));
        } else {
            let to_do = "name another data directory with MIZAN__DATA_DIR";
            findings.ill("data directory", format!("{shown}: {error}"), to_do);
        }
        return None;
    }
    if let Err(error) = crate::localpg::own(folder) {
        findings.ill("data directory", error.to_string(), "run mizan as the owner of its data");
        return None;
    }
    let probe = folder.join(format!(".doctor-{}", Entropy::system().token::<8>()));
    match fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)) {
        Ok(()) => findings.well("data directory", &shown),
        Err(error) => {
            findings.ill("data directory", format!("{shown}: {error}"), "let the hub's account write there");
        }
    }
    for (what, folder) in
        [("statements_folder", &config.statements_folder), ("payments_folder", &config.payments_folder)]
    {
        match folder {
            Some(folder) if !folder.is_dir() => {
                findings.ill(
                    what,
                    format!("{} is no folder", folder.display()),
                    "make it, or correct its name",
                );
            }
            Some(folder) => findings.well(what, folder.display().to_string()),
            None => {}
        }
    }
    keys(config, findings)
}

fn keys(config: &Config, findings: &mut Findings) -> Option<HubKeys> {
    let folder = config.data_dir.join("keys");
    let files = ["signing.key", "master.key"].map(|name| folder.join(name));
    if !files.iter().any(|file| file.exists()) {
        findings.well("hub keys", "made at the first start");
        return None;
    }
    for file in &files {
        let shown = file.display().to_string();
        match fs::metadata(file) {
            Err(error) => {
                findings.ill(
                    "hub keys",
                    format!("{shown}: {error}"),
                    "restore it from the backup of the keys",
                );
                return None;
            }
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                findings.ill("hub keys", format!("{shown} is open to others"), format!("chmod 600 {shown}"));
            }
            Ok(_) => {}
        }
    }
    match HubKeys::open(&config.data_dir, &Entropy::system()) {
        Ok(keys) => {
            findings.well("hub keys", format!("{} signs quotes and receipts", keys.key_id()));
            Some(keys)
        }
        Err(error) => {
            findings.ill("hub keys", error.to_string(), "restore them from the backup of the keys");
            None
        }
    }
}

async fn database(config: &Config, keys: Option<&HubKeys>, findings: &mut Findings) {
    if config.database.url.is_none() && !LocalPg::exists(&config.data_dir) {
        findings.well("database", "the hub's own cluster is made at the first start (or by: mizan migrate)");
        return;
    }
    let database = match Database::open(config).await {
        Ok(database) => database,
        Err(error) => {
            findings.ill("database", format!("{error:#}"), "see the cluster's log in the data directory");
            return;
        }
    };
    match database.connect().await {
        Ok(mut conn) => look(&mut conn, config, keys, findings).await,
        Err(error) => {
            let to_do = "start PostgreSQL; check host, role and password in database.url";
            findings.ill("database", format!("{error:#}"), to_do);
        }
    }
    if let Err(error) = database.close().await {
        findings.ill("database", format!("{error:#}"), "see the cluster's log in the data directory");
    }
}

async fn look(conn: &mut PgConnection, config: &Config, keys: Option<&HubKeys>, findings: &mut Findings) {
    match store::examine(conn).await {
        Ok(examined) => judge(&examined, findings),
        Err(error) => {
            return findings.ill("database", error.to_string(), "mizan migrate --admin postgres://...");
        }
    }
    match schema(conn).await {
        Ok(schema) if schema.is_current() => {
            findings.well("tables", format!("those of this release ({} migrations)", schema.applied));
        }
        Ok(schema) if !schema.foreign.is_empty() => {
            let is = format!("migrations {:?} are not of this release", schema.foreign);
            return findings.ill(
                "tables",
                is,
                "run the release the database was migrated by, or a newer one",
            );
        }
        Ok(schema) => {
            let is = format!("{} migrations are missing, from {}", schema.missing.len(), schema.missing[0]);
            return findings.ill("tables", is, "mizan migrate --admin postgres://...");
        }
        Err(error) => {
            return findings.ill("tables", error.to_string(), "mizan migrate --admin postgres://...");
        }
    }
    if let Err(error) = rows(conn, config, keys, findings).await {
        findings.ill("database", error.to_string(), "mizan migrate --admin postgres://...");
    }
}

fn judge(examined: &store::Examined, findings: &mut Findings) {
    findings.well("database", format!("PostgreSQL {}", examined.version));
    let role = &examined.role;
    if examined.superuser || examined.may_rewrite {
        let is = format!("{role} could rewrite the book");
        findings.ill("role", is, "let database.url log in as mizan_app, which may only add to it");
    } else {
        findings.well("role", format!("{role}, who may only add to the book"));
    }
    let drift = SystemClock.now().since(examined.clock).as_secs().abs();
    if drift > CLOCK_DRIFT_SECONDS_MAX {
        let to_do = "set both clocks by NTP: signatures and settlement days are counted by them";
        findings.ill("clock", format!("{drift} seconds away from the database's"), to_do);
    } else {
        findings.well("clock", "within two seconds of the database's");
    }
}

async fn rows(
    conn: &mut PgConnection,
    config: &Config,
    keys: Option<&HubKeys>,
    findings: &mut Findings,
) -> Result<(), crate::fault::Fault> {
    let database = find_deployment(conn).await?;
    mode(database.as_ref(), config.mode, findings);
    zone(database.as_ref(), &config.zone, findings);
    if let (Some(keys), Some(sealed)) = (keys, listing::find_sealed(conn).await?) {
        match keys.unseal(&sealed) {
            Ok(_) => findings.well("master key", "opens the portals' secrets"),
            Err(error) => findings.ill(
                "master key",
                error.to_string(),
                "restore keys/master.key of this database, or rotate every portal's key",
            ),
        }
    }
    administrators(people::count_administrators(conn).await?, findings);
    jobs(&queue::store::find_dead(conn).await?, findings);
    Ok(())
}

fn zone(database: Option<&Deployment>, configured: &Zone, findings: &mut Findings) {
    match database.map(|database| database.admit_zone(configured)) {
        Some(Err(other)) => {
            findings.ill("zone", other.to_string(), "no hub starts here before this is mended");
        }
        _ => findings.well("zone", format!("days are counted in {}", configured.name())),
    }
}

fn mode(database: Option<&Deployment>, configured: Mode, findings: &mut Findings) {
    let named = configured.as_str();
    match database.map(|database| database.admit(configured)) {
        None => findings.well("mode", format!("the first start makes this a {named} database, for ever")),
        Some(Ok(())) => findings.well("mode", format!("a {named} database, as configured")),
        Some(Err(other)) => {
            findings.ill("mode", other.to_string(), "no hub starts here before this is mended");
        }
    }
}

fn jobs(dead: &[queue::store::Dead], findings: &mut Findings) {
    if dead.is_empty() {
        findings.well("jobs", "none has been given up");
    }
    for Dead { kind, count, id, subject, error } in dead {
        let is = format!("{count} of {kind} given up, the last of {subject}: {error}");
        let each = "remove the cause, then let a reconciler have each tried again, by the job of its break";
        findings.ill("jobs", is, format!("{each}: mizan call --key FILE POST /v1/finance/jobs/{id}/retry"));
    }
}

fn administrators(there: people::Administrators, findings: &mut Findings) {
    let alone = "one: nobody can approve what they propose";
    let lost = "bring one back on the database: docs/OPERATIONS.md, \"When something is wrong\"";
    match (there.active, there.ever) {
        (0, 0) => findings.ill(
            "administrators",
            "none",
            "mizan user create --first LOGIN --name-en ... --name-ar ...",
        ),
        (1, 1) => findings.ill(
            "administrators",
            alone,
            "mizan user create LOGIN --role administrator --name-en ... --name-ar ...",
        ),
        (0, _) => findings.ill("administrators", "all of them are disabled", lost),
        (1, _) => findings.ill("administrators", alone, lost),
        (count, _) => findings.well("administrators", count.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use mizan_ledger::Instant;

    use super::*;

    fn examined(clock: Instant) -> store::Examined {
        let (version, role) = ("15.10".to_owned(), "mizan_app".to_owned());
        store::Examined { version, role, superuser: false, may_rewrite: false, clock }
    }

    fn ill(findings: &Findings) -> Vec<&str> {
        findings.0.iter().filter(|one| one.to_do.is_some()).map(|one| one.what.as_str()).collect()
    }

    #[test]
    fn a_role_that_could_rewrite_the_book_and_a_wrong_clock_are_named() {
        let now = SystemClock.now();
        let mut findings = Findings::default();
        judge(&examined(now), &mut findings);
        assert!(findings.is_well(), "{findings:?}");
        judge(&store::Examined { may_rewrite: true, ..examined(now) }, &mut findings);
        judge(&examined(now.plus_seconds(-60)), &mut findings);
        assert_eq!(ill(&findings), ["role", "clock"]);
    }

    #[test]
    fn every_fault_of_the_configuration_is_a_line() {
        let mut config =
            crate::demo::config(Path::new("/tmp"), ([127, 0, 0, 1], 1).into(), "http://127.0.0.1:1");
        let mut findings = Findings::default();
        settings(&config, "mizan.toml", &mut findings);
        assert!(findings.is_well(), "{findings:?}");
        config.banks.retain(|bank| bank.name != "main-jod");
        settings(&config, "mizan.toml", &mut findings);
        let told: Vec<&str> =
            findings.0.iter().filter(|one| one.to_do.is_some()).map(|one| one.is.as_str()).collect();
        assert_eq!(
            told,
            ["card", "transfer"].map(|channel| {
                format!("channels.{channel}.settles_into.JOD: \"main-jod\" is no name in [[banks]]")
            })
        );
    }

    #[test]
    fn a_live_hub_without_proxies_is_told_what_that_means() {
        let mut config = Config { mode: Mode::Live, ..Config::default() };
        config.public_url = "https://hub.example".to_owned();
        let mut findings = Findings::default();
        settings(&config, "mizan.toml", &mut findings);
        assert_eq!(ill(&findings), ["proxies"]);
        config.proxies = vec![[127, 0, 0, 1].into()];
        let mut findings = Findings::default();
        settings(&config, "mizan.toml", &mut findings);
        assert!(findings.is_well(), "{findings:?}");
    }
}
