//! The card gateway's orders: opened by a merchant, paid or declined once on the hosted page.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::amount::{Amount, Currency};
use super::books::{Books, Party};
use super::callback::Event;
use super::config::Merchant;
use super::refunds::Refund;
use super::refusal::Refusal;
use super::settlement::{Item, Kind, Settlement};
use super::world::{COUNT_MAX, World};

const SESSION_LIFE: SignedDuration = SignedDuration::from_mins(30);

/// The gateway's memory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Gateway {
    pub desks: BTreeMap<String, Desk>,
    /// Session to merchant and order.
    sessions: BTreeMap<String, (String, String)>,
    last_transaction: u64,
}

/// What the gateway keeps for one merchant.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Desk {
    pub orders: BTreeMap<String, Order>,
    /// Transaction of a capture to its order.
    pub captures: BTreeMap<String, String>,
    pub refunds: BTreeMap<String, Refund>,
    pub unsettled: Vec<Item>,
    /// Dropped from their settlement by a fault; still owed.
    pub forgotten: Vec<Item>,
    pub settlements: Vec<Settlement>,
}

/// One payment asked for by a merchant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    pub order: String,
    pub session: String,
    #[serde(flatten)]
    pub amount: Amount,
    /// Refunded or being refunded.
    pub given_back: Amount,
    pub description: String,
    pub language: Language,
    pub return_url: String,
    pub callback_url: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was captured or declined.
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    pub end: Option<End>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    Ar,
    En,
}

/// How an order ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Captured { transaction: String, reversed: bool },
    Declined { transaction: String, reason: Reason },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    InsufficientFunds,
    DoNotHonour,
    ExpiredCard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Captured,
    Declined,
    Expired,
    Reversed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Captured => "CAPTURED",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
            Self::Reversed => "REVERSED",
        }
    }
}

/// What the payer chose on the hosted page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Approve,
    Decline(Option<Reason>),
}

/// What a merchant asks for.
#[derive(Debug)]
pub struct NewOrder {
    pub order: String,
    pub amount: Amount,
    pub description: String,
    pub language: Language,
    pub return_url: String,
    pub callback_url: String,
}

impl Gateway {
    pub fn new(merchants: &[Merchant]) -> Self {
        let mut gateway = Self::default();
        gateway.add_merchants(merchants);
        gateway
    }

    pub fn add_merchants(&mut self, merchants: &[Merchant]) {
        for merchant in merchants {
            self.desks.entry(merchant.id.clone()).or_default();
        }
    }

    pub fn desk(&mut self, merchant: &str) -> &mut Desk {
        self.desks.entry(merchant.to_owned()).or_default()
    }

    /// The merchant and the order of a session.
    pub fn find_session(&self, session: &str) -> Option<(&str, &Order)> {
        let (merchant, order) = self.sessions.get(session)?;
        Some((merchant, self.desks.get(merchant)?.orders.get(order)?))
    }

    pub fn next_transaction(&mut self, prefix: usize) -> String {
        self.last_transaction += 1;
        format!("T{prefix}{:06}", self.last_transaction)
    }

    /// Whether the books owe every merchant the sum of what is not settled.
    pub fn agrees_with(&self, books: &Books) -> bool {
        self.desks.iter().all(|(merchant, desk)| {
            let settled = desk.settlements.iter().map(|settlement| settlement.net.currency);
            let mut sums: BTreeMap<Currency, Amount> =
                settled.map(|currency| (currency, Amount::zero(currency))).collect();
            for item in desk.unsettled.iter().chain(&desk.forgotten) {
                let sum =
                    sums.entry(item.amount.currency).or_insert_with(|| Amount::zero(item.amount.currency));
                *sum = sum.plus(item.owed());
            }
            sums.iter()
                .all(|(currency, sum)| books.balance(&Party::Merchant(merchant.clone()), *currency) == *sum)
        })
    }
}

impl Order {
    pub fn status(&self, now: Timestamp) -> Status {
        match &self.end {
            Some(End::Captured { reversed: true, .. }) => Status::Reversed,
            Some(End::Captured { .. }) => Status::Captured,
            Some(End::Declined { .. }) => Status::Declined,
            None if now >= self.expires_at => Status::Expired,
            None => Status::Open,
        }
    }

    pub fn transaction(&self) -> Option<&str> {
        match self.end.as_ref()? {
            End::Captured { transaction, .. } | End::Declined { transaction, .. } => Some(transaction),
        }
    }

    /// What of a captured order is neither refunded nor being refunded nor reversed.
    pub fn refundable(&self) -> Amount {
        match &self.end {
            Some(End::Captured { reversed: false, .. }) => self.amount.minus(self.given_back),
            _ => Amount::zero(self.amount.currency),
        }
    }

    pub fn reason(&self) -> Option<Reason> {
        match self.end.as_ref()? {
            End::Declined { reason, .. } => Some(*reason),
            End::Captured { .. } => None,
        }
    }
}

impl World {
    /// Opens an order, or finds the one already opened: the flag says which.
    pub fn open_order(&mut self, merchant: &str, new: NewOrder) -> Result<(Order, bool), Refusal> {
        let (now, token) = (self.now(), self.seed.token("session", &[merchant, &new.order]));
        let desk = self.kept.gateway.desk(merchant);
        if let Some(order) = desk.orders.get(&new.order) {
            if order.amount == new.amount {
                return Ok((order.clone(), false));
            }
            return Err(Refusal::conflict(
                "order_exists",
                "this order was opened with another amount or currency",
            ));
        }
        if desk.orders.len() >= COUNT_MAX {
            return Err(Refusal::conflict("sandbox_full", "a million orders are enough"));
        }
        let order = Order {
            session: format!("gs_{token}"),
            order: new.order,
            amount: new.amount,
            given_back: Amount::zero(new.amount.currency),
            description: new.description,
            language: new.language,
            return_url: new.return_url,
            callback_url: new.callback_url,
            created_at: now,
            expires_at: now.saturating_add(SESSION_LIFE).unwrap_or(now),
            decided_at: None,
            end: None,
        };
        desk.orders.insert(order.order.clone(), order.clone());
        let place = (merchant.to_owned(), order.order.clone());
        self.kept.gateway.sessions.insert(order.session.clone(), place);
        Ok((order, true))
    }

    /// The payer's choice; the first one counts, and none after the session has expired.
    pub fn pay(&mut self, session: &str, choice: Choice) -> Option<Order> {
        let now = self.now();
        let (merchant, order) = self.kept.gateway.find_session(session)?;
        let (merchant, mut order) = (merchant.to_owned(), order.clone());
        if order.status(now) != Status::Open {
            return Some(order);
        }
        let transaction = self.next_transaction();
        let end = match choice {
            Choice::Approve => {
                self.capture(&merchant, &order, &transaction);
                End::Captured { transaction, reversed: false }
            }
            Choice::Decline(reason) => {
                let reason = reason.unwrap_or_else(|| self.some_reason(&order.order));
                End::Declined { transaction, reason }
            }
        };
        order.decided_at = Some(now);
        order.end = Some(end);
        self.kept.gateway.desk(&merchant).orders.insert(order.order.clone(), order.clone());
        let event = Event::of_payment(&merchant, &order, now);
        self.send(&order.callback_url, &[&order.order], event);
        Some(order)
    }

    fn capture(&mut self, merchant: &str, order: &Order, transaction: &str) {
        let owed = Party::Merchant(merchant.to_owned());
        self.kept.books.post(self.kept.day, Party::Cards, owed, order.amount, transaction);
        let contract =
            self.config.merchant(merchant).and_then(|merchant| merchant.contract(order.amount.currency));
        let cost =
            contract.map_or(Amount::zero(order.amount.currency), |contract| contract.cost(order.amount));
        let (transaction, order_name) = (transaction.to_owned(), order.order.clone());
        let item = Item {
            transaction: transaction.clone(),
            order: order_name.clone(),
            kind: Kind::Payment,
            amount: order.amount,
            cost,
        };
        let desk = self.kept.gateway.desk(merchant);
        desk.unsettled.push(item);
        desk.captures.insert(transaction, order_name);
    }

    pub fn next_transaction(&mut self) -> String {
        let prefix = 1000 + self.seed.below(9000, "transaction", &[]);
        self.kept.gateway.next_transaction(prefix)
    }

    fn some_reason(&self, order: &str) -> Reason {
        [Reason::InsufficientFunds, Reason::DoNotHonour, Reason::ExpiredCard]
            [self.seed.below(3, "reason", &[order])]
    }
}
