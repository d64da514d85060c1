//! Typed configuration: a TOML file, then environment (`MIZAN__DATABASE__URL`), then flags. Unknown keys are refused.

pub mod check;
pub mod deployment;
pub mod store;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};

use mizan_ledger::{Currency, Rate, Zone};
use secrecy::SecretString;
use serde::Deserialize;

use self::check::Misset;
use crate::books::Slug;
use crate::localpg::default_data_dir;

/// A test deployment has its own database and keys ([`deployment`]); sandbox channels exist only there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Test,
    Live,
}

impl Mode {
    pub fn is_live(self) -> bool {
        self == Self::Live
    }

    /// As in the configuration and in front of each key's id.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::Test, Self::Live].into_iter().find(|mode| mode.as_str() == name)
    }

    /// Whether a key with this id was given in this mode: `test_ab3k7mnp2qrs`.
    pub fn gave(self, key_id: &str) -> bool {
        key_id.strip_prefix(self.as_str()).is_some_and(|rest| rest.starts_with('_'))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub mode: Mode,
    pub listen: SocketAddr,
    /// Proxies in front of the hub: what they write into X-Forwarded-For is believed.
    pub proxies: Vec<IpAddr>,
    /// How payers and portals reach the hub, without a slash at the end.
    pub public_url: String,
    /// The hub's local time: settlement days and fee days are counted in it.
    pub zone: Zone,
    /// Keys, and the embedded database when none is named.
    pub data_dir: PathBuf,
    pub database: Database,
    /// The hub's own four issuer digits, for baskets of several agencies.
    pub issuer: String,
    pub quote_minutes: u32,
    pub intent_hours: u32,
    pub banks: Vec<Bank>,
    pub channels: BTreeMap<String, Channel>,
    pub statements_folder: Option<PathBuf>,
    pub payments_folder: Option<PathBuf>,
    pub payment_files: PaymentFiles,
    /// The treasury's fund for money that no payer could be found for.
    pub unclaimed_fund: String,
    /// Events older than this leave the feed; kept for ever when it is not set.
    pub events_kept_days: Option<NonZeroU16>,
    pub webhooks: Webhooks,
    pub limits: Limits,
    /// Where a crash test lets the hub stop: `posted:3`, at the third posting. Refused in live mode.
    pub crash_point: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// A server of your own; without it the hub runs a private cluster under `data_dir`.
    pub url: Option<SecretString>,
    pub connections: Option<u32>,
}

/// One bank account of the hub or of an agency.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bank {
    /// The account's short name in the books: `bank/<name>`.
    pub name: String,
    pub account: String,
    pub currency: Currency,
    pub owner: String,
    /// BIC of the bank that holds the account.
    #[serde(default)]
    pub bic: Option<String>,
    /// A bank that takes payment files over HTTP. Statements come by the watched folder or by import.
    #[serde(default)]
    pub endpoint: Option<mizan_adapters::bank::rest::Settings>,
    /// The most that the bank keeps of an order of ours that it returns, as a decimal amount; without it, nothing.
    #[serde(default)]
    pub return_charge_max: Option<String>,
}

/// An account number as it is compared: no spaces, capitals.
pub fn account_number(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// How one channel settles and where; its dialect stands in `kind`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub kind: ChannelKind,
    pub name_ar: String,
    pub name_en: String,
    /// Bank name (of `banks`) per currency into which the rail settles; of a direct channel the number of the agency's
    /// own account.
    pub settles_into: BTreeMap<String, String>,
    /// Money mode `direct`: the rail pays this agency itself. The hub holds nothing of it and is only told.
    #[serde(default)]
    pub direct_to: Option<Slug>,
    #[serde(default)]
    pub cost_rate: Option<Rate>,
    /// Per currency, as a decimal amount.
    #[serde(default)]
    pub cost_fixed: BTreeMap<String, String>,
    /// Days from the settlement day until the bank shows the money, before a break is opened.
    #[serde(default)]
    pub settles_within_days: u16,
    /// Minutes a started attempt may stay silent before it is asked about.
    #[serde(default = "default_attempt_minutes")]
    pub attempt_minutes: u32,
    /// Of a `hosted_card` channel: endpoint, merchant, callback keys.
    #[serde(default)]
    pub gateway: Option<mizan_adapters::gateway::hosted::Settings>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A card gateway with a hosted page and HMAC-signed callbacks (docs/SANDBOX.md).
    HostedCard,
    /// Transfers to the hub's account, found on its statement by RF reference or bill number.
    BankTransfer,
}

/// Where webhooks may be sent. In test mode the loopback is allowed too.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Hosts of portals: `portal.example`, or `*.example` for all below it.
    pub hosts: Vec<String>,
    /// Networks that are not public but in which portals stand: `10.20.0.0/16`.
    pub networks: Vec<String>,
    /// Certificates to trust beside the system's, in PEM.
    pub trusted_roots_pem: Option<String>,
    /// From the first step to the last byte of the answer.
    pub timeout_ms: u64,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { hosts: Vec::new(), networks: Vec::new(), trusted_roots_pem: None, timeout_ms: 10_000 }
    }
}

/// Nothing can be started with it.
#[derive(Debug, thiserror::Error)]
pub enum NoConfig {
    #[error(transparent)]
    Unread(#[from] config::ConfigError),
    #[error("{}", lines(.0))]
    Misset(Vec<Misset>),
}

/// One below the other, after the name of the command.
fn lines(missets: &[Misset]) -> String {
    missets.iter().map(|misset| format!("\n  {misset}")).collect()
}

/// Files of payment orders.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentFiles {
    /// How long an approved transfer waits for others to go with it in one file.
    pub gather_seconds: u32,
    /// How a bank wants its files, by the name of the account; pain.001.001.09 in Unicode with one debit per order
    /// where nothing is said.
    pub profiles: BTreeMap<String, mizan_adapters::payment_file::Profile>,
}

impl Default for PaymentFiles {
    fn default() -> Self {
        Self { gather_seconds: 60, profiles: BTreeMap::new() }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub body_bytes_max: usize,
    pub statement_bytes_max: usize,
    /// Requests per second and key.
    pub requests_per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

fn default_attempt_minutes() -> u32 {
    35
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 1 << 20,
            statement_bytes_max: 64 << 20,
            requests_per_second: const { NonZeroU32::new(1_000).unwrap() },
            burst: const { NonZeroU32::new(2_000).unwrap() },
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Test,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            proxies: Vec::new(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            zone: "Asia/Hebron".parse().unwrap_or(Zone::utc()),
            data_dir: default_data_dir(),
            database: Database::default(),
            issuer: "9000".to_owned(),
            quote_minutes: 30,
            intent_hours: 72,
            banks: Vec::new(),
            channels: BTreeMap::new(),
            statements_folder: None,
            payments_folder: None,
            payment_files: PaymentFiles::default(),
            unclaimed_fund: "general".to_owned(),
            events_kept_days: None,
            webhooks: Webhooks::default(),
            limits: Limits::default(),
            crash_point: None,
        }
    }
}

impl Config {
    /// Over https; in test mode however it is convenient.
    pub fn is_reached_safely(&self) -> bool {
        !self.mode.is_live() || self.public_url.starts_with("https://")
    }

    /// Reads the file (if any) and the environment, and checks what they say.
    ///
    /// # Errors
    /// As [`Config::read`], or everything that [`Config::check`] has found.
    pub fn load(file: Option<&Path>) -> Result<Self, NoConfig> {
        let config = Self::read(file)?;
        let missets = config.check();
        if missets.is_empty() { Ok(config) } else { Err(NoConfig::Misset(missets)) }
    }

    /// Reads the file (if any) and the environment.
    ///
    /// # Errors
    /// An unreadable file, an unknown key or a value of the wrong type, with its place.
    pub fn read(file: Option<&Path>) -> Result<Self, config::ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
        }
        builder
            .add_source(config::Environment::with_prefix("MIZAN").separator("__").prefix_separator("__"))
            .build()?
            .try_deserialize()
    }

    /// The agency that a channel pays itself, past the hub.
    pub fn direct_agency(&self, channel: &str) -> Option<&Slug> {
        self.channels.get(channel)?.direct_to.as_ref()
    }

    /// Where a channel's money is awaited: the name of a bank of the hub, or `agency/<code>` for what it pays an agency
    /// itself.
    pub fn settlement_account(&self, channel: &str, currency: Currency) -> Option<String> {
        match self.direct_agency(channel) {
            Some(agency) => Some(format!("agency/{agency}")),
            None => self.settlement_bank(channel, currency).map(|bank| bank.name.clone()),
        }
    }

    /// The bank of the hub that a channel settles a currency into.
    pub fn settlement_bank(&self, channel: &str, currency: Currency) -> Option<&Bank> {
        let settings = self.channels.get(channel).filter(|settings| settings.direct_to.is_none())?;
        let name = settings.settles_into.get(currency.code())?;
        self.banks.iter().find(|bank| bank.name == *name && bank.currency == currency)
    }
}
