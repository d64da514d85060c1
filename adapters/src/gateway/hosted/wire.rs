//! The dialect on the wire, and nothing else: what is written, what is read, and what is odd.
//!
//! Fields we do not know are ignored (a vendor may add some). A field we know and cannot make sense of is
//! named in the refusal.

use mizan_ledger::{Currency, Instant, Money};
use serde::{Deserialize, Serialize};

use crate::channel::{
    Collection, Meaning, Notice, OrderState, RefundOrder, RefundState, RefundTaken, Refusal, Settlement,
    SettlementItem, SettlementKind, Started,
};
use crate::dialect::{json, printable, word};

/// Each documented event with the one status it goes with.
const EVENTS: [(&str, &str, Meaning); 5] = [
    ("payment.captured", "CAPTURED", Meaning::Captured),
    ("payment.declined", "DECLINED", Meaning::Declined),
    ("payment.reversed", "REVERSED", Meaning::Reversed),
    ("refund.settled", "REFUNDED", Meaning::Refunded),
    ("refund.failed", "FAILED", Meaning::RefundFailed),
];

/// Longest description of a session, in characters.
const DESCRIPTION_MAX: usize = 500;

#[derive(Debug, Serialize)]
pub(super) struct SessionRequest<'a> {
    merchant: &'a str,
    order: &'a str,
    amount: String,
    currency: &'a Currency,
    description: String,
    language: crate::channel::Language,
    return_url: &'a str,
    callback_url: &'a str,
}

impl<'a> SessionRequest<'a> {
    pub(super) fn new(merchant: &'a str, collection: &'a Collection, currency: &'a Currency) -> Self {
        Self {
            merchant,
            order: &collection.order,
            amount: collection.money.amount(),
            currency,
            description: collection.description().chars().take(DESCRIPTION_MAX).collect(),
            language: collection.language,
            return_url: &collection.return_url,
            callback_url: &collection.callback_url,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct RefundRequest<'a> {
    refund: &'a str,
    transaction: &'a str,
    amount: String,
    currency: &'a Currency,
}

impl<'a> RefundRequest<'a> {
    pub(super) fn new(order: &'a RefundOrder, currency: &'a Currency) -> Self {
        let RefundOrder { refund, transaction, money } = order;
        Self { refund, transaction, amount: money.amount(), currency }
    }
}

#[derive(Deserialize)]
struct Session {
    session: String,
    order: String,
    page_url: String,
    expires_at: String,
}

pub(super) fn session(body: &[u8], order: &str) -> Result<Started, String> {
    let read: Session = json(body)?;
    echo("order", &read.order, order)?;
    word("session", &read.session)?;
    let expires_at = instant("expires_at", &read.expires_at)?;
    Ok(Started { session: read.session, page_url: read.page_url, expires_at })
}

#[derive(Deserialize)]
struct Callback {
    event: String,
    merchant: String,
    order: String,
    transaction: String,
    status: String,
    amount: String,
    currency: String,
    reason: Option<String>,
    original_transaction: Option<String>,
    created_at: String,
}

/// Reads the body of a callback whose signature has been verified.
pub(super) fn callback(body: &[u8], merchant: &str) -> Result<Notice, Refusal> {
    let read: Callback = json(body).map_err(Refusal::Unreadable)?;
    if read.merchant != merchant {
        return Err(Refusal::AnotherMerchant);
    }
    notice(read).map_err(Refusal::Unreadable)
}

fn notice(read: Callback) -> Result<Notice, String> {
    let meaning = meaning(&read.event, &read.status)?;
    word("order", &read.order)?;
    word("transaction", &read.transaction)?;
    word("status", &read.status)?;
    match &read.original_transaction {
        Some(original) => word("original_transaction", original)?,
        None if matches!(meaning, Meaning::Refunded | Meaning::RefundFailed) => {
            return Err(format!("{} names no original_transaction", read.event));
        }
        None => {}
    }
    Ok(Notice {
        money: positive("amount", &read.amount, currency(&read.currency)?)?,
        occurred_at: instant("created_at", &read.created_at)?,
        transaction: read.transaction,
        status: read.status,
        meaning,
        reference: read.order,
        original_transaction: read.original_transaction,
        reason: read.reason.as_deref().map(printable),
    })
}

/// A pair outside the table is news of a kind we do not know; half a pair is a contradiction.
fn meaning(event: &str, status: &str) -> Result<Meaning, String> {
    match EVENTS.iter().find(|(known, word, _)| *known == event || *word == status) {
        Some((known, word, meaning)) if *known == event && *word == status => Ok(*meaning),
        Some(_) => {
            Err(format!("event {:?} does not go with status {:?}", printable(event), printable(status)))
        }
        None => Ok(Meaning::Other),
    }
}

#[derive(Deserialize)]
struct Order {
    order: String,
    status: String,
    transaction: Option<String>,
    amount: String,
    currency: String,
    reason: Option<String>,
    decided_at: Option<String>,
}

/// Reads the answer to a query. It happened when it was decided: a page may be opened on one day and paid on the next.
pub(super) fn order(body: &[u8], order: &str) -> Result<OrderState, String> {
    let read: Order = json(body)?;
    echo("order", &read.order, order)?;
    let meaning = match read.status.as_str() {
        "OPEN" => return Ok(OrderState::Open),
        "EXPIRED" => return Ok(OrderState::Expired),
        "CAPTURED" => Meaning::Captured,
        "DECLINED" => Meaning::Declined,
        "REVERSED" => Meaning::Reversed,
        other => return Err(format!("status {:?} is not documented", printable(other))),
    };
    let transaction =
        read.transaction.ok_or_else(|| format!("a {} order names no transaction", read.status))?;
    word("transaction", &transaction)?;
    let decided_at = read.decided_at.ok_or_else(|| format!("a {} order tells no decided_at", read.status))?;
    Ok(OrderState::Decided(Notice {
        money: positive("amount", &read.amount, currency(&read.currency)?)?,
        occurred_at: instant("decided_at", &decided_at)?,
        transaction,
        status: read.status,
        meaning,
        reference: read.order,
        original_transaction: None,
        reason: read.reason.as_deref().map(printable),
    }))
}

#[derive(Deserialize)]
struct RefundAnswer {
    refund: String,
    transaction: String,
    status: String,
    reason: Option<String>,
}

pub(super) fn refund_taken(body: &[u8], refund: &str) -> Result<RefundTaken, String> {
    let read: RefundAnswer = json(body)?;
    echo("refund", &read.refund, refund)?;
    word("transaction", &read.transaction)?;
    if read.status != "ACCEPTED" {
        return Err(format!("status {:?} is not documented", printable(&read.status)));
    }
    Ok(RefundTaken { transaction: read.transaction })
}

pub(super) fn refund(body: &[u8], refund: &str) -> Result<RefundState, String> {
    let RefundAnswer { refund: answered, transaction, status, reason } = json(body)?;
    echo("refund", &answered, refund)?;
    word("transaction", &transaction)?;
    match status.as_str() {
        "ACCEPTED" => Ok(RefundState::Pending { transaction }),
        "REFUNDED" => Ok(RefundState::Refunded { transaction }),
        "FAILED" => Ok(RefundState::Failed { transaction, reason: reason.as_deref().map(printable) }),
        other => Err(format!("status {:?} is not documented", printable(other))),
    }
}

#[derive(Deserialize)]
struct Report {
    settlements: Vec<ReportedSettlement>,
}

#[derive(Deserialize)]
struct ReportedSettlement {
    settlement: String,
    currency: String,
    gross: String,
    refunds: String,
    costs: String,
    net: String,
    items: Vec<ReportedItem>,
}

#[derive(Deserialize)]
struct ReportedItem {
    transaction: String,
    order: String,
    kind: String,
    amount: String,
    cost: String,
}

/// Reads a day's report. Sums that do not agree are the hub's business: it must see them to break on them.
pub(super) fn settlements(body: &[u8]) -> Result<Vec<Settlement>, String> {
    let report: Report = json(body)?;
    report.settlements.into_iter().map(settlement).collect()
}

fn settlement(read: ReportedSettlement) -> Result<Settlement, String> {
    word("settlement", &read.settlement)?;
    let currency = currency(&read.currency)?;
    let items =
        read.items.into_iter().map(|item| settlement_item(item, currency)).collect::<Result<_, _>>()?;
    Ok(Settlement {
        reference: read.settlement,
        currency,
        gross: not_negative("gross", &read.gross, currency)?,
        refunds: not_negative("refunds", &read.refunds, currency)?,
        costs: money("costs", &read.costs, currency)?,
        net: money("net", &read.net, currency)?,
        items,
    })
}

fn settlement_item(read: ReportedItem, currency: Currency) -> Result<SettlementItem, String> {
    word("transaction", &read.transaction)?;
    word("order", &read.order)?;
    let kind = match read.kind.as_str() {
        "payment" => SettlementKind::Payment,
        "refund" => SettlementKind::Refund,
        other => return Err(format!("kind {:?} is not documented", printable(other))),
    };
    Ok(SettlementItem {
        gross: positive("amount", &read.amount, currency)?,
        cost: not_negative("cost", &read.cost, currency)?,
        transaction: read.transaction,
        reference: read.order,
        kind,
    })
}

fn echo(name: &str, answered: &str, asked: &str) -> Result<(), String> {
    if answered == asked {
        return Ok(());
    }
    Err(format!("the answer is about another {name}: {:?}", printable(answered)))
}

fn currency(text: &str) -> Result<Currency, String> {
    text.parse().map_err(|error: mizan_ledger::currency::UnknownCurrency| error.to_string())
}

fn money(name: &str, text: &str, currency: Currency) -> Result<Money, String> {
    Money::parse(text, currency).map_err(|error| format!("{name}: {error}"))
}

fn not_negative(name: &str, text: &str, currency: Currency) -> Result<Money, String> {
    let money = money(name, text, currency)?;
    if money.is_negative() { Err(format!("{name} is negative: {money}")) } else { Ok(money) }
}

fn positive(name: &str, text: &str, currency: Currency) -> Result<Money, String> {
    let money = money(name, text, currency)?;
    if money.is_positive() { Ok(money) } else { Err(format!("{name} is not positive: {money}")) }
}

fn instant(name: &str, text: &str) -> Result<Instant, String> {
    text.parse().map_err(|error| format!("{name}: {error}"))
}
