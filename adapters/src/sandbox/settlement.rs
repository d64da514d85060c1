//! The gateway's end of day: one net amount for each merchant and currency, paid into the merchant's account.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::amount::{Amount, Currency};
use super::bank::{Counterparty, Line, LineKind};
use super::books::Party;
use super::faults::take;
use super::world::World;

/// One payment or refund in a settlement; a reversal is a refund under the payment's own transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub transaction: String,
    /// The order, or the refund's own reference.
    pub order: String,
    pub kind: Kind,
    pub amount: Amount,
    pub cost: Amount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Payment,
    Refund,
}

/// What the gateway paid, or took, for one merchant, currency and day.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settlement {
    pub settlement: String,
    pub day: Date,
    pub gross: Amount,
    pub refunds: Amount,
    pub costs: Amount,
    pub net: Amount,
    pub items: Vec<Item>,
}

impl Item {
    /// What the gateway owes the merchant for it, before costs.
    pub fn owed(&self) -> Amount {
        if self.kind == Kind::Payment { self.amount } else { self.amount.negated() }
    }
}

impl Settlement {
    fn new(settlement: String, day: Date, currency: Currency, items: Vec<Item>) -> Self {
        let sum =
            |amounts: &mut dyn Iterator<Item = Amount>| amounts.fold(Amount::zero(currency), Amount::plus);
        let gross = sum(&mut items.iter().filter(|item| item.kind == Kind::Payment).map(|item| item.amount));
        let refunds =
            sum(&mut items.iter().filter(|item| item.kind != Kind::Payment).map(|item| item.amount));
        let costs = sum(&mut items.iter().map(|item| item.cost));
        Self { settlement, day, gross, refunds, costs, net: gross.minus(refunds).minus(costs), items }
    }
}

impl World {
    /// Settles the open day for every merchant and currency in which there is anything to settle.
    pub fn settle(&mut self) {
        let mut numbers: std::collections::BTreeMap<Currency, u32> = std::collections::BTreeMap::new();
        let merchants: Vec<String> = self.kept.gateway.desks.keys().cloned().collect();
        for merchant in merchants {
            let unsettled = &self.kept.gateway.desk(&merchant).unsettled;
            let currencies: BTreeSet<Currency> = unsettled.iter().map(|item| item.amount.currency).collect();
            for currency in currencies {
                let items = self.take_items(&merchant, currency);
                if items.is_empty() {
                    continue;
                }
                let number = numbers.entry(currency).or_default();
                *number += 1;
                let name = format!("S{}{}{number:02}", self.kept.day.strftime("%Y%m%d"), currency.code());
                self.settle_items(&merchant, name, currency, items);
            }
        }
    }

    /// The items of this settlement: all in this currency but those a fault delays or drops.
    fn take_items(&mut self, merchant: &str, currency: Currency) -> Vec<Item> {
        let faults = &mut self.kept.faults;
        let desk = self.kept.gateway.desks.entry(merchant.to_owned()).or_default();
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for item in desk.unsettled.drain(..) {
            if item.amount.currency != currency || take(&mut faults.settle_next_day, &item.order) {
                left.push(item);
            } else if take(&mut faults.drop_from_settlement, &item.order) {
                desk.forgotten.push(item);
            } else {
                taken.push(item);
            }
        }
        desk.unsettled = left;
        taken
    }

    fn settle_items(&mut self, merchant: &str, name: String, currency: Currency, items: Vec<Item>) {
        let day = self.kept.day;
        let mut settlement = Settlement::new(name, day, currency, items);
        let extra =
            self.kept.faults.settlement_cost.as_deref().and_then(|text| Amount::parse_signed(text, currency));
        if let Some(extra) = extra {
            self.kept.faults.settlement_cost = None;
            settlement.costs = settlement.costs.plus(extra);
            settlement.net = settlement.net.minus(extra);
        }
        let owed = Party::Merchant(merchant.to_owned());
        self.kept.books.post(day, owed.clone(), Party::Earned, settlement.costs, &settlement.settlement);
        let contract = self.config.merchant(merchant).and_then(|merchant| merchant.contract(currency));
        // A contract that has gone from the settings leaves its money with the gateway, owed as before.
        if let Some(account) = contract.map(|contract| contract.account.clone()) {
            let line = Line {
                bank_reference: self.next_reference(),
                amount: settlement.net,
                kind: LineKind::CardSettlement,
                reference: None,
                text: format!("SETTLEMENT {} MERCHANT {merchant}", settlement.settlement),
                counterparty: Some(Counterparty { name: "SANDBOX CARD GATEWAY".into(), account: None }),
                returned: None,
            };
            self.book(&account, owed, line);
        }
        self.kept.gateway.desk(merchant).settlements.push(settlement);
    }
}
