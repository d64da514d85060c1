//! The gateway's end of day: what it pays to each merchant, and what it takes back.

use mizan_adapters::channel::{Meaning, Notice, Settlement, SettlementItem, SettlementKind};
use mizan_adapters::outcome::Outcome;
use mizan_ledger::{Currency, Day, Money};

use super::accounts::Fact;
use super::bank::Line;
use super::gateway::sealed;
use super::world::{Letter, MERCHANTS, Page, PageState, RefundEnd, World};

/// 1.45 percent and a fixed part, in minor units: the contract of the example deployment.
const RATE_PER_MYRIAD: i64 = 145;

fn contract(money: Money) -> i64 {
    let fixed = match money.currency() {
        Currency::ILS => 50,
        Currency::JOD => 100,
        _ => 15,
    };
    (money.minor() * RATE_PER_MYRIAD * 2 + 10_000) / 20_000 + fixed
}

impl World {
    /// One net payment per merchant and currency for what is ready; some parts come a day late, some cost more than
    /// agreed. What belongs to an agency itself is paid past our accounts.
    pub(super) fn settle(&mut self) {
        self.reverse();
        for merchant in MERCHANTS {
            let mut settlements = Vec::new();
            for currency in [Currency::ILS, Currency::JOD, Currency::USD] {
                settlements.extend(self.settle_one(merchant, currency));
            }
            self.reports.insert((merchant, self.day), settlements);
        }
    }

    fn settle_one(&mut self, merchant: &'static str, currency: Currency) -> Option<Settlement> {
        let items = self.ready(merchant, currency);
        if items.is_empty() {
            return None;
        }
        let kinds = |kind| items.iter().filter(move |item| item.kind == kind);
        let sum = |minors: &mut dyn Iterator<Item = i64>| Money::new(minors.sum(), currency);
        let gross = sum(&mut kinds(SettlementKind::Payment).map(|item| item.gross.minor()));
        let refunds = sum(&mut kinds(SettlementKind::Refund).map(|item| item.gross.minor()));
        let mut costs = sum(&mut items.iter().map(|item| item.cost.minor()));
        if self.errs(10, "settlement costs more") {
            costs = Money::new(costs.minor() + self.dice.between(1, 300), currency);
        }
        let net = Money::new(gross.minor() - refunds.minor() - costs.minor(), currency);
        let reference = self.next_name("SETL");
        if merchant == MERCHANTS[0] {
            let text = format!("SETTLEMENT {reference} MERCHANT MIZAN");
            let line = Line { text, ..Line::new(self.next_name("B"), net) };
            self.book(currency, line);
        }
        Some(Settlement { reference, currency, gross, refunds, costs, net, items })
    }

    /// The card's bank takes a settled payment back.
    fn reverse(&mut self) {
        let settled: Vec<String> = self
            .pages
            .iter()
            .filter(|(_, page)| {
                matches!(&page.state, PageState::Captured { transaction, settled: true, reversed: false, .. }
                    if self.left_of(transaction) == page.money.minor())
            })
            .map(|(order, _)| order.clone())
            .collect();
        if settled.is_empty() || !self.errs(25, "payment reversed") {
            return;
        }
        let Some(order) = self.dice.pick(&settled).cloned() else { return };
        let told = self.notice_of(&order);
        let at = self.now();
        if let Some(Page { state: PageState::Captured { reversed, settled, .. }, .. }) =
            self.pages.get_mut(&order)
        {
            (*reversed, *settled) = (true, false);
        }
        if let Some((merchant, captured)) = told {
            let (meaning, status) = (Meaning::Reversed, "REVERSED".to_owned());
            let (transaction, original_transaction) = self.chargeback_names(captured.transaction.clone());
            // It may name the payment alone.
            let nameless = original_transaction.is_some() && self.dice.chance(30);
            let told =
                Notice { meaning, status, transaction, original_transaction, occurred_at: at, ..captured };
            if nameless {
                let raw = sealed(&Notice { reference: self.next_name("CASE"), ..told });
                let fact = Some(Fact::Reversed { order });
                self.mail.push(Letter { merchant, raw, not_before: at, fact });
            } else {
                self.send(merchant, &told);
            }
        }
    }

    /// Gateways number chargebacks as the payment, or by themselves, and then name the payment or leave that to the order.
    fn chargeback_names(&mut self, captured: String) -> (String, Option<String>) {
        match self.dice.below(3) {
            0 => (captured, None),
            1 => (self.next_name("CB"), Some(captured)),
            _ => (self.next_name("CB"), None),
        }
    }

    pub(super) fn report_settlements(
        &mut self,
        merchant: &'static str,
        day: Day,
    ) -> Outcome<Option<Vec<Settlement>>> {
        if self.errs(10, "report unanswered") {
            return Outcome::Unknown { why: "no answer".to_owned() };
        }
        Outcome::Accepted(
            (day < self.day).then(|| self.reports.get(&(merchant, day)).cloned().unwrap_or_default()),
        )
    }

    fn ready(&mut self, merchant: &'static str, currency: Currency) -> Vec<SettlementItem> {
        let mut items = Vec::new();
        let captured: Vec<String> = self
            .pages
            .iter()
            .filter(|(_, page)| {
                let is_theirs = page.merchant == merchant && page.money.currency() == currency;
                is_theirs && matches!(page.state, PageState::Captured { settled: false, .. })
            })
            .map(|(order, _)| order.clone())
            .collect();
        for order in captured {
            if self.errs(5, "settled a day late") {
                continue;
            }
            let is_forgotten = self.errs(2, "never settled");
            let Some(page) = self.pages.get_mut(&order) else { continue };
            let PageState::Captured { transaction, settled, reversed, .. } = &mut page.state else {
                continue;
            };
            *settled = true;
            let (kind, cost) = match reversed {
                true => (SettlementKind::Refund, 0),
                false => (SettlementKind::Payment, contract(page.money)),
            };
            if is_forgotten {
                continue;
            }
            let cost = Money::new(cost, currency);
            let transaction = transaction.clone();
            items.push(SettlementItem { transaction, reference: order, kind, gross: page.money, cost });
        }
        let zero = Money::zero(currency);
        for (reference, refund) in &mut self.refunds {
            let ready = refund.state == RefundEnd::Done && !refund.settled && refund.merchant == merchant;
            if ready && refund.money.currency() == currency {
                refund.settled = true;
                let (transaction, reference) = (refund.transaction.clone(), reference.clone());
                let kind = SettlementKind::Refund;
                items.push(SettlementItem { transaction, reference, kind, gross: refund.money, cost: zero });
            }
        }
        items
    }
}
