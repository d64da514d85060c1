//! What the verdicts write: entries, expectations met and born, suspense, breaks and notices. Pure.

mod direct;
mod settlements;
mod undone;

use std::collections::BTreeMap;
use std::sync::Arc;

use mizan_adapters::reference::BillNumber;
use mizan_ledger::{Day, Entry, EntryId, Instant, Money};
use serde_json::{Map, json};

use super::matching::settlement::{Difference, Settlement};
use super::matching::{Candidates, Ruled, Undone, Verdict};
use super::store::{Decided, OpenLine};
use crate::books::{Parked, RuleError, Slug, Voucher, rules};
use crate::breaks::{Category, NewBreak};
use crate::expectations::{Expectation, Kind, Met, NewExpectation};
use crate::fault::Fault;
use crate::ids::{ExpectationId, RefundId, SettlementId, SuspenseId};
use crate::inbox::{Meaning, NewNotice, Source};
use crate::intents::shares::slug;
use crate::refunds::pay_ins::service::Arrived;
use crate::refunds::service::Heard;
use crate::suspense;
use crate::tx::Hub;

pub use settlements::{altered, set_aside};

/// A channel corrects itself by a later settlement within so many days; until then the break about it stands alone.
const CORRECTION_DAYS: i32 = 30;

/// A break that is over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resolved {
    pub category: Category,
    pub because: &'static str,
    pub subject: String,
}

/// A refund whose money was seen leaving or coming back; the refunds room decides what that means for it.
#[derive(Debug, Clone)]
pub struct RefundSeen {
    pub refund: RefundId,
    pub how: Seen,
    pub voucher: Voucher,
}

/// What an agency paid in for a refund, by a bank line.
#[derive(Debug, Clone)]
pub struct PaidIn {
    pub arrived: Arrived,
    pub voucher: Voucher,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    AtBank {
        account: Slug,
    },
    /// By a line that was booked as unknown.
    AtBankUnknown {
        account: Slug,
    },
    Netted {
        channel: Slug,
    },
    CameBack {
        account: Slug,
        arrived: Money,
        kept: Money,
    },
}

/// Everything a run writes.
#[derive(Debug)]
pub struct Booking {
    hub: Arc<Hub>,
    now: Instant,
    pub entries: Vec<Entry>,
    pub refunds: Vec<RefundSeen>,
    pub paid_in: Vec<PaidIn>,
    pub suspense: Vec<suspense::NewItem>,
    /// How much of items in suspense is used up.
    pub used: Vec<(SuspenseId, Money)>,
    pub met: Vec<Met>,
    /// With the instant of their birth: the end of the day on which the entry counts.
    pub born: Vec<(Instant, NewExpectation)>,
    pub breaks: Vec<NewBreak>,
    pub resolved: Vec<Resolved>,
    pub lines: Vec<Decided>,
    pub settlements: Vec<(SettlementId, Option<i64>)>,
    pub notices: Vec<NewNotice>,
    /// Payments that a settlement or statement says are reversed.
    pub taken_back: Vec<NewNotice>,
    /// Refunds that a settlement holds and that were not on their way for us.
    pub heard: Vec<Heard>,
}

/// What the verdicts speak of, by its id.
#[derive(Debug, Default)]
pub struct Known<'a> {
    expectations: BTreeMap<ExpectationId, &'a Expectation>,
    settlements: BTreeMap<SettlementId, &'a Settlement>,
    undone: BTreeMap<i64, &'a Undone>,
}

impl<'a> Known<'a> {
    pub fn new(candidates: &'a Candidates) -> Self {
        Self {
            expectations: candidates.expectations.iter().map(|one| (one.id, one)).collect(),
            settlements: candidates.settlements.iter().map(|one| (one.id, one)).collect(),
            undone: candidates.undone.iter().map(|(line, one)| (*line, one)).collect(),
        }
    }

    fn undone(&self, line: i64) -> Result<&'a Undone, Fault> {
        self.undone.get(&line).copied().ok_or_else(|| Fault::corrupt("statement_lines", "id", line))
    }

    fn expectation(&self, id: ExpectationId) -> Result<&'a Expectation, Fault> {
        self.expectations.get(&id).copied().ok_or_else(|| Fault::corrupt("expectations", "id", id))
    }

    fn settlement(&self, id: SettlementId) -> Result<&'a Settlement, Fault> {
        self.settlements.get(&id).copied().ok_or_else(|| Fault::corrupt("settlements", "id", id))
    }
}

/// The place of a movement: which account on which day, by which line.
struct Place<'a> {
    account: &'a str,
    day: Day,
    line: Option<i64>,
    entry: EntryId,
}

impl Booking {
    pub fn new(hub: Arc<Hub>, now: Instant) -> Self {
        Self {
            hub,
            now,
            entries: Vec::new(),
            refunds: Vec::new(),
            paid_in: Vec::new(),
            suspense: Vec::new(),
            used: Vec::new(),
            met: Vec::new(),
            born: Vec::new(),
            breaks: Vec::new(),
            resolved: Vec::new(),
            lines: Vec::new(),
            settlements: Vec::new(),
            notices: Vec::new(),
            taken_back: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// How many entries the book will be asked to take.
    pub fn entries_count(&self) -> usize {
        self.entries.len() + self.refunds.len() + self.paid_in.len()
    }

    /// Writes down one verdict.
    pub fn carry_out(&mut self, line: &OpenLine, ruled: Ruled, known: &Known<'_>) -> Result<(), Fault> {
        let place =
            Place { account: &line.account, day: line.counts_on, line: Some(line.id), entry: line.entry };
        let state = match &ruled.verdict {
            Verdict::Pays(id) => self.pays(&place, line, known.expectation(*id)?)?,
            Verdict::Refunds(id, refund) => self.refunds(&place, known.expectation(*id)?, *refund)?,
            Verdict::Returns(refund, kept) => {
                let (account, arrived) = (slug(place.account)?, line.money);
                let how = Seen::CameBack { account, arrived, kept: *kept };
                let voucher = self.voucher(&place, refund.to_string());
                self.refunds.push(RefundSeen { refund: *refund, how, voucher });
                "matched"
            }
            Verdict::PaysIn(refund, agency) => {
                let (refund, agency, account) = (*refund, agency.clone(), slug(place.account)?);
                let voucher = self.voucher(&place, refund.to_string());
                let arrived = Arrived { refund, agency, account, money: line.money, line: line.id };
                self.paid_in.push(PaidIn { arrived, voucher });
                "matched"
            }
            Verdict::Settles(id, plan) => self.settles(&place, known.settlement(*id)?, plan, known)?,
            Verdict::Tells(id, items) => {
                let settlement = known.settlement(*id)?;
                items.iter().try_for_each(|item| self.tell(settlement, item))?;
                "noticed"
            }
            Verdict::Transfers(channel, bill) => {
                self.notices.push(self.transfer(line, channel, *bill));
                "noticed"
            }
            Verdict::Undoes => self.undoes(&place, line, known.undone(line.id)?, &ruled.reason)?,
            Verdict::Waits if line.noticed => "noticed",
            Verdict::Waits => "new",
            Verdict::Unknown(bills) => self.unknown(&place, line, bills, &ruled.reason)?,
            Verdict::NotBookable => self.leave(line, &ruled.reason),
        };
        if matches!(state, "matched" | "suspense") {
            self.resolve(Category::LineSetAside, line.money_key.clone(), "it was booked");
        }
        self.lines.push(Decided { line: line.id, state, rule: ruled.rule, reason: ruled.reason });
        Ok(())
    }

    fn today(&self) -> Day {
        self.hub.calendar.day_of(self.now)
    }

    /// The end of a day, or now if that comes first.
    fn end_of(&self, day: Day) -> Instant {
        day.next().start_in(&self.hub.calendar.zone).plus_seconds(-1).min(self.now)
    }

    fn voucher(&self, place: &Place<'_>, source_ref: String) -> Voucher {
        let mut meta = Map::new();
        if let Some(line) = place.line {
            meta.insert("statement_line".to_owned(), line.into());
        }
        Voucher { id: place.entry, effective_on: place.day, actor: "hub:recon".to_owned(), source_ref, meta }
    }

    /// The entries of one line beside the first have ids of their own.
    fn another(&self, voucher: &Voucher) -> Voucher {
        Voucher { id: self.hub.entropy.id(self.now), ..voucher.clone() }
    }

    fn enter(&mut self, entry: Result<Entry, RuleError>) -> Result<(), Fault> {
        self.entries.push(entry.map_err(|error| Fault::Other(error.to_string()))?);
        Ok(())
    }

    fn pays(
        &mut self,
        place: &Place<'_>,
        line: &OpenLine,
        expected: &Expectation,
    ) -> Result<&'static str, Fault> {
        let (channel, account) = (slug(&expected.channel)?, slug(place.account)?);
        let over = line.money.checked_sub(expected.money)?;
        let source = expected.intent.map_or_else(|| format!("line:{}", line.id), |id| id.to_string());
        let voucher = self.voucher(place, source);
        let difference = |category, money| Difference {
            category,
            subject: line.money_key.clone(),
            money,
            transaction: expected.transaction.clone(),
            reference: expected.reference.clone(),
            intent: expected.intent,
        };
        let mut surplus = None;
        if over.is_positive() {
            surplus = Some(Parked { suspense: channel.clone(), amount: over });
            self.park(place, &expected.channel, &difference(Category::AmountOver, over));
        } else if over.is_negative() {
            let short = over.checked_neg()?;
            self.owe(place, &expected.channel, &difference(Category::AmountUnder, short));
        }
        self.enter(rules::channel::channel_settled_gross(
            voucher,
            &channel,
            &account,
            line.money,
            surplus.as_ref(),
        ))?;
        self.meet(place, expected, None, place.entry);
        Ok("matched")
    }

    fn refunds(
        &mut self,
        place: &Place<'_>,
        expected: &Expectation,
        refund: RefundId,
    ) -> Result<&'static str, Fault> {
        let how = Seen::AtBank { account: slug(place.account)? };
        let voucher = self.voucher(place, refund.to_string());
        self.refunds.push(RefundSeen { refund, how, voucher });
        self.meet(place, expected, None, place.entry);
        Ok("matched")
    }

    fn meet(&mut self, place: &Place<'_>, expected: &Expectation, by: Option<&Settlement>, entry: EntryId) {
        self.met.push(Met {
            expectation: expected.id,
            statement_line: place.line,
            settlement: by.map(|settlement| settlement.reference.clone()),
            entry,
        });
        self.resolve(overdue_category(expected.kind), expected.id.to_string(), "the bank shows it");
    }

    fn resolve(&mut self, category: Category, subject: String, because: &'static str) {
        self.resolved.push(Resolved { category, because, subject });
    }

    /// A bank line is a fact: what nobody knows is booked, and waits in suspense.
    fn unknown(
        &mut self,
        place: &Place<'_>,
        line: &OpenLine,
        bills: &[BillNumber],
        why: &str,
    ) -> Result<&'static str, Fault> {
        let account = slug(place.account)?;
        let voucher = self.voucher(place, format!("line:{}", line.id));
        let category = if line.money.is_positive() {
            let parked = Parked { suspense: account.clone(), amount: line.money };
            self.enter(rules::suspense::bank_unknown_credit(voucher, &account, &parked))?;
            self.suspense.push(suspense::NewItem {
                id: self.hub.entropy.id::<SuspenseId>(self.now),
                account: place.account.to_owned(),
                money: line.money,
                cause: Category::UnknownCredit.as_str().to_owned(),
                break_subject: line.money_key.clone(),
                notice: None,
                statement_line: Some(line.id),
                intent: None,
                money_key: Some(line.money_key.clone()),
                entry: place.entry,
            });
            Category::UnknownCredit
        } else {
            let amount = line.money.checked_neg()?;
            self.enter(rules::suspense::bank_unknown_debit(voucher, &account, &account, amount))?;
            Category::UnknownDebit
        };
        let bills: Vec<String> = bills.iter().map(ToString::to_string).collect();
        self.breaks.push(NewBreak {
            category,
            subject: line.money_key.clone(),
            money: Some(line.money),
            channel: None,
            intent: None,
            detail: json!({
                "statement_line": line.id, "account": line.account, "booked_on": line.booked_on,
                "bank_reference": line.bank_reference, "payer": line.payer, "text": line.text,
                "reversal": line.reversal, "why": why, "may_be_bills": bills,
            }),
        });
        Ok("suspense")
    }

    /// What the book does not take stays as it is, and is tried again by every run: it must not be lost, nor hold up others.
    fn leave(&mut self, line: &OpenLine, why: &str) -> &'static str {
        self.breaks.push(NewBreak {
            category: Category::LineSetAside,
            subject: line.money_key.clone(),
            money: Some(line.money),
            channel: None,
            intent: None,
            detail: json!({
                "statement_line": line.id, "account": line.account, "booked_on": line.booked_on,
                "counts_on": line.counts_on, "bank_reference": line.bank_reference, "text": line.text, "why": why,
            }),
        });
        if line.noticed { "noticed" } else { "new" }
    }

    /// A transfer that names a bill and that only the statement tells of.
    fn transfer(&self, line: &OpenLine, channel: &str, bill: BillNumber) -> NewNotice {
        let transaction = line.money_key.strip_prefix("bank:").unwrap_or(&line.money_key);
        NewNotice {
            channel: channel.to_owned(),
            transaction: transaction.to_owned(),
            status: "BOOKED".to_owned(),
            meaning: Meaning::Money,
            source: Source::Statement,
            reference: Some(bill.to_string()),
            money: line.money,
            original_transaction: None,
            reason: None,
            money_key: line.money_key.clone(),
            occurred_at: self.end_of(line.counts_on),
            raw: line.text.clone().into_bytes(),
            headers: json!({ "statement_line": line.id, "payer": line.payer }),
        }
    }
}

/// The break of an expectation that the bank does not show.
pub fn overdue_category(kind: Kind) -> Category {
    match kind {
        Kind::Payment => Category::MissingAtBank,
        Kind::Refund | Kind::NettedRefund => Category::RefundUnconfirmed,
        Kind::Payout => Category::PayoutUnconfirmed,
    }
}
