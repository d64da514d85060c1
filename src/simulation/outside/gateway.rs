//! The card gateway: its pages, its callbacks and its refunds.

use mizan_adapters::channel::{
    Collection, Meaning, Notice, OrderState, RefundOrder, RefundState, RefundTaken, Refusal, Started, Verdict,
};
use mizan_adapters::outcome::Outcome;
use mizan_ledger::{Currency, Instant, Money};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::accounts::{Fact, News};
use super::world::{CardRefund, Decision, Letter, MERCHANTS, Page, PageState, RefundEnd, World};

const KEY: &[u8] = b"the gateway's key in the simulation";
const PAGE_SECONDS: i64 = 3_600;

impl World {
    /// The same order again gets the same page.
    pub(super) fn open_page(&mut self, merchant: &'static str, asked: &Collection) -> Outcome<Started> {
        let silent = || Outcome::Unknown { why: "no answer".to_owned() };
        if self.errs(2, "page not reached") {
            return Outcome::NotSent { why: "no connection".to_owned() };
        }
        if self.errs(2, "page refused") {
            return Outcome::Rejected { code: "risk".to_owned(), message: "not today".to_owned() };
        }
        if self.errs(2, "page request lost") {
            return silent();
        }
        let page = Page {
            merchant,
            money: asked.money,
            opened_at: self.now(),
            state: PageState::Open,
            told: None,
            taken_back: News::default(),
        };
        self.pages.entry(asked.order.clone()).or_insert(page);
        if self.errs(2, "page answer lost") {
            return silent();
        }
        Outcome::Accepted(Started {
            session: format!("S-{}", asked.order),
            page_url: format!("https://gateway.example/{}", asked.order),
            expires_at: self.now().plus_seconds(PAGE_SECONDS),
        })
    }

    /// A payer at one of the open pages decides. False when no page is open.
    pub fn decide(&mut self, decision: Decision) -> bool {
        self.expire_pages();
        let open: Vec<String> = self
            .pages
            .iter()
            .filter(|(_, page)| matches!(page.state, PageState::Open))
            .map(|(order, _)| order.clone())
            .collect();
        let Some(order) = self.dice.pick(&open).cloned() else { return false };
        let (at, transaction) = (self.now(), self.next_name("T"));
        if matches!(decision, Decision::Approve) {
            self.take_other_money(&order);
        }
        let state = match decision {
            Decision::Approve => PageState::Captured { transaction, at, settled: false, reversed: false },
            Decision::Decline => PageState::Declined { transaction, at },
            Decision::GoAway => PageState::Expired,
        };
        if let Some(page) = self.pages.get_mut(&order) {
            page.state = state;
        }
        if let Some((merchant, notice)) = self.notice_of(&order) {
            self.send(merchant, &notice);
        }
        true
    }

    /// Sometimes the gateway captures what it was not asked for: a part, or the figure in another currency.
    fn take_other_money(&mut self, order: &str) {
        let (part, foreign) = (self.errs(3, "captured a part"), self.errs(3, "captured in another currency"));
        let Some(page) = self.pages.get_mut(order) else { return };
        if part {
            page.money = Money::new(page.money.minor() / 2 + 1, page.money.currency());
        }
        if foreign {
            let other = if page.money.currency() == Currency::ILS { Currency::USD } else { Currency::ILS };
            page.money = Money::new(page.money.minor(), other);
        }
    }

    fn expire_pages(&mut self) {
        let now = self.now();
        for page in self.pages.values_mut() {
            if matches!(page.state, PageState::Open) && page.opened_at.plus_seconds(PAGE_SECONDS) <= now {
                page.state = PageState::Expired;
            }
        }
    }

    /// The fact that decides an order.
    pub(super) fn notice_of(&self, order: &str) -> Option<(&'static str, Notice)> {
        let page = self.pages.get(order)?;
        let (transaction, at, meaning, status, reason) = match &page.state {
            PageState::Captured { transaction, at, .. } => {
                (transaction, at, Meaning::Captured, "CAPTURED", None)
            }
            PageState::Declined { transaction, at } => {
                (transaction, at, Meaning::Declined, "DECLINED", Some("insufficient_funds"))
            }
            PageState::Open | PageState::Expired => return None,
        };
        let notice = Notice {
            transaction: transaction.clone(),
            status: status.to_owned(),
            meaning,
            reference: order.to_owned(),
            money: page.money,
            original_transaction: None,
            reason: reason.map(str::to_owned),
            occurred_at: *at,
        };
        Some((page.merchant, notice))
    }

    /// Sends a callback: lost, late, twice, altered, forged, or as it should be.
    pub(super) fn send(&mut self, merchant: &'static str, notice: &Notice) {
        if self.errs(10, "callback lost") {
            return;
        }
        let late = if self.errs(6, "callback late") { self.dice.between(1, 72) * 3_600 } else { 0 };
        let copies = if self.errs(10, "callback twice") { 1 + self.dice.between(1, 2) } else { 1 };
        let not_before = self.now().plus_seconds(late);
        for _ in 0..copies {
            self.mail.push(Letter { merchant, raw: sealed(notice), not_before, fact: fact(notice) });
        }
        if self.errs(5, "callback altered") {
            let other = Money::new(notice.money.minor() + self.dice.between(1, 500), notice.money.currency());
            let altered = Notice { money: other, ..notice.clone() };
            let fact = (altered.meaning == Meaning::Captured)
                .then(|| Fact::Misstated { order: altered.reference.clone(), money: altered.money });
            self.mail.push(Letter { merchant, raw: sealed(&altered), not_before, fact });
        }
        if self.errs(3, "callback forged") {
            let mut forged = sealed(notice);
            forged[0] = if forged[0] == b'0' { b'1' } else { b'0' };
            self.mail.push(Letter { merchant, raw: forged, not_before, fact: None });
        }
    }

    pub(super) fn order_state(&mut self, order: &str) -> Outcome<OrderState> {
        self.expire_pages();
        if self.errs(10, "query unanswered") {
            return Outcome::Unknown { why: "no answer".to_owned() };
        }
        let Some(page) = self.pages.get(order) else { return Outcome::Accepted(OrderState::NotKnown) };
        Outcome::Accepted(match page.state {
            PageState::Open => OrderState::Open,
            PageState::Expired => OrderState::Expired,
            _ => {
                self.notice_of(order).map_or(OrderState::NotKnown, |(_, notice)| OrderState::Decided(notice))
            }
        })
    }

    /// The same order again changes nothing; never more than the payment was.
    pub(super) fn take_refund(
        &mut self,
        merchant: &'static str,
        order: &RefundOrder,
    ) -> Outcome<RefundTaken> {
        if self.errs(5, "refund not reached") {
            return Outcome::NotSent { why: "no connection".to_owned() };
        }
        if self.errs(4, "refund request lost") {
            return Outcome::Unknown { why: "no answer".to_owned() };
        }
        if !self.refunds.contains_key(&order.refund) {
            if self.errs(6, "refund refused") || self.left_of(&order.transaction) < order.money.minor() {
                return Outcome::Rejected { code: "not_refundable".to_owned(), message: "no".to_owned() };
            }
            let refund = CardRefund {
                merchant,
                money: order.money,
                transaction: self.next_name("R"),
                original: order.transaction.clone(),
                state: RefundEnd::Pending,
                settled: false,
                taken: self.moment(),
                denied: None,
                done: News::default(),
            };
            self.refunds.insert(order.refund.clone(), refund);
        }
        if self.errs(5, "refund answer lost") {
            return Outcome::Unknown { why: "no answer".to_owned() };
        }
        let transaction = self.refunds[&order.refund].transaction.clone();
        Outcome::Accepted(RefundTaken { transaction })
    }

    /// What of a captured transaction was not given back yet, in minor units.
    pub(super) fn left_of(&self, transaction: &str) -> i64 {
        let paid = self.pages.values().find_map(|page| match &page.state {
            PageState::Captured { transaction: known, .. } if known == transaction => {
                Some(page.money.minor())
            }
            _ => None,
        });
        let back =
            self.refunds.values().filter(|one| one.original == transaction && one.state != RefundEnd::Failed);
        paid.unwrap_or(0) - back.map(|one| one.money.minor()).sum::<i64>()
    }

    pub(super) fn refund_state(&mut self, reference: &str) -> Outcome<RefundState> {
        if self.errs(10, "query unanswered") {
            return Outcome::Unknown { why: "no answer".to_owned() };
        }
        let now = self.moment();
        let Some(refund) = self.refunds.get_mut(reference) else {
            return Outcome::Accepted(RefundState::NotKnown);
        };
        if refund.state == RefundEnd::Failed {
            refund.denied.get_or_insert(now);
        }
        let transaction = refund.transaction.clone();
        Outcome::Accepted(match refund.state {
            RefundEnd::Pending => RefundState::Pending { transaction },
            RefundEnd::Done => RefundState::Refunded { transaction },
            RefundEnd::Failed => RefundState::Failed { transaction, reason: Some("closed".to_owned()) },
        })
    }

    /// The gateway decides the refunds it has taken, and tells; sometimes it carries one out after it had told that it
    /// failed, or tells the contrary of what it did.
    pub(super) fn decide_refunds(&mut self) {
        let named = |(reference, refund): (&String, &CardRefund)| (reference.clone(), refund.state);
        let known: Vec<(String, RefundEnd)> = self.refunds.iter().map(named).collect();
        for (reference, state) in known {
            match state {
                RefundEnd::Pending => {
                    let fails = self.errs(20, "refund failed later");
                    self.end_refund(&reference, if fails { RefundEnd::Failed } else { RefundEnd::Done });
                    if !fails && self.errs(4, "refund denied after it was carried out") {
                        self.tell_refund(&reference, RefundEnd::Failed);
                    }
                }
                RefundEnd::Failed if self.may_follow(&reference) => {
                    if self.errs(60, "refund carried out after it had failed") {
                        self.end_refund(&reference, RefundEnd::Done);
                    }
                }
                RefundEnd::Failed | RefundEnd::Done => {}
            }
        }
    }

    /// Whether the payment of a failed refund has enough left for it.
    fn may_follow(&self, reference: &str) -> bool {
        self.refunds.get(reference).is_some_and(|refund| {
            let taken_back = self.pages.values().any(|page| {
                matches!(&page.state, PageState::Captured { transaction, reversed: true, .. }
                    if *transaction == refund.original)
            });
            !taken_back && self.left_of(&refund.original) >= refund.money.minor()
        })
    }

    fn end_refund(&mut self, reference: &str, end: RefundEnd) {
        if let Some(refund) = self.refunds.get_mut(reference) {
            refund.state = end;
        }
        self.tell_refund(reference, end);
    }

    fn tell_refund(&mut self, reference: &str, end: RefundEnd) {
        let at = self.now();
        let Some(refund) = self.refunds.get(reference) else { return };
        let (meaning, status, reason) = match end {
            RefundEnd::Failed => (Meaning::RefundFailed, "REFUND_FAILED", Some("closed")),
            _ => (Meaning::Refunded, "REFUNDED", None),
        };
        let merchant = refund.merchant;
        let notice = Notice {
            transaction: refund.transaction.clone(),
            status: status.to_owned(),
            meaning,
            reference: reference.to_owned(),
            money: refund.money,
            original_transaction: Some(refund.original.clone()),
            reason: reason.map(str::to_owned),
            occurred_at: at,
        };
        self.send(merchant, &notice);
        if self.errs(5, "another merchant tells of a refund") {
            let other = MERCHANTS.into_iter().find(|other| *other != merchant).unwrap_or(merchant);
            let (meaning, status) = (Meaning::RefundFailed, "REFUND_FAILED".to_owned());
            let raw = sealed(&Notice { meaning, status, ..notice });
            self.mail.push(Letter { merchant: other, raw, not_before: at, fact: None });
        }
    }
}

/// What the hub has to act on when it is told.
fn fact(notice: &Notice) -> Option<Fact> {
    let reference = notice.reference.clone();
    match notice.meaning {
        Meaning::Refunded => Some(Fact::Refunded { reference }),
        Meaning::RefundFailed => Some(Fact::RefundFailed { reference }),
        Meaning::Reversed => Some(Fact::Reversed { order: reference }),
        _ => None,
    }
}

/// A callback in the gateway's own dialect: its seal, a line feed, its facts.
pub(super) fn sealed(notice: &Notice) -> Vec<u8> {
    let meaning = serde_json::to_value(notice.meaning).unwrap_or(Value::Null);
    let facts = json!({
        "transaction": notice.transaction, "status": notice.status, "meaning": meaning,
        "reference": notice.reference, "minor": notice.money.minor(), "currency": notice.money.currency(),
        "original": notice.original_transaction, "reason": notice.reason, "at": notice.occurred_at,
    })
    .to_string();
    format!("{}\n{facts}", seal(facts.as_bytes())).into_bytes()
}

fn seal(facts: &[u8]) -> String {
    hex::encode(Sha256::new().chain_update(KEY).chain_update(facts).finalize())
}

/// Reads a callback as the adapter of such a gateway would.
pub(super) fn verify(raw: &[u8]) -> Verdict {
    let place = raw.iter().position(|byte| *byte == b'\n');
    let Some((claimed, facts)) = place.map(|at| (&raw[..at], &raw[at + 1..])) else {
        return Verdict::Refused(Refusal::Unsigned);
    };
    if seal(facts).as_bytes() != claimed {
        return Verdict::Refused(Refusal::WrongSignature);
    }
    match read(facts) {
        Some(notice) => Verdict::Authentic(notice),
        None => Verdict::Refused(Refusal::Unreadable("not the facts of a payment".to_owned())),
    }
}

fn read(facts: &[u8]) -> Option<Notice> {
    let facts: Value = serde_json::from_slice(facts).ok()?;
    let text = |name: &str| facts[name].as_str().map(str::to_owned);
    let currency: Currency = facts["currency"].as_str()?.parse().ok()?;
    let occurred_at: Instant = facts["at"].as_str()?.parse().ok()?;
    Some(Notice {
        transaction: text("transaction")?,
        status: text("status")?,
        meaning: serde_json::from_value(facts["meaning"].clone()).ok()?,
        reference: text("reference")?,
        money: Money::new(facts["minor"].as_i64()?, currency),
        original_transaction: text("original"),
        reason: text("reason"),
        occurred_at,
    })
}
