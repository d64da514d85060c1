//! What a configuration cannot mean, whatever its values parse as: told all at once, before anything starts.

use std::collections::BTreeMap;
use std::fmt;

use mizan_adapters::iban::Iban;
use mizan_ledger::{Currency, Money, Rate};

use super::{Bank, Channel, Config, account_number};
use crate::books::Slug;

/// ISO 13616.
const IBAN_CHARS_MIN: usize = 15;

/// One value that is wrong, and where it stands: `banks[1].name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misset {
    pub key: String,
    pub what: String,
}

impl fmt::Display for Misset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.what)
    }
}

#[derive(Debug, Default)]
struct Found(Vec<Misset>);

impl Found {
    fn add(&mut self, key: impl Into<String>, what: impl fmt::Display) {
        self.0.push(Misset { key: key.into(), what: what.to_string() });
    }

    fn not_zero(&mut self, key: impl Into<String>, value: impl Into<u64>, why: &str) {
        if value.into() == 0 {
            self.add(key, format!("0: {why}"));
        }
    }

    fn not_empty(&mut self, key: impl Into<String>, text: &str) {
        if text.trim().is_empty() {
            self.add(key, "it is empty");
        }
    }

    fn slug(&mut self, key: impl Into<String>, text: &str) {
        if let Err(error) = text.parse::<Slug>() {
            self.add(key, error);
        }
    }

    fn amount(&mut self, key: impl Into<String>, text: &str, currency: Currency) {
        match Money::parse(text, currency) {
            Err(error) => self.add(key, error),
            Ok(money) if money.is_negative() => self.add(key, format!("{text} is less than nothing")),
            Ok(_) => {}
        }
    }

    /// A number with the form of an IBAN has the check digits of one; banks keep accounts without one too.
    fn account(&mut self, key: impl Into<String>, text: &str) {
        let number = account_number(text);
        let bytes = number.as_bytes();
        // Statements name a bank before the last slash.
        let sound = !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/');
        let like_iban = bytes.len() >= IBAN_CHARS_MIN
            && bytes.iter().take(2).all(u8::is_ascii_alphabetic)
            && bytes.iter().skip(2).take(2).all(u8::is_ascii_digit);
        if !sound {
            self.add(
                key,
                format!("{text:?} is no account number: digits and Latin letters, without a slash"),
            );
        } else if like_iban && let Err(error) = number.parse::<Iban>() {
            self.add(key, format!("{text:?}: {error}"));
        }
    }
}

impl Config {
    /// Everything that is wrong with it, in the order of the manual; nothing when it can be started with.
    pub fn check(&self) -> Vec<Misset> {
        let mut found = Found::default();
        general(self, &mut found);
        banks(&self.banks, &mut found);
        for (name, channel) in &self.channels {
            self.channel(name, channel, &mut found);
        }
        for name in self.payment_files.profiles.keys() {
            if !self.banks.iter().any(|bank| bank.name == *name) {
                found.add(
                    format!("payment_files.profiles.{name}"),
                    format!("{name:?} is no name in [[banks]]"),
                );
            }
        }
        found.0
    }

    fn channel(&self, name: &str, channel: &Channel, found: &mut Found) {
        let at = |key: &str| format!("channels.{name}.{key}");
        found.slug(format!("channels.{name}"), name);
        if let Some(n) = self.banks.iter().position(|bank| bank.name == name) {
            found.add(format!("channels.{name}"), format!("{name:?} is the name of banks[{n}] too"));
        }
        found.not_empty(at("name_ar"), &channel.name_ar);
        found.not_empty(at("name_en"), &channel.name_en);
        found.not_zero(at("attempt_minutes"), channel.attempt_minutes, "nobody could pay in that time");
        if channel.settles_into.is_empty() {
            found.add(at("settles_into"), "it is empty: no payment could be made on the channel");
        }
        for (code, target) in &channel.settles_into {
            let key = at(&format!("settles_into.{code}"));
            match code.parse::<Currency>() {
                Err(error) => found.add(key, error),
                // A direct channel pays into an account of the agency, which is none of ours.
                Ok(_) if channel.direct_to.is_some() => found.account(key, target),
                Ok(currency) => self.settles(key, target, currency, found),
            }
        }
        costs(name, channel, found);
    }

    fn settles(&self, key: String, target: &str, currency: Currency, found: &mut Found) {
        match self.banks.iter().find(|bank| bank.name == target) {
            None => found.add(key, format!("{target:?} is no name in [[banks]]")),
            Some(bank) if bank.currency != currency => {
                found.add(key, format!("{target:?} is an account in {}, not in {currency}", bank.currency));
            }
            Some(_) => {}
        }
    }
}

fn general(config: &Config, found: &mut Found) {
    let url = &config.public_url;
    if !config.is_reached_safely() {
        found.add("public_url", format!("{url:?}: portals and payers reach a live hub over https alone"));
    } else if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) || url.ends_with('/') {
        found.add("public_url", format!("{url:?} is not http(s)://HOST without a slash at the end"));
    }
    let issuer = &config.issuer;
    if issuer.len() != 4 || !issuer.bytes().all(|byte| byte.is_ascii_digit()) || issuer == "0000" {
        found.add("issuer", format!("{issuer:?} is not four digits from 0001 to 9999"));
    }
    found.not_zero("quote_minutes", config.quote_minutes, "a price would have expired when it is given");
    found.not_zero("intent_hours", config.intent_hours, "a payment would have expired when it is opened");
    found.slug("unclaimed_fund", &config.unclaimed_fund);
    if let Some(connections) = config.database.connections {
        found.not_zero("database.connections", connections, "no request could be answered");
    }
    found.not_zero("webhooks.timeout_ms", config.webhooks.timeout_ms, "no webhook could be delivered");
    for (key, bytes) in [
        ("limits.body_bytes_max", config.limits.body_bytes_max),
        ("limits.statement_bytes_max", config.limits.statement_bytes_max),
    ] {
        found.not_zero(key, bytes as u64, "every body would be too large");
    }
}

fn banks(banks: &[Bank], found: &mut Found) {
    let mut names = BTreeMap::new();
    let mut accounts = BTreeMap::new();
    for (n, bank) in banks.iter().enumerate() {
        let at = |key: &str| format!("banks[{n}].{key}");
        found.slug(at("name"), &bank.name);
        if let Some(first) = names.insert(bank.name.as_str(), n) {
            found.add(at("name"), format!("{:?} is the name of banks[{first}] too", bank.name));
        }
        found.account(at("account"), &bank.account);
        let account = (account_number(&bank.account), bank.currency.code());
        if let Some(first) = accounts.insert(account, n) {
            let what =
                format!("{:?} is the account of banks[{first}] too, in the same currency", bank.account);
            found.add(at("account"), what);
        }
        found.not_empty(at("owner"), &bank.owner);
        if let Some(text) = &bank.return_charge_max {
            found.amount(at("return_charge_max"), text, bank.currency);
        }
    }
}

fn costs(name: &str, channel: &Channel, found: &mut Found) {
    let at = |key: &str| format!("channels.{name}.{key}");
    if let Some(rate) = channel.cost_rate
        && (rate.is_negative() || rate > Rate::one())
    {
        found.add(at("cost_rate"), format!("{rate} is not from 0 to 1; 0.0145 is 1.45 percent"));
    }
    if channel.cost_rate.is_none() && !channel.cost_fixed.is_empty() {
        found.add(
            at("cost_fixed"),
            "it counts beside cost_rate alone; set cost_rate = \"0\" if there is none",
        );
    }
    for (code, text) in &channel.cost_fixed {
        let key = at(&format!("cost_fixed.{code}"));
        match code.parse::<Currency>() {
            Err(error) => found.add(&key, error),
            Ok(currency) => found.amount(&key, text, currency),
        }
        if !channel.settles_into.contains_key(code) {
            found.add(key, "the channel settles nothing in this currency");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EXAMPLE data.
    const SOUND: &str = r#"
        [[banks]]
        name = "main-ils"
        account = "PS49 SBOX 0000 0000 0000 0000 0000 1"
        currency = "ILS"
        owner = "Mizan (example)"
        return_charge_max = "1"
        [[banks]]
        name = "main-jod"
        account = "0045-77"
        currency = "JOD"
        owner = "Mizan (example)"
        [channels.card]
        kind = "hosted_card"
        name_ar = "بطاقة"
        name_en = "Card"
        cost_rate = "0.0145"
        cost_fixed = { ILS = "0.50" }
        settles_into = { ILS = "main-ils", JOD = "main-jod" }
        [channels.direct]
        kind = "hosted_card"
        name_ar = "بطاقة"
        name_en = "Card"
        direct_to = "health"
        settles_into = { ILS = "PS43EXMP000000000000000023001" }
        [payment_files.profiles]
    "#;

    fn told(text: &str) -> Vec<String> {
        let config: Config = toml::from_str(text).expect("the values parse");
        config.check().iter().map(Misset::to_string).collect()
    }

    #[test]
    fn the_defaults_and_a_sound_configuration_pass() {
        assert_eq!(told(""), [""; 0]);
        assert_eq!(told(SOUND), [""; 0]);
    }

    #[test]
    fn each_fault_is_told_with_its_key_and_value() {
        // What stands there, what is written instead, what is told of it.
        let table = [
            ("name = \"main-jod\"", "name = \"a/b\"", "banks[1].name: \"a/b\" is not a code"),
            (
                "name = \"main-jod\"",
                "name = \"main-ils\"",
                "banks[1].name: \"main-ils\" is the name of banks[0] too",
            ),
            (
                "SBOX 0000",
                "SBOX 0001",
                "banks[0].account: \"PS49 SBOX 0001 0000 0000 0000 0000 1\": the check digits",
            ),
            ("0045-77", "", "banks[1].account: \"\" is no account number"),
            ("0045-77", "00/45", "banks[1].account: \"00/45\" is no account number"),
            ("max = \"1\"", "max = \"-1\"", "banks[0].return_charge_max: -1 is less than nothing"),
            ("max = \"1\"", "max = \"1.005\"", "banks[0].return_charge_max: "),
            ("owner = \"Mizan (example)\"", "owner = \" \"", "banks[0].owner: it is empty"),
            (
                "JOD = \"main-jod\"",
                "JOD = \"other\"",
                "channels.card.settles_into.JOD: \"other\" is no name in [[banks]]",
            ),
            (
                "JOD = \"main-jod\"",
                "JOD = \"main-ils\"",
                "channels.card.settles_into.JOD: \"main-ils\" is an account in ILS",
            ),
            ("JOD = \"main-jod\"", "JDO = \"main-jod\"", "channels.card.settles_into.JDO: "),
            ("{ ILS = \"main-ils\", JOD = \"main-jod\" }", "{}", "channels.card.settles_into: it is empty"),
            (
                "PS43EXMP",
                "PS44EXMP",
                "channels.direct.settles_into.ILS: \"PS44EXMP000000000000000023001\": the check",
            ),
            ("\"0.0145\"", "\"2\"", "channels.card.cost_rate: 2 is not from 0 to 1"),
            ("\"0.0145\"", "\"-0.01\"", "channels.card.cost_rate: -0.01 is not from 0 to 1"),
            ("cost_rate = \"0.0145\"", "", "channels.card.cost_fixed: it counts beside cost_rate alone"),
            ("\"0.50\"", "\"-1.00\"", "channels.card.cost_fixed.ILS: -1.00 is less than nothing"),
            (
                "{ ILS = \"0.50\" }",
                "{ USD = \"1\" }",
                "channels.card.cost_fixed.USD: the channel settles nothing",
            ),
            ("name_en = \"Card\"", "name_en = \"\"", "channels.card.name_en: it is empty"),
            (
                "name_en = \"Card\"",
                "name_en = \"Card\"\nattempt_minutes = 0",
                "channels.card.attempt_minutes: 0: ",
            ),
            (
                "[channels.card]",
                "[channels.main-jod]",
                "channels.main-jod: \"main-jod\" is the name of banks[1] too",
            ),
            ("[channels.card]", "[channels.\"a b\"]", "channels.a b: \"a b\" is not a code"),
            (
                "[payment_files.profiles]",
                "[payment_files.profiles.x]\nversion = \"pain.001.001.03\"\ncharset = \"unicode\"\nbooking = \"single\"",
                "payment_files.profiles.x: \"x\" is no name in [[banks]]",
            ),
        ];
        for (from, to, expected) in table {
            assert!(SOUND.contains(from), "{from}");
            let told = told(&SOUND.replacen(from, to, 1));
            assert!(told.iter().any(|one| one.starts_with(expected)), "{to}: {told:?}");
        }
        let general = [
            ("issuer = \"12\"", "issuer: \"12\" is not four digits"),
            ("issuer = \"٩٠٠٠\"", "issuer: \"٩٠٠٠\" is not four digits"),
            ("issuer = \"0000\"", "issuer: \"0000\" is not four digits"),
            ("quote_minutes = 0", "quote_minutes: 0: "),
            ("intent_hours = 0", "intent_hours: 0: "),
            ("unclaimed_fund = \"The Fund\"", "unclaimed_fund: \"The Fund\" is not a code"),
            ("public_url = \"https://hub.example/\"", "public_url: \"https://hub.example/\" is not"),
            ("public_url = \"hub.example\"", "public_url: \"hub.example\" is not"),
            ("mode = \"live\"", "public_url: \"http://127.0.0.1:8080\": portals"),
            ("database.connections = 0", "database.connections: 0: "),
            ("webhooks.timeout_ms = 0", "webhooks.timeout_ms: 0: "),
            ("limits.body_bytes_max = 0", "limits.body_bytes_max: 0: "),
            ("limits.statement_bytes_max = 0", "limits.statement_bytes_max: 0: "),
        ];
        for (line, expected) in general {
            let told = told(&format!("{line}\n{SOUND}"));
            assert!(told.len() == 1 && told[0].starts_with(expected), "{line}: {told:?}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let text = SOUND.replace("\"0.0145\"", "\"2\"").replace("main-jod\"", "main-ils\"");
        let told = told(&format!("issuer = \"x\"\nintent_hours = 0\n{text}"));
        let keys: Vec<&str> =
            told.iter().filter_map(|one| one.split_once(": ").map(|(key, _)| key)).collect();
        assert_eq!(
            keys,
            [
                "issuer",
                "intent_hours",
                "banks[1].name",
                "channels.card.settles_into.JOD",
                "channels.card.cost_rate",
            ]
        );
    }

    #[test]
    fn one_account_has_one_name() {
        let twice = SOUND
            .replace("0045-77", "ps49SBOX000000000000000000001")
            .replace("currency = \"JOD\"", "currency = \"ILS\"");
        let told = told(&twice.replace(", JOD = \"main-jod\"", ""));
        assert_eq!(
            told,
            [
                "banks[1].account: \"ps49SBOX000000000000000000001\" is the account of banks[0] too, in the same currency"
            ]
        );
    }
}
