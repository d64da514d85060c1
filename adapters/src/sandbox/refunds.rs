//! Money going back to card holders: refunds asked for by the merchant, and reversals by the card's bank.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::books::Party;
use super::callback::Event;
use super::faults::RefundFault;
use super::gateway::{End, Order};
use super::refusal::Refusal;
use super::settlement::{Item, Kind};
use super::world::{COUNT_MAX, World};

/// One refund of a captured payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refund {
    pub refund: String,
    pub transaction: String,
    /// The transaction and the order of the payment.
    pub original: String,
    pub order: String,
    #[serde(flatten)]
    pub amount: Amount,
    pub status: RefundStatus,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RefundStatus {
    Accepted,
    Refunded,
    Failed,
}

impl Refund {
    pub fn reason(&self) -> Option<&'static str> {
        (self.status == RefundStatus::Failed).then_some("do_not_honour")
    }
}

impl World {
    /// Takes a refund, or finds the one already taken: the flag says which.
    pub fn request_refund(
        &mut self,
        merchant: &str,
        name: &str,
        original: &str,
        amount: Amount,
    ) -> Result<(Refund, bool), Refusal> {
        let desk = self.kept.gateway.desk(merchant);
        if let Some(refund) = desk.refunds.get(name) {
            if refund.amount == amount && refund.original == original {
                return Ok((refund.clone(), false));
            }
            return Err(Refusal::conflict("refund_exists", "this refund was asked for with other money"));
        }
        if desk.refunds.len() >= COUNT_MAX {
            return Err(Refusal::conflict("sandbox_full", "a million refunds are enough"));
        }
        let order = self.find_capture(merchant, original)?;
        if order.amount.currency != amount.currency {
            return Err(Refusal::senseless("currency_mismatch", "the payment was in another currency"));
        }
        if amount > order.refundable() {
            return Err(Refusal::senseless(
                "exceeds_captured",
                "more than what is left of the captured amount",
            ));
        }
        let refund = Refund {
            refund: name.to_owned(),
            transaction: self.next_transaction(),
            original: original.to_owned(),
            order: order.order.clone(),
            amount,
            status: RefundStatus::Accepted,
            created_at: self.now(),
        };
        let desk = self.kept.gateway.desk(merchant);
        desk.refunds.insert(name.to_owned(), refund.clone());
        let given_back = order.given_back.plus(amount);
        desk.orders.insert(order.order.clone(), Order { given_back, ..order.clone() });
        match self.kept.faults.refund(&[name, &order.order]) {
            RefundFault::Normal => self.end_refund(merchant, name, RefundStatus::Refunded),
            RefundFault::Fail => self.end_refund(merchant, name, RefundStatus::Failed),
            RefundFault::Hold => {}
        }
        Ok((refund, true))
    }

    /// At the end of the day every refund still held is settled.
    pub fn settle_held_refunds(&mut self) {
        let mut held = Vec::new();
        for (merchant, desk) in &self.kept.gateway.desks {
            let open = desk.refunds.values().filter(|refund| refund.status == RefundStatus::Accepted);
            held.extend(open.map(|refund| (merchant.clone(), refund.refund.clone())));
        }
        for (merchant, refund) in held {
            self.end_refund(&merchant, &refund, RefundStatus::Refunded);
        }
    }

    fn end_refund(&mut self, merchant: &str, name: &str, status: RefundStatus) {
        let (now, day) = (self.now(), self.kept.day);
        let desk = self.kept.gateway.desk(merchant);
        let Some(refund) = desk.refunds.get_mut(name) else { return };
        refund.status = status;
        let refund = refund.clone();
        let Some(order) = desk.orders.get_mut(&refund.order) else { return };
        if status == RefundStatus::Failed {
            order.given_back = order.given_back.minus(refund.amount);
        }
        let order = order.clone();
        if status == RefundStatus::Refunded {
            let zero = Amount::zero(refund.amount.currency);
            let (transaction, order) = (refund.transaction.clone(), refund.refund.clone());
            desk.unsettled.push(Item {
                transaction,
                order,
                kind: Kind::Refund,
                amount: refund.amount,
                cost: zero,
            });
            let owed = Party::Merchant(merchant.to_owned());
            self.kept.books.post(day, owed, Party::Cards, refund.amount, &refund.transaction);
        }
        let event = Event::of_refund(merchant, &order, &refund, now);
        self.send(&order.callback_url, &[&refund.refund, &order.order], event);
    }

    /// The card's bank takes a captured payment back; one of which nothing was refunded.
    pub fn reverse(&mut self, merchant: &str, name: &str) -> Result<String, Refusal> {
        let unknown = || Refusal::unknown("unknown_order", name);
        let order = self.kept.gateway.desk(merchant).orders.get(name).cloned().ok_or_else(unknown)?;
        let captured = order.transaction().filter(|_| order.refundable() == order.amount);
        let Some(transaction) = captured.map(ToOwned::to_owned) else {
            let message = "only a captured order of which nothing was refunded can be reversed, and once";
            return Err(Refusal::senseless("not_captured", message));
        };
        let (now, day) = (self.now(), self.kept.day);
        let owed = Party::Merchant(merchant.to_owned());
        self.kept.books.post(day, owed, Party::Cards, order.amount, &transaction);
        let desk = self.kept.gateway.desk(merchant);
        desk.unsettled.push(Item {
            transaction: transaction.clone(),
            order: name.to_owned(),
            kind: Kind::Refund,
            amount: order.amount,
            cost: Amount::zero(order.amount.currency),
        });
        let end = End::Captured { transaction: transaction.clone(), reversed: true };
        let order = Order { end: Some(end), ..order };
        desk.orders.insert(name.to_owned(), order.clone());
        self.send(&order.callback_url, &[name], Event::of_payment(merchant, &order, now));
        Ok(transaction)
    }

    fn find_capture(&self, merchant: &str, transaction: &str) -> Result<Order, Refusal> {
        let desk = self.kept.gateway.desks.get(merchant);
        let order = desk.and_then(|desk| desk.orders.get(desk.captures.get(transaction)?));
        order.cloned().ok_or_else(|| Refusal::unknown("unknown_transaction", transaction))
    }
}
