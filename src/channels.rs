//! The outside parties of this deployment: each configured channel with what its adapter can do.

use std::collections::BTreeMap;

use mizan_adapters::bank::rest;
use mizan_adapters::channel::Channel;
use mizan_adapters::gateway::{ContractCost, hosted};
use mizan_ledger::{Currency, Money, MoneyError, Rounding};

use crate::config::{self, ChannelKind, Config};

/// By instance name, as in configuration and in `/channels/{instance}`.
#[derive(Debug, Default)]
pub struct Channels {
    channels: BTreeMap<String, Channel>,
    costs: BTreeMap<(String, Currency), ContractCost>,
    /// The banks that answer over HTTP, by their name in the books.
    banks: BTreeMap<String, Channel>,
    /// By the bank's name in the books.
    return_charges: BTreeMap<String, Money>,
}

/// The configuration does not make a channel.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("channel {0}: {1} is missing")]
    Missing(String, &'static str),
    #[error("channel {0}: {1}")]
    Refused(String, String),
}

impl Channels {
    /// # Errors
    /// A channel without what its kind needs, or whose settings its adapter refuses.
    pub fn new(config: &Config) -> Result<Self, ChannelError> {
        let mut channels = Self::default();
        for (instance, settings) in &config.channels {
            let adapter = channel(instance, settings)?;
            if settings.direct_to.is_some() && adapter.settlements.is_none() {
                let why = "it pays an agency itself, but does not report what it paid".to_owned();
                return Err(ChannelError::Refused(instance.clone(), why));
            }
            channels.channels.insert(instance.clone(), adapter);
            for (currency, cost) in costs(instance, settings)? {
                channels.costs.insert((instance.clone(), currency), cost);
            }
        }
        for bank in &config.banks {
            let refuse =
                |error: &dyn std::fmt::Display| ChannelError::Refused(bank.name.clone(), error.to_string());
            if let Some(text) = &bank.return_charge_max {
                let charge = Money::parse(text, bank.currency).ok().filter(|charge| !charge.is_negative());
                let charge =
                    charge.ok_or_else(|| refuse(&format!("return_charge_max: {text} is no amount")))?;
                channels.return_charges.insert(bank.name.clone(), charge);
            }
            if let Some(settings) = &bank.endpoint {
                let adapter = rest::Bank::new(settings).map_err(|error| refuse(&error))?;
                channels.banks.insert(bank.name.clone(), adapter.channel(&bank.name));
            }
        }
        Ok(channels)
    }

    /// Puts another party in the place of a channel's: the simulation's own.
    #[must_use]
    pub fn with(mut self, party: Channel) -> Self {
        self.channels.insert(party.instance.clone(), party);
        self
    }

    /// Puts another party in the place of the bank of this account.
    #[must_use]
    pub fn with_bank(mut self, name: &str, party: Channel) -> Self {
        self.banks.insert(name.to_owned(), party);
        self
    }

    pub fn get(&self, instance: &str) -> Option<&Channel> {
        self.channels.get(instance)
    }

    /// The bank that takes payment files for an account and gives its statements, if it answers over HTTP.
    pub fn bank(&self, name: &str) -> Option<&Channel> {
        self.banks.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Channel)> {
        self.channels.iter().map(|(instance, channel)| (instance.as_str(), channel))
    }

    /// The most that a bank keeps of an order of ours that it returns; zero for one that may keep nothing.
    pub fn return_charge_max(&self, bank: &str, currency: Currency) -> Money {
        self.return_charges.get(bank).copied().unwrap_or(Money::zero(currency))
    }

    /// What the channel keeps of a payment by contract; zero without one.
    pub fn cost(&self, instance: &str, payment: Money) -> Result<Money, MoneyError> {
        match self.costs.get(&(instance.to_owned(), payment.currency())) {
            Some(contract) => contract.of(payment),
            None => Ok(Money::zero(payment.currency())),
        }
    }
}

fn channel(instance: &str, settings: &config::Channel) -> Result<Channel, ChannelError> {
    match settings.kind {
        ChannelKind::HostedCard => {
            let gateway = settings.gateway.clone();
            let gateway = gateway.ok_or_else(|| ChannelError::Missing(instance.to_owned(), "[gateway]"))?;
            let gateway = hosted::Gateway::new(gateway)
                .map_err(|error| ChannelError::Refused(instance.to_owned(), error.to_string()))?;
            Ok(gateway.channel(instance))
        }
        ChannelKind::BankTransfer => Ok(Channel { instance: instance.to_owned(), ..Channel::default() }),
    }
}

/// The contract per currency the channel settles in.
fn costs(instance: &str, settings: &config::Channel) -> Result<Vec<(Currency, ContractCost)>, ChannelError> {
    let Some(rate) = settings.cost_rate else { return Ok(Vec::new()) };
    let refuse = |error: String| ChannelError::Refused(instance.to_owned(), error);
    let mut costs = Vec::new();
    for code in settings.settles_into.keys() {
        let currency: Currency = code.parse().map_err(|error| refuse(format!("settles_into: {error}")))?;
        let fixed = settings.cost_fixed.get(code).map_or(Ok(Money::zero(currency)), |text| {
            Money::parse(text, currency).map_err(|error| refuse(format!("cost_fixed.{code}: {error}")))
        })?;
        costs.push((currency, ContractCost { rate, fixed_minor: fixed.minor(), rounding: Rounding::HalfUp }));
    }
    Ok(costs)
}
