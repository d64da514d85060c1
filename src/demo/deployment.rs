//! The example banks, accounts and channels: EXAMPLE data, made up, with check digits that fit.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use mizan_adapters::bank::rest;
use mizan_adapters::gateway::hosted;
use mizan_adapters::sandbox as bank;
use mizan_ledger::{Currency, Day, Instant};
use secrecy::SecretString;
use serde_json::json;

use crate::config::{Bank, Channel, ChannelKind, Config};

pub const MERCHANT: &str = "mizan";
const API_KEY: &str = "example-api-key-of-the-sandbox";
const CALLBACK_KEY: &str = "example-callback-key-of-the-sandbox";

/// Name in the books, IBAN, currency, statement format, fixed cost of a card payment.
const ACCOUNTS: [(&str, &str, Currency, &str, &str); 3] = [
    ("main-ils", "PS49SBOX000000000000000000001", Currency::ILS, "camt.053.001.08", "0.50"),
    ("main-jod", "PS22SBOX000000000000000000002", Currency::JOD, "camt.053.001.02", "0.100"),
    ("main-usd", "PS92SBOX000000000000000000003", Currency::USD, "mt940", "0.15"),
];
const CARD_RATE: &str = "0.0145";

/// An agency whose card payments the gateway pays into its own accounts, as its catalogue names them (money mode
/// `direct`).
const DIRECT_AGENCY: &str = "health";
const DIRECT_MERCHANT: &str = "health";
const DIRECT_API_KEY: &str = "example-api-key-of-the-ministry-of-health";
const DIRECT_ACCOUNTS: [(&str, Currency); 3] = [
    ("PS43EXMP000000000000000023001", Currency::ILS),
    ("PS16EXMP000000000000000023002", Currency::JOD),
    ("PS86EXMP000000000000000023003", Currency::USD),
];

/// Accounts of payers at another bank: one that takes money, one known as closed, one from which money comes back.
pub const PAYER_ACCOUNT: &str = "PS11EXBK000000000000000000101";
pub const CLOSED_ACCOUNT: &str = "PS81EXBK000000000000000000102";
pub const RETURNING_ACCOUNT: &str = "PS54EXBK000000000000000000103";

/// The bank and gateway of the example, opening on `day`.
pub fn sandbox(day: Day, now: Instant, folder: Option<&Path>, seed: u64) -> bank::Config {
    let contracts: Vec<_> = ACCOUNTS
        .iter()
        .map(|(_, iban, currency, _, fixed)| {
            json!({ "currency": currency, "account": iban, "rate": CARD_RATE, "fixed": fixed })
        })
        .collect();
    let accounts: Vec<_> = ACCOUNTS
        .iter()
        .map(|(_, iban, currency, format, _)| {
            json!({ "iban": iban, "currency": currency, "owner": "Mizan (example)", "opening": "0", "statement": format })
        })
        .collect();
    let (direct_accounts, direct_contracts): (Vec<_>, Vec<_>) = DIRECT_ACCOUNTS
        .iter()
        .zip(ACCOUNTS)
        .map(|((iban, currency), (.., fixed))| {
            let owner = "Ministry of Health (example)";
            (
                json!({ "iban": iban, "currency": currency, "owner": owner, "opening": "0" }),
                json!({ "currency": currency, "account": iban, "rate": CARD_RATE, "fixed": fixed }),
            )
        })
        .unzip();
    let accounts: Vec<_> = accounts.into_iter().chain(direct_accounts).collect();
    let config = json!({
        "merchants": [{
            "id": MERCHANT, "name": "Government payments (example)",
            "api_key": API_KEY, "callback_key": CALLBACK_KEY, "contracts": contracts,
        }, {
            "id": DIRECT_MERCHANT, "name": "Ministry of Health (example)",
            "api_key": DIRECT_API_KEY, "callback_key": CALLBACK_KEY, "contracts": direct_contracts,
        }],
        "accounts": accounts,
        "closed": [CLOSED_ACCOUNT],
        "returning": [RETURNING_ACCOUNT],
        "folder": folder,
        "seed": seed,
        "day": day,
        "now": now,
        "pace": "standing",
        "callback_retry_ms": 100,
    });
    serde_json::from_value(config).expect("the example settings are those the manual describes")
}

/// The hub's configuration: `bank_url` is the sandbox, `listen` where the hub will answer.
pub fn config(data_dir: &Path, listen: SocketAddr, bank_url: &str) -> Config {
    let keyed = |path: &str, key: &str| json!({ "base_url": format!("{bank_url}{path}"), "api_key": key });
    let endpoint = |path: &str| keyed(path, API_KEY);
    let banks = ACCOUNTS.iter().map(|(name, iban, currency, format, _)| {
        let settings =
            json!({ "endpoint": endpoint("/bank/v1"), "statement_format": format, "refuses_repeats": true });
        let endpoint: rest::Settings = serde_json::from_value(settings).expect("as the adapter documents");
        Bank {
            name: (*name).to_owned(),
            account: (*iban).to_owned(),
            currency: *currency,
            owner: "Mizan (example)".to_owned(),
            bic: None,
            endpoint: Some(endpoint),
            return_charge_max: Some("1".to_owned()),
        }
    });
    let settles_into: BTreeMap<String, String> = ACCOUNTS
        .iter()
        .map(|(name, _, currency, ..)| (currency.code().to_owned(), (*name).to_owned()))
        .collect();
    let gateway: hosted::Settings = serde_json::from_value(json!({
        "endpoint": endpoint("/gateway/v1"), "merchant": MERCHANT, "callback_keys": [CALLBACK_KEY],
    }))
    .expect("as the adapter documents");
    let card = Channel {
        kind: ChannelKind::HostedCard,
        name_ar: "بطاقة مصرفية".to_owned(),
        name_en: "Bank card".to_owned(),
        settles_into: settles_into.clone(),
        direct_to: None,
        cost_rate: CARD_RATE.parse().ok(),
        cost_fixed: ACCOUNTS
            .iter()
            .map(|(_, _, currency, _, fixed)| (currency.code().to_owned(), (*fixed).to_owned()))
            .collect(),
        settles_within_days: 0,
        attempt_minutes: 35,
        gateway: Some(gateway),
    };
    let card_direct = Channel {
        name_ar: "بطاقة مصرفية لرسوم وزارة الصحة (مثال)".to_owned(),
        name_en: "Bank card, for fees of the Ministry of Health (example)".to_owned(),
        settles_into: DIRECT_ACCOUNTS
            .iter()
            .map(|(iban, currency)| (currency.code().to_owned(), (*iban).to_owned()))
            .collect(),
        direct_to: DIRECT_AGENCY.parse().ok(),
        gateway: serde_json::from_value(json!({
            "endpoint": keyed("/gateway/v1", DIRECT_API_KEY), "merchant": DIRECT_MERCHANT,
            "callback_keys": [CALLBACK_KEY],
        }))
        .ok(),
        ..card.clone()
    };
    let transfer = Channel {
        kind: ChannelKind::BankTransfer,
        name_ar: "حوالة مصرفية".to_owned(),
        name_en: "Bank transfer".to_owned(),
        settles_into,
        direct_to: None,
        cost_rate: None,
        cost_fixed: BTreeMap::new(),
        settles_within_days: 0,
        attempt_minutes: 35,
        gateway: None,
    };
    Config {
        listen,
        public_url: format!("http://{listen}"),
        data_dir: data_dir.to_owned(),
        banks: banks.collect(),
        channels: [("card", card), ("card-health", card_direct), ("transfer", transfer)]
            .map(|(instance, channel)| (instance.to_owned(), channel))
            .into(),
        ..Config::default()
    }
}

/// The key with which the example gateway signs its callbacks.
pub fn callback_key() -> SecretString {
    CALLBACK_KEY.into()
}
