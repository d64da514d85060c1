//! The verdicts: which expectation, settlement or bill a bank line is. Pure and deterministic: the same lines and
//! candidates give the same verdicts in whatever order they come.
//!
//! Rules in order of trust, each asked of every line before the next:
//! 1. the money key of an expectation (the bank's own reference, seen before);
//! 2. the bank's mark that it undoes a credit, with the reference of that or of its bill, and its amount;
//! 3. our own reference of a refund or payout, in its field or alone in the text, with its amount;
//! 4. the reference of a refund for which its agency has to pay in;
//! 5. the id of a settlement that its channel reported;
//! 6. a bill: structured, whatever the amount; in free text only with the amount that is due, because a mistyped
//!    number passes its check once in 97 times.
//!
//! Where a rule finds two, it finds none: what is ambiguous waits for a person in suspense.

mod candidates;
mod reading;
pub mod settlement;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use mizan_adapters::reference::{BillNumber, RfReference};
use mizan_ledger::{Money, MoneyError};

use self::settlement::{Item, Judged, Plan};
use crate::books::Slug;
use crate::expectations::{Expectation, Kind};
use crate::ids::{ExpectationId, RefundId, SettlementId};

use self::reading::is_own;
pub use candidates::{Awaited, Bill, Candidates, Left, Line, Undone};
pub use reading::{Named, named, names, own_reference};

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The payment expected on its channel; the line may show another amount.
    Pays(ExpectationId),
    /// The refund that left.
    Refunds(ExpectationId, RefundId),
    /// A refund that came back, and what a bank kept of it.
    Returns(RefundId, Money),
    /// What an agency paid in for a refund.
    PaysIn(RefundId, Slug),
    /// A channel's settlement, and what becomes of its parts.
    Settles(SettlementId, Plan),
    /// A settlement with payments that nobody told of: they are told now.
    Tells(SettlementId, Vec<Item>),
    /// A transfer for a bill that nobody told of: it is told now, on this channel.
    Transfers(String, BillNumber),
    /// A credit that its bank undoes, by this line.
    Undoes,
    /// Something else has to happen first.
    Waits,
    /// Nothing known: suspense. Bills it may be meant for.
    Unknown(Vec<BillNumber>),
    /// The book takes it neither as what it is nor as money that nobody knows: it stays as it is, with a break.
    NotBookable,
}

/// A verdict with its rule and its reason, which are stored with the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    pub line: i64,
    pub verdict: Verdict,
    pub rule: &'static str,
    pub reason: String,
}

/// Judges every line once; verdicts in the order of the lines' ids.
pub fn run(lines: &[Line], candidates: &Candidates) -> Result<Vec<Ruled>, MoneyError> {
    let mut run = Run::new(lines, candidates);
    run.by_money_key();
    run.by_reversal();
    run.by_own_reference()?;
    run.by_pay_in()?;
    run.by_settlement()?;
    run.by_bill();
    run.rest();
    Ok(run.ruled.into_values().collect())
}

/// Lines that could not be booked as what they are are money that nobody knows.
pub fn set_aside(lines: &[Line], why: &str) -> Vec<Ruled> {
    let why = format!("it could not be booked as what it is: {why}");
    all(lines, "set_aside", &Verdict::Unknown(Vec::new()), &why)
}

/// Lines that the book does not take in any way now.
pub fn left_alone(lines: &[Line], why: &str) -> Vec<Ruled> {
    all(lines, "not_bookable", &Verdict::NotBookable, &format!("the book does not take it: {why}"))
}

fn all(lines: &[Line], rule: &'static str, verdict: &Verdict, reason: &str) -> Vec<Ruled> {
    let ruled =
        |line: &Line| Ruled { line: line.id, verdict: verdict.clone(), rule, reason: reason.to_owned() };
    lines.iter().map(ruled).collect()
}

struct Run<'a> {
    lines: BTreeMap<i64, &'a Line>,
    candidates: &'a Candidates,
    expectations: BTreeMap<ExpectationId, &'a Expectation>,
    /// Refunds that left and may come back, by our reference.
    left: BTreeMap<&'a String, Left>,
    ruled: BTreeMap<i64, Ruled>,
}

impl<'a> Run<'a> {
    fn new(lines: &'a [Line], candidates: &'a Candidates) -> Self {
        Self {
            lines: lines.iter().map(|line| (line.id, line)).collect(),
            candidates,
            expectations: candidates.expectations.iter().map(|one| (one.id, one)).collect(),
            left: candidates.refunds_left.iter().map(|(reference, left)| (reference, *left)).collect(),
            ruled: BTreeMap::new(),
        }
    }

    fn open(&self) -> Vec<&'a Line> {
        self.lines.values().filter(|line| !self.ruled.contains_key(&line.id)).copied().collect()
    }

    /// Keeps a verdict; what it speaks of is no other line any more.
    fn rule(&mut self, line: &Line, rule: &'static str, verdict: Verdict, reason: String) {
        match &verdict {
            Verdict::Pays(id) | Verdict::Refunds(id, _) => _ = self.expectations.remove(id),
            Verdict::Settles(_, plan) => {
                for id in plan.met() {
                    self.expectations.remove(&id);
                }
            }
            Verdict::Returns(refund, _) => self.left.retain(|_, left| left.refund != *refund),
            Verdict::PaysIn(..)
            | Verdict::Tells(..)
            | Verdict::Transfers(..)
            | Verdict::Undoes
            | Verdict::Waits
            | Verdict::Unknown(_)
            | Verdict::NotBookable => {}
        }
        self.ruled.insert(line.id, Ruled { line: line.id, verdict, rule, reason });
    }

    /// The only open expectation of the line's account that fits.
    fn only(&self, line: &Line, fits: impl Fn(&Expectation) -> bool) -> Option<&'a Expectation> {
        let here = |one: &&&Expectation| {
            one.account == line.account && one.money.currency() == line.money.currency() && fits(one)
        };
        let mut found = self.expectations.values().filter(here);
        found.next().filter(|_| found.next().is_none()).copied()
    }

    fn by_money_key(&mut self) {
        for line in self.open().into_iter().filter(|line| line.money.is_positive()) {
            let found = self.only(line, |one| {
                one.kind == Kind::Payment && one.money_key.as_ref() == Some(&line.money_key)
            });
            if let Some(one) = found {
                let reason = format!("{} was told of this money by its bank reference", one.channel);
                self.rule(line, "money_key", Verdict::Pays(one.id), reason);
            }
        }
    }

    fn by_reversal(&mut self) {
        for line in self.open() {
            let (verdict, reason) = match self.candidates.undone.get(&line.id) {
                None => continue,
                Some(Undone::NotFound) if self.candidates.last_pass => continue,
                Some(Undone::NotYet | Undone::NotFound) => {
                    (Verdict::Waits, "what it undoes is not booked yet".to_owned())
                }
                Some(Undone::Item(item)) => {
                    (Verdict::Undoes, format!("the bank undoes {} in suspense", item.id))
                }
                Some(Undone::Payment(taken, _)) => {
                    (Verdict::Undoes, format!("the bank undoes the payment of {}", taken.intent))
                }
                Some(Undone::Spent(_)) => {
                    (Verdict::Undoes, "the bank undoes what went from suspense in part".to_owned())
                }
            };
            self.rule(line, "reversal", verdict, reason);
        }
    }

    fn by_own_reference(&mut self) -> Result<(), MoneyError> {
        for line in self.open() {
            let Some(reference) = &line.end_to_end else { continue };
            let judged = if line.money.is_negative() {
                self.left(line, reference)
            } else {
                self.back(line, reference)?
            };
            if let Some((verdict, reason)) = judged {
                self.rule(line, "own_reference", verdict, reason);
            }
        }
        Ok(())
    }

    /// Our order left, with its whole amount.
    fn left(&self, line: &Line, reference: &String) -> Option<(Verdict, String)> {
        let found = self.only(line, |one| {
            matches!(one.kind, Kind::Refund | Kind::Payout)
                && one.money == line.money
                && one.reference.as_ref() == Some(reference)
        });
        let Some(found) = found else {
            let untold = !self.candidates.last_pass && self.candidates.refunds_refused.contains(reference);
            return untold.then(|| (Verdict::Waits, format!("{reference} is ours, and was told as refused")));
        };
        let flies = found.refund.filter(|refund| self.candidates.refunds_in_flight.contains(refund));
        Some(match flies {
            Some(refund) => {
                (Verdict::Refunds(found.id, refund), format!("{reference} is our refund {refund}"))
            }
            None => (Verdict::Waits, format!("{reference} is ours and not yet on its way")),
        })
    }

    /// Our order came back, less what its bank may keep of it. Any other money under its reference is none of its, and
    /// anybody can write a reference: it waits for a person.
    fn back(&self, line: &Line, reference: &String) -> Result<Option<(Verdict, String)>, MoneyError> {
        if let Some(left) = self.left.get(reference) {
            let refund = left.refund;
            return Ok(Some(match self.kept(line, left.amount)? {
                Some(kept) => {
                    let why = format!("our refund {refund} came back under {reference}");
                    (Verdict::Returns(refund, kept), why)
                }
                None => {
                    let why = format!(
                        "it names our refund {refund}, but is not what comes back of {}",
                        left.amount
                    );
                    (Verdict::Unknown(self.bills_named(line)), why)
                }
            }));
        }
        if !self.candidates.known_refunds.contains(reference) {
            return Ok(None);
        }
        let mut leaving = self
            .candidates
            .expectations
            .iter()
            .filter(|one| one.kind == Kind::Refund && one.reference.as_ref() == Some(reference));
        let leaves = match leaving.next() {
            Some(one) => self.kept(line, one.money.checked_neg()?)?.is_some(),
            None => false,
        };
        Ok(Some(if leaves && !self.candidates.last_pass {
            (Verdict::Waits, format!("{reference} is ours, and was not yet seen leaving"))
        } else {
            let why = format!("it names our refund {reference}, which is not awaited back");
            (Verdict::Unknown(self.bills_named(line)), why)
        }))
    }

    /// What the bank kept of an order that this line may bring back.
    fn kept(&self, line: &Line, order: Money) -> Result<Option<Money>, MoneyError> {
        if order.currency() != line.money.currency() {
            return Ok(None);
        }
        let charge = self.candidates.return_charges.get(&line.account);
        let charge = charge.copied().unwrap_or(Money::zero(order.currency()));
        let kept = order.checked_sub(line.money)?;
        Ok((!kept.is_negative() && !kept.compare(charge)?.is_gt()).then_some(kept))
    }

    /// An agency's money for one refund that waits for it, and at most as much as that.
    fn by_pay_in(&mut self) -> Result<(), MoneyError> {
        for line in self.open().into_iter().filter(|line| line.money.is_positive()) {
            let mut named =
                line.named.refunds.iter().filter_map(|serial| self.candidates.awaited.get(serial));
            let (Some(one), None) = (named.next(), named.next()) else { continue };
            let fits = one.amount.currency() == line.money.currency()
                && !line.money.compare(one.amount)?.is_gt()
                && line.named.structured.is_empty();
            if fits {
                let reason = format!("{} pays in for refund {}", one.agency, one.refund);
                self.rule(line, "pay_in", Verdict::PaysIn(one.refund, one.agency.clone()), reason);
            }
        }
        Ok(())
    }

    /// Each settlement is one line that names it: the one with its amount, else the first that comes near it.
    fn by_settlement(&mut self) -> Result<(), MoneyError> {
        let mut naming: BTreeMap<usize, Vec<&Line>> = BTreeMap::new();
        for line in self.open() {
            let mut named = self.candidates.settlements.iter().enumerate().filter(|(_, one)| {
                one.account == line.account
                    && one.net.currency() == line.money.currency()
                    && settlement::is_named(one, line)
            });
            if let (Some((at, one)), None) = (named.next(), named.next())
                && settlement::may_be(one, line.money)
            {
                naming.entry(at).or_default().push(line);
            }
        }
        // In the order of what they are, not of how they were listed: a settlement before it takes expectations.
        let mut found: Vec<(usize, &Line)> = naming
            .into_iter()
            .filter_map(|(at, lines)| {
                let net = self.candidates.settlements.get(at)?.net;
                let exact = lines.iter().find(|line| line.money == net);
                Some((at, *exact.or(lines.first())?))
            })
            .collect();
        found.sort_by_key(|(_, line)| line.id);
        for (at, line) in found {
            let Some(settlement) = self.candidates.settlements.get(at) else { continue };
            let name = format!("settlement {} of {}", settlement.reference, settlement.channel);
            let open: Vec<&Expectation> = self.expectations.values().copied().collect();
            let (verdict, reason) = match settlement::judge(settlement, line.money, &open, self.candidates)? {
                Judged::Settles(plan) => (Verdict::Settles(settlement.id, plan), name),
                Judged::Waits(why) => (Verdict::Waits, format!("{name}: {why}")),
                Judged::NotTold(_) if line.noticed => {
                    (Verdict::Waits, format!("{name}: payments told of by it wait for the poster"))
                }
                Judged::NotTold(items) => {
                    let reason = format!("{name} holds {} payments nobody told of", items.len());
                    (Verdict::Tells(settlement.id, items), reason)
                }
            };
            self.rule(line, "settlement", verdict, reason);
        }
        Ok(())
    }

    fn by_bill(&mut self) {
        for line in self.open().into_iter().filter(|line| line.money.is_positive()) {
            let Some(channel) = self.candidates.transfers.get(&line.account) else { continue };
            let Some((bill, rule)) = self.bill_of(line) else { continue };
            let references = [bill.to_string(), RfReference::from(bill).to_string()];
            let told = self.only(line, |one| {
                // What a channel owes because it was short, or its bank took it back, is no news of this money.
                one.kind == Kind::Payment
                    && one.money_key.is_some()
                    && one.channel == *channel
                    && one.money == line.money
                    && one.reference.as_ref().is_some_and(|reference| references.contains(reference))
            });
            let (verdict, reason) = match told {
                _ if line.noticed => {
                    (Verdict::Waits, format!("the transfer for bill {bill} waits for the poster"))
                }
                Some(one) => (Verdict::Pays(one.id), format!("the transfer expected for bill {bill}")),
                None => {
                    let verdict = Verdict::Transfers(channel.clone(), bill);
                    (verdict, format!("a transfer for bill {bill} that nobody told of"))
                }
            };
            self.rule(line, rule, verdict, reason);
        }
    }

    /// The one bill of ours that the line names, and by which rule.
    fn bill_of(&self, line: &Line) -> Option<(BillNumber, &'static str)> {
        let ours = |bill: &BillNumber| self.candidates.bills.contains_key(bill);
        let mut structured = line.named.structured.iter().copied().filter(ours);
        match (structured.next(), structured.next()) {
            (Some(bill), None) => return Some((bill, "bill_reference")),
            (Some(_), Some(_)) => return None,
            (None, _) => {}
        }
        let mut free = line.named.free.iter().copied().filter(ours);
        let (Some(bill), None) = (free.next(), free.next()) else { return None };
        let known = self.candidates.bills.get(&bill)?;
        let fits = line.noticed || line.money == known.due || line.money == known.amount;
        fits.then_some((bill, "bill_in_text"))
    }

    /// The bills of ours that a line names anywhere.
    fn bills_named(&self, line: &Line) -> Vec<BillNumber> {
        let named = line.named.structured.union(&line.named.free).copied();
        named.filter(|bill| self.candidates.bills.contains_key(bill)).collect()
    }

    fn rest(&mut self) {
        for line in self.open() {
            let bills = self.bills_named(line);
            // The poster has not come to it, or has set it aside with a break of its own.
            let (verdict, reason) = match bills.len() {
                _ if line.noticed => (Verdict::Waits, "its notice waits for the poster".to_owned()),
                0 if !line.named.refunds.is_empty() => {
                    let why = "a refund is named that waits for no money, for less or for other money";
                    (Verdict::Unknown(bills), why.to_owned())
                }
                0 if line.end_to_end.as_deref().is_some_and(is_own) => {
                    let why = "it names an order of ours that is not on its way, or another amount";
                    (Verdict::Unknown(bills), why.to_owned())
                }
                0 => (Verdict::Unknown(bills), "nothing known is named".to_owned()),
                _ if line.money.is_negative() => {
                    (Verdict::Unknown(bills), "money left, and bills are named".to_owned())
                }
                1 => (Verdict::Unknown(bills), "a bill is named in free text, but not its amount".to_owned()),
                _ => (Verdict::Unknown(bills), "several bills are named".to_owned()),
            };
            self.rule(line, "none", verdict, reason);
        }
    }
}
