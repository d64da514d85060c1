//! A configuration that cannot be meant: every command tells all of it before it starts anything. And the example, which
//! can be.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use mizan::config::{Bank, Channel, ChannelKind, Config, Database, Limits, PaymentFiles, Webhooks};
use mizan_adapters::bank::rest;
use mizan_adapters::gateway::hosted;
use mizan_adapters::http::EndpointSettings;
use mizan_adapters::payment_file::{Charset, Profile};
use mizan_ledger::Currency;
use serde::de::DeserializeOwned;

use crate::cli::Shell;
use crate::world::TestDb;

/// EXAMPLE data, wrong in five places.
const WRONG: &str = "
issuer = \"12\"
intent_hours = 0
[[banks]]
name = \"main\"
account = \"PS48SBOX000000000000000000001\"
currency = \"ILS\"
owner = \"Mizan (example)\"
[[banks]]
name = \"main\"
account = \"PS22SBOX000000000000000000002\"
currency = \"JOD\"
owner = \"Mizan (example)\"
[channels.transfer]
kind = \"bank_transfer\"
name_ar = \"حوالة\"
name_en = \"Transfer\"
settles_into = { ILS = \"other\" }
";
const TOLD: [&str; 5] = [
    "issuer: \"12\" is not four digits from 0001 to 9999",
    "intent_hours: 0: a payment would have expired when it is opened",
    "banks[0].account: \"PS48SBOX000000000000000000001\": the check digits of the IBAN are wrong",
    "banks[1].name: \"main\" is the name of banks[0] too",
    "channels.transfer.settles_into.ILS: \"other\" is no name in [[banks]]",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_command_starts_with_it_and_all_of_it_is_told() {
    let db = TestDb::new().await;
    let shell = Shell::new(&db);
    let file = shell.file("wrong.toml").display().to_string();
    std::fs::write(&file, WRONG).unwrap();
    for command in [["serve"].as_slice(), &["worker"], &["migrate"], &["ledger", "verify"]] {
        let done = shell.mizan(&[command, &["--config", &file]].concat()).await;
        assert_eq!(done.code, 3, "{done:?}");
        assert_eq!(done.err, format!("mizan: configuration: \n  {}\n", TOLD.join("\n  ")));
    }
    let doctor = shell.mizan(&["doctor", "--config", &file]).await;
    assert_eq!(doctor.code, 1, "{doctor:?}");
    for told in TOLD {
        assert!(doctor.out.contains(&format!("NOT  configuration            {told}\n")), "{}", doctor.out);
    }
    assert!(doctor.out.contains("PostgreSQL 15"), "it looks at the rest all the same: {}", doctor.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_does_not_exist_is_called_one() {
    let db = TestDb::new().await;
    let shell = Shell::new(&db);
    let file = shell.file("mars.toml").display().to_string();
    std::fs::write(&file, "zone = \"Mars/X\"\n").unwrap();
    let done = shell.mizan(&["serve", "--config", &file]).await;
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("\"Mars/X\" is no IANA time zone"), "{done:?}");
    assert!(done.err.contains("zone"), "the key: {done:?}");
}

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/mizan.example.toml");

#[test]
fn the_example_can_be_loaded_and_says_what_it_looks_like() {
    let config = Config::load(Some(Path::new(EXAMPLE))).unwrap();
    assert_eq!(config.public_url, "https://pay.example");
    let [over_http, by_folder] = &config.banks[..] else { panic!("{:?}", config.banks) };
    assert!(over_http.endpoint.is_some() && by_folder.endpoint.is_none());
    assert!(config.statements_folder.is_some() && config.payments_folder.is_some());
    assert_eq!(config.payment_files.profiles[&by_folder.name].charset, Charset::Latin);
    assert_eq!(config.settlement_account("card", Currency::JOD).as_deref(), Some("main-jod"));
    assert_eq!(config.settlement_account("card_health", Currency::ILS).as_deref(), Some("agency/health"));
    assert_eq!(config.channels["card"].cost_fixed["JOD"], "0.100");
    assert_eq!(config.channels["transfer"].kind, ChannelKind::BankTransfer);
}

/// An optional key stands there as `#key = value`; a remark has a blank after its `#`.
#[test]
fn the_example_holds_every_key_and_what_is_commented_out_can_be_meant_too() {
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    let lines = text.lines().map(|line| {
        let rest = line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' '));
        rest.unwrap_or(line)
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let missets = toml::from_str::<Config>(&text).unwrap().check();
    assert!(missets.is_empty(), "{missets:?}");
    let mut there = BTreeSet::new();
    names(&toml::from_str(&text).unwrap(), &mut there);
    let known = [
        keys::<Config>(),
        keys::<Database>(),
        keys::<Bank>(),
        keys::<rest::Settings>(),
        keys::<EndpointSettings>(),
        keys::<Channel>(),
        keys::<hosted::Settings>(),
        keys::<PaymentFiles>(),
        keys::<Profile>(),
        keys::<Webhooks>(),
        keys::<Limits>(),
    ];
    let missing: Vec<String> = known.into_iter().flatten().filter(|key| !there.contains(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The names of all keys, at any depth.
fn names(value: &serde_json::Value, there: &mut BTreeSet<String>) {
    if let Some(table) = value.as_object() {
        there.extend(table.keys().cloned());
        table.values().for_each(|inner| names(inner, there));
    }
    value.as_array().into_iter().flatten().for_each(|inner| names(inner, there));
}

/// The keys of a section, as it names them when it refuses another.
fn keys<T: DeserializeOwned + Debug>() -> Vec<String> {
    let told = serde_json::from_str::<T>(r#"{"?": 0}"#).unwrap_err().to_string();
    let named: Vec<String> = told.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(!named.is_empty(), "{told}");
    named
}
