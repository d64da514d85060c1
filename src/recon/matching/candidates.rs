//! What a line tells of itself, and everything it may be.

use std::collections::{BTreeMap, BTreeSet};

use mizan_adapters::reference::BillNumber;
use mizan_ledger::Money;

use super::reading::Named;
use super::settlement::Settlement;
use crate::books::Slug;
use crate::expectations::Expectation;
use crate::expectations::store::reading::Taken;
use crate::ids::{IntentId, RefundId};
use crate::suspense::Item;

/// A booked line that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub id: i64,
    /// The bank account's name in the books.
    pub account: String,
    /// Positive when it came in.
    pub money: Money,
    pub money_key: String,
    pub end_to_end: Option<String>,
    /// Every text of it, one a line.
    pub text: String,
    /// The bills it names.
    pub named: Named,
    /// The inbox has been told of it already.
    pub noticed: bool,
}

/// What is due on a bill of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bill {
    pub intent: IntentId,
    /// What the payer was asked for.
    pub amount: Money,
    /// What is left of it.
    pub due: Money,
}

/// A refund that left our account by an earlier line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub refund: RefundId,
    /// Above zero.
    pub amount: Money,
}

/// A credit that its bank undoes.
#[derive(Debug, Clone)]
pub enum Undone {
    /// The whole of it is in suspense.
    Item(Item),
    /// A payment by transfer, and what stands in suspense of it because it was too much.
    Payment(Taken, Option<Item>),
    /// Some of it went from suspense already; its money key.
    Spent(String),
    /// It is not booked itself.
    NotYet,
    /// Nothing that is booked: the bill that it names may be paid by another line.
    NotFound,
}

/// A refund that waits for its agency to pay in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    pub refund: RefundId,
    pub agency: Slug,
    /// More than that is not taken by itself.
    pub amount: Money,
}

/// Everything a line may be.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    pub expectations: Vec<Expectation>,
    /// Reported and not yet matched.
    pub settlements: Vec<Settlement>,
    /// Payments that were expected once, open or not: channel and transaction.
    pub known_payments: BTreeSet<(String, String)>,
    /// Our orders that brought money, each with its channel.
    pub known_orders: BTreeSet<(String, String)>,
    /// References of refunds that were expected once, open or not.
    pub known_refunds: BTreeSet<String>,
    /// References of refunds of which nobody knows yet whether they were carried out.
    pub refunds_in_doubt: BTreeSet<String>,
    /// References of orders that did not leave as far as their rail told.
    pub refunds_refused: BTreeSet<String>,
    /// Refunds whose success may be told now.
    pub refunds_in_flight: BTreeSet<RefundId>,
    /// By our reference on the rail.
    pub refunds_left: BTreeMap<String, Left>,
    /// What a line undoes that its bank marks as a reversal.
    pub undone: BTreeMap<i64, Undone>,
    /// By its serial.
    pub awaited: BTreeMap<i64, Awaited>,
    pub bills: BTreeMap<BillNumber, Bill>,
    /// Bank account to the channel of transfers made straight into it.
    pub transfers: BTreeMap<String, String>,
    /// Bank account to the most that its bank keeps of an order of ours that it returns; nothing where it has none.
    pub return_charges: BTreeMap<String, Money>,
    /// Nothing else moves any more: a line does not wait for another line.
    pub last_pass: bool,
}
