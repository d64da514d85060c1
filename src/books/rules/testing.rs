//! Words for the tests of the rules: amounts in JOD (three decimals), entries as text.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::account::{Account, Class, Side};
use mizan_ledger::balance::Balance;
use mizan_ledger::entry::Entry;
use mizan_ledger::{Currency, Day, EntryId, Id, Money};
use serde_json::Map;

use super::draft::RuleError;
use super::terms::{
    Beneficiary, CostBearer, Difference, Exemption, Parked, Payment, Place, RailCost, Share, Stage, Voucher,
};
use crate::books::Slug;

pub(super) fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

pub(super) fn jod(text: &str) -> Money {
    Money::parse(text, Currency::JOD).unwrap()
}

pub(super) fn voucher() -> Voucher {
    Voucher {
        id: EntryId::from_uuid(uuid::Uuid::from_u128(1)),
        effective_on: Day::new(2026, 3, 1).unwrap(),
        actor: "channel:e-sadad".to_owned(),
        source_ref: "pi_example".to_owned(),
        meta: Map::new(),
    }
}

/// `held:psi`, `payable:psi`, `tax:psi/vat`, `treasury:general`, `fee`, `fee-tax`, `suspense:e-sadad`.
pub(super) fn beneficiary(text: &str) -> Beneficiary {
    match text.split_once(':') {
        Some(("held", agency)) => Beneficiary::Agency { agency: slug(agency), stage: Stage::Held },
        Some(("payable", agency)) => Beneficiary::Agency { agency: slug(agency), stage: Stage::Payable },
        Some(("direct", agency)) => Beneficiary::Agency { agency: slug(agency), stage: Stage::Direct },
        Some(("tax", path)) => {
            let (agency, tax) = path.split_once('/').unwrap();
            Beneficiary::AgencyTax { agency: slug(agency), tax: slug(tax) }
        }
        Some(("treasury", fund)) => Beneficiary::Treasury { fund: slug(fund) },
        Some(("suspense", suspense)) => Beneficiary::Suspense { suspense: slug(suspense) },
        None if text == "fee" => Beneficiary::HubFee,
        None if text == "fee-tax" => Beneficiary::HubTax,
        _ => panic!("{text} is no beneficiary"),
    }
}

/// `held:psi 10.000, fee 0.500`.
pub(super) fn shares(text: &str) -> Vec<Share> {
    let share = |part: &str| {
        let (whose, amount) = part.trim().split_once(' ').unwrap();
        Share { beneficiary: beneficiary(whose), amount: jod(amount) }
    };
    text.split(',').map(share).collect()
}

/// `e-sadad 1.000`.
pub(super) fn parked(text: &str) -> Parked {
    let (suspense, amount) = text.split_once(' ').unwrap();
    Parked { suspense: slug(suspense), amount: jod(amount) }
}

pub(super) fn channel(name: &str) -> Place {
    Place::Channel { channel: slug(name) }
}

pub(super) fn drawer(counter: &str) -> Place {
    Place::Drawer { counter: slug(counter) }
}

pub(super) fn hub_bears(channel: &str, amount: &str) -> RailCost {
    RailCost { channel: slug(channel), amount: jod(amount), borne_by: CostBearer::Hub }
}

pub(super) fn agency_bears(agency: &str, channel: &str, amount: &str) -> RailCost {
    let borne_by = CostBearer::Agency { agency: slug(agency), stage: Stage::Payable };
    RailCost { borne_by, ..hub_bears(channel, amount) }
}

pub(super) fn waived(agency: &str, amount: &str) -> Exemption {
    Exemption::Waived { agency: slug(agency), amount: jod(amount) }
}

pub(super) fn payment(place: Place, received: &str, components: &str) -> Payment {
    Payment {
        place,
        received: jod(received),
        shares: shares(components),
        difference: Difference::None,
        exemptions: Vec::new(),
        costs: Vec::new(),
    }
}

/// An entry as `kind: D account amount, C account amount`.
#[track_caller]
pub(super) fn text(entry: Result<Entry, RuleError>) -> String {
    let entry = entry.unwrap();
    let line = |line: &mizan_ledger::entry::Line| {
        let side = if line.side() == Side::Debit { 'D' } else { 'C' };
        format!("{side} {} {}", line.account().code, line.money().amount())
    };
    let lines: Vec<String> = entry.lines().iter().map(line).collect();
    format!("{}: {}", entry.kind(), lines.join(", "))
}

/// The same, where the expected text may be broken over lines for reading.
#[track_caller]
pub(super) fn enters(entry: Result<Entry, RuleError>, expected: &str) {
    assert_eq!(text(entry), expected.split_whitespace().collect::<Vec<_>>().join(" "));
}

/// The words of a refusal.
#[track_caller]
pub(super) fn refusal(entry: Result<Entry, RuleError>) -> String {
    entry.expect_err("a refusal").to_string()
}

/// The names of all rules, as their files say: public functions that make an entry.
pub(super) fn rule_names() -> BTreeSet<&'static str> {
    let files = [
        include_str!("bank.rs"),
        include_str!("cash.rs"),
        include_str!("channel.rs"),
        include_str!("collect.rs"),
        include_str!("dispute.rs"),
        include_str!("instalments.rs"),
        include_str!("own.rs"),
        include_str!("payout.rs"),
        include_str!("refund.rs"),
        include_str!("suspense.rs"),
    ];
    let rules = files.iter().flat_map(|file| file.split("\npub fn ").skip(1)).filter_map(|function| {
        let (signature, _) = function.split_once(" {\n")?;
        let (name, _) = signature.split_once('(')?;
        signature.contains("Result<Entry, RuleError>").then_some(name)
    });
    rules.collect()
}

/// A book in memory that keeps the limits of the chart as the real one does.
#[derive(Default)]
pub(super) struct Story {
    pub(super) accounts: BTreeMap<String, (Account, Balance)>,
    pub(super) kinds: BTreeSet<String>,
    pub(super) entries: usize,
}

impl Story {
    #[track_caller]
    pub(super) fn tell(&mut self, entry: Result<Entry, RuleError>) {
        let entry = entry.unwrap();
        for line in entry.lines() {
            let code = line.account().code.to_string();
            let told = self.accounts.entry(code).or_insert((line.account().clone(), Balance::default()));
            told.1 = told.1.after(line.signed_minor()).unwrap();
        }
        for line in entry.lines() {
            let (account, _) = &self.accounts[line.account().code.as_str()];
            let stands = self.of(account.code.as_str()).minor();
            assert!(account.floor_minor.is_none_or(|floor| stands >= floor), "{} at {stands}", account.code);
        }
        self.kinds.insert(entry.kind().to_owned());
        self.entries += 1;
    }

    /// The balance on the account's normal side.
    pub(super) fn of(&self, code: &str) -> Money {
        let minor = self.accounts.get(code).map_or(0, |(account, sums)| sums.on(account.class.normal_side()));
        Money::new(minor, Currency::JOD)
    }

    #[track_caller]
    pub(super) fn stands(&self, expected: &[(&str, &str)]) {
        for (code, amount) in expected {
            assert_eq!(self.of(code), jod(amount), "{code}");
        }
    }

    pub(super) fn total(&self, class: Class) -> i64 {
        self.accounts
            .iter()
            .filter(|(_, (account, _))| account.class == class)
            .map(|(code, _)| self.of(code).minor())
            .sum()
    }
}
