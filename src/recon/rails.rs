//! Which channels meet a bank account: those that settle into it.

use mizan_ledger::Currency;

use crate::config::ChannelKind;
use crate::tx::Hub;

/// A channel that pays us one sum for many payments and tells what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporting {
    pub instance: String,
    /// Days from the settlement day until the bank shows the money.
    pub settles_within_days: u16,
}

/// The channels that settle into the account and report what they settled.
pub fn reporting_channels(hub: &Hub, account: &str, currency: Currency) -> Vec<Reporting> {
    let settling =
        hub.config.channels.iter().filter(|(instance, _)| settles(hub, instance, account, currency));
    settling
        .filter(|(instance, _)| {
            hub.channels.get(instance).is_some_and(|channel| channel.settlements.is_some())
        })
        .map(|(instance, settings)| Reporting {
            instance: instance.clone(),
            settles_within_days: settings.settles_within_days,
        })
        .collect()
}

/// The channel to which a transfer belongs that a payer made straight into the account.
pub fn transfer_channel(hub: &Hub, account: &str, currency: Currency) -> Option<String> {
    let mut channels = hub.config.channels.iter().filter(|(instance, settings)| {
        settings.kind == ChannelKind::BankTransfer && settles(hub, instance, account, currency)
    });
    channels.next().map(|(instance, _)| instance.clone())
}

fn settles(hub: &Hub, instance: &str, account: &str, currency: Currency) -> bool {
    hub.config.settlement_bank(instance, currency).is_some_and(|bank| bank.name == account)
}
