//! A channel's settlement, part by part: what was expected, what was not, and what it cost.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::{Day, EntryId, Money, MoneyError};

use super::reading;
use super::{Candidates, Line};
use crate::breaks::Category;
use crate::expectations::{Expectation, Kind};
use crate::ids::{ExpectationId, IntentId, RefundId, SettlementId};

/// One sum that a channel says it paid us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub id: SettlementId,
    pub channel: String,
    /// The channel's id of it, which stands in the text of the bank line.
    pub reference: String,
    pub account: String,
    /// The channel's day.
    pub day: Day,
    /// What the channel kept for itself.
    pub costs: Money,
    /// What it says arrives at the bank.
    pub net: Money,
    pub items: Vec<Item>,
    pub entry: EntryId,
}

impl Settlement {
    /// The name under which it stands in entries and breaks. One id may stand for a sum in each currency.
    pub fn name(&self) -> String {
        format!("{}:{}:{}", self.channel, self.reference, self.net.currency())
    }

    /// Whether another telling of it says the same: its sums and its parts, in whatever order.
    pub fn says(&self, told: &Self) -> bool {
        let sorted = |one: &Self| {
            let mut items = one.items.clone();
            items.sort_by_cached_key(|item| {
                let (gross, cost) = (item.gross.minor(), item.cost.minor());
                (item.kind, item.transaction.clone(), item.reference.clone(), gross, cost)
            });
            items
        };
        (self.net, self.costs) == (told.net, told.costs) && sorted(self) == sorted(told)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemKind {
    Payment,
    Refund,
}

impl ItemKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Payment, Self::Refund].into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub kind: ItemKind,
    pub transaction: String,
    pub reference: String,
    /// Above zero, whichever way it went.
    pub gross: Money,
    pub cost: Money,
}

/// What can be said of a settlement now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    Settles(Plan),
    /// Payments in it that no expectation, open or met, knows.
    NotTold(Vec<Item>),
    Waits(String),
}

/// What a settlement does. The law: net + kept = receivable + everything parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub payments: Vec<ExpectationId>,
    pub refunds: Vec<(ExpectationId, RefundId)>,
    pub net: Money,
    pub kept: Money,
    /// What the channel owes less by it, after the netted refunds.
    pub receivable: Money,
    /// Kept less what the contract says.
    pub cost_variance: Money,
    /// Beyond what was expected: to suspense.
    pub parked: Vec<Difference>,
    /// Short of what was expected, or taken back: the channel still owes it.
    pub owed: Vec<Difference>,
    /// Expected by an earlier settlement.
    pub late: Vec<Difference>,
    /// Names under which its parts may have open breaks.
    pub subjects: Vec<String>,
}

impl Plan {
    pub fn met(&self) -> impl Iterator<Item = ExpectationId> + '_ {
        self.payments.iter().copied().chain(self.refunds.iter().map(|(id, _)| *id))
    }
}

/// Something that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub category: Category,
    /// The name of its break.
    pub subject: String,
    /// Above zero.
    pub money: Money,
    pub transaction: Option<String>,
    pub reference: Option<String>,
    pub intent: Option<IntentId>,
}

/// Judges a settlement against a bank line of this amount (zero for one that shows no line).
pub fn judge(
    settlement: &Settlement,
    bank: Money,
    open: &[&Expectation],
    candidates: &Candidates,
) -> Result<Judged, MoneyError> {
    let known = |item: &&Item| {
        let name = (settlement.channel.clone(), item.transaction.clone());
        candidates.known_payments.contains(&name)
    };
    let payments = settlement.items.iter().filter(|item| item.kind == ItemKind::Payment);
    let not_told: Vec<Item> = payments.filter(|item| !known(item)).cloned().collect();
    if !not_told.is_empty() {
        return Ok(Judged::NotTold(not_told));
    }
    let mut planning = Planning::new(settlement, bank, open);
    for item in &settlement.items {
        match item.kind {
            ItemKind::Payment => planning.payment(item)?,
            ItemKind::Refund => {
                if let Some(why) = planning.refund(item, candidates)? {
                    return Ok(Judged::Waits(why));
                }
            }
        }
    }
    planning.finish().map(Judged::Settles)
}

struct Planning<'a> {
    settlement: &'a Settlement,
    /// The channel's open payments by their transaction.
    payments: BTreeMap<&'a str, Vec<&'a Expectation>>,
    /// Its netted refunds by our reference.
    refunds: BTreeMap<&'a str, Vec<&'a Expectation>>,
    used: BTreeSet<ExpectationId>,
    plan: Plan,
    contract: Money,
    /// What the items add up to, costs apart.
    due: Money,
}

impl<'a> Planning<'a> {
    fn new(settlement: &'a Settlement, bank: Money, open: &[&'a Expectation]) -> Self {
        let (mut payments, mut refunds) = (BTreeMap::new(), BTreeMap::new());
        let here = |one: &&&Expectation| {
            one.channel == settlement.channel && one.money.currency() == settlement.net.currency()
        };
        for one in open.iter().filter(here).copied() {
            let (list, name): (&mut BTreeMap<&str, Vec<&Expectation>>, _) = match one.kind {
                Kind::Payment => (&mut payments, one.transaction.as_deref()),
                Kind::NettedRefund => (&mut refunds, one.reference.as_deref()),
                Kind::Refund | Kind::Payout => continue,
            };
            if let Some(name) = name {
                list.entry(name).or_default().push(one);
            }
        }
        let zero = Money::zero(settlement.net.currency());
        let plan = Plan {
            payments: Vec::new(),
            refunds: Vec::new(),
            net: bank,
            // A channel that pays for being used has paid more than is due.
            kept: if settlement.costs.is_negative() { zero } else { settlement.costs },
            receivable: zero,
            cost_variance: zero,
            parked: Vec::new(),
            owed: Vec::new(),
            late: Vec::new(),
            subjects: Vec::new(),
        };
        Self { settlement, payments, refunds, used: BTreeSet::new(), plan, contract: zero, due: zero }
    }

    fn payment(&mut self, item: &Item) -> Result<(), MoneyError> {
        self.due = self.due.checked_add(item.gross)?;
        self.plan.subjects.push(self.subject(item));
        let listed = self.payments.get(item.transaction.as_str()).map_or(&[][..], Vec::as_slice);
        let mut free = listed.iter().filter(|one| !self.used.contains(&one.id));
        let exact = free.clone().find(|one| one.money == item.gross);
        let Some(expected) = exact.or_else(|| free.next()).copied() else {
            // It was settled before.
            self.park(Category::DuplicateMoney, item, item.gross, None);
            return Ok(());
        };
        self.used.insert(expected.id);
        self.plan.payments.push(expected.id);
        self.contract = self.contract.checked_add(expected.cost)?;
        let over = item.gross.checked_sub(expected.money)?;
        let settled = if over.is_positive() { expected.money } else { item.gross };
        self.plan.receivable = self.plan.receivable.checked_add(settled)?;
        if over.is_positive() {
            self.park(Category::AmountOver, item, over, expected.intent);
        } else if over.is_negative() {
            let short = over.checked_neg()?;
            let short = self.difference(Category::AmountUnder, item, short, expected.intent);
            self.plan.owed.push(short);
        }
        if expected.due_on < self.settlement.day {
            let late = self.difference(Category::CutOff, item, item.gross, expected.intent);
            self.plan.late.push(late);
        }
        Ok(())
    }

    /// A refund of ours that the channel kept back, or money it took back without our asking. Answers why the
    /// settlement has to wait, if it has.
    fn refund(&mut self, item: &Item, candidates: &Candidates) -> Result<Option<String>, MoneyError> {
        self.due = self.due.checked_sub(item.gross)?;
        self.plan.receivable = self.plan.receivable.checked_sub(item.gross)?;
        self.plan.subjects.push(self.subject(item));
        let out = item.gross.checked_neg()?;
        let listed = self.refunds.get(item.reference.as_str()).map_or(&[][..], Vec::as_slice);
        let ours = listed.iter().find(|one| one.money == out && !self.used.contains(&one.id)).copied();
        if let Some(expected) = ours
            && let Some(refund) = expected.refund
        {
            if !candidates.refunds_in_flight.contains(&refund) {
                return Ok(Some(format!("refund {refund} is not on its way")));
            }
            self.used.insert(expected.id);
            self.plan.refunds.push((expected.id, refund));
            return Ok(None);
        }
        let payment = (self.settlement.channel.clone(), item.transaction.clone());
        // A chargeback goes by the payment's own transaction, or by one of its own with the order of the payment.
        let order = (self.settlement.channel.clone(), item.reference.clone());
        let is_reversal =
            candidates.known_payments.contains(&payment) || candidates.known_orders.contains(&order);
        if !is_reversal && candidates.refunds_in_doubt.contains(&item.reference) {
            return Ok(Some(format!("nobody knows yet whether refund {} was taken", item.reference)));
        }
        let category = if is_reversal { Category::Reversed } else { Category::UnknownDebit };
        let back = self.difference(category, item, item.gross, None);
        self.plan.owed.push(back);
        Ok(None)
    }

    /// The bank line against the items and the costs.
    fn finish(mut self) -> Result<Plan, MoneyError> {
        let total = self.plan.net.checked_add(self.plan.kept)?;
        let over = total.checked_sub(self.due)?;
        let whole = |category, money| Difference {
            category,
            subject: self.settlement.name(),
            money,
            transaction: None,
            reference: Some(self.settlement.reference.clone()),
            intent: None,
        };
        if over.is_positive() {
            self.plan.parked.push(whole(Category::AmountOver, over));
        } else if over.is_negative() {
            self.plan.owed.push(whole(Category::AmountUnder, over.checked_neg()?));
            self.plan.receivable = self.plan.receivable.checked_add(over)?;
        }
        self.plan.cost_variance = self.plan.kept.checked_sub(self.contract)?;
        Ok(self.plan)
    }

    /// Under a name of its own: a callback may have brought money of this transaction to suspense too.
    fn park(&mut self, category: Category, item: &Item, money: Money, intent: Option<IntentId>) {
        let name = format!("{}:{}", self.settlement.name(), item.transaction);
        let parked = &self.plan.parked;
        // Listed three times it is parked twice.
        let before = parked.iter().filter(|one| one.transaction.as_ref() == Some(&item.transaction)).count();
        let subject = if before == 0 { name } else { format!("{name}:{}", before + 1) };
        self.plan.parked.push(Difference { subject, ..self.difference(category, item, money, intent) });
    }

    fn subject(&self, item: &Item) -> String {
        format!("{}:{}", self.settlement.channel, item.transaction)
    }

    fn difference(
        &self,
        category: Category,
        item: &Item,
        money: Money,
        intent: Option<IntentId>,
    ) -> Difference {
        Difference {
            category,
            subject: self.subject(item),
            money,
            transaction: Some(item.transaction.clone()),
            reference: Some(item.reference.clone()),
            intent,
        }
    }
}

/// Whether a line names a settlement. A short id stands in many a text by chance: it counts only with the whole amount.
pub fn is_named(settlement: &Settlement, line: &Line) -> bool {
    reading::names(&line.text, &settlement.reference)
        && (!reading::is_short(&settlement.reference) || line.money == settlement.net)
}

/// Whether a line that names a settlement may be its money: it moves the same way, and differs from what was reported by
/// less than a tenth. What is further off is something else about it, a fee or a payment that mentions it.
pub fn may_be(settlement: &Settlement, line: Money) -> bool {
    let (net, line) = (i128::from(settlement.net.minor()), i128::from(line.minor()));
    net.signum() == line.signum() && (line - net).abs() * 10 < net.abs()
}
