//! What a batch of notices does, decided in order on the locked rows: pure.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::{Day, Entry, EntryId, Instant, Money};
use serde_json::{Map, Value, json};

use super::model::{Meaning, Notice};
use super::store::Applied;
use crate::books::{CostBearer, Difference, Parked, Payment, Place, RailCost, Slug, Stage, Voucher, rules};
use crate::breaks::{Category, NewBreak};
use crate::expectations::{Kind, NewExpectation};
use crate::fault::Fault;
use crate::ids::{AttemptId, IntentId, SuspenseId};
use crate::intents::attempts::service::end_attempts;
use crate::intents::{
    Arrival, Attempt, AttemptEvent, Intent, IntentEvent, IntentState, Misfit, RELEASE_BY_TIME, shares, view,
};
use crate::queue::NewJob;
use crate::quoting::Basket;
use crate::receipts::NewReceipt;
use crate::refunds::{self, service::Heard};
use crate::suspense;
use crate::tx::Hub;

/// What is the same for all notices of a turn.
#[derive(Debug)]
pub struct Batch<'a> {
    pub hub: &'a Hub,
    pub now: Instant,
    pub to_suspense: bool,
    /// Money keys that were free until now.
    pub claimed: BTreeSet<String>,
    /// Which intent a reference names.
    pub named: BTreeMap<String, IntentId>,
}

impl Batch<'_> {
    fn pays_agency(&self, notice: &Notice) -> bool {
        self.hub.config.direct_agency(&notice.channel).is_some()
    }
}

/// An intent under the batch's lock, with its priced lines and attempts.
#[derive(Debug)]
pub struct Case {
    pub intent: Intent,
    pub basket: Basket,
    pub attempts: Vec<Attempt>,
    pub changed: bool,
    pub touched: BTreeSet<AttemptId>,
}

impl Case {
    pub fn new(intent: Intent, basket: Basket, attempts: Vec<Attempt>) -> Self {
        Self { intent, basket, attempts, changed: false, touched: BTreeSet::new() }
    }
}

/// Everything the batch writes.
#[derive(Debug, Default)]
pub struct Decided {
    pub cases: BTreeMap<IntentId, Case>,
    pub entries: Vec<Entry>,
    pub suspense: Vec<suspense::NewItem>,
    pub expectations: Vec<NewExpectation>,
    pub breaks: Vec<NewBreak>,
    pub receipts: Vec<(IntentId, NewReceipt)>,
    pub events: Vec<(&'static str, IntentId)>,
    pub applied: Vec<Applied>,
    pub jobs: Vec<NewJob>,
    /// Intents whose earlier parts this batch completed.
    pub completed: Vec<IntentId>,
}

/// Decides notice by notice, each seeing what those before it did.
pub fn decide(
    batch: &Batch<'_>,
    cases: BTreeMap<IntentId, Case>,
    notices: &[Notice],
) -> Result<Decided, Fault> {
    let mut decided = Decided { cases, ..Decided::default() };
    for notice in notices {
        let intent = notice.reference.as_ref().and_then(|reference| batch.named.get(reference)).copied();
        let outcome = match notice.meaning {
            Meaning::Money => decided.money(batch, notice, intent)?,
            Meaning::Declined => decided.declined(notice, intent)?,
            Meaning::Reversed => decided.reversed(notice, intent),
            Meaning::Refunded | Meaning::RefundFailed => decided.refund_told(notice),
            Meaning::Information => "noted".to_owned(),
        };
        decided.applied.push(Applied { n: notice.n, outcome, intent });
    }
    Ok(decided)
}

impl Decided {
    fn money(
        &mut self,
        batch: &Batch<'_>,
        notice: &Notice,
        intent: Option<IntentId>,
    ) -> Result<String, Fault> {
        if !batch.claimed.contains(&notice.money_key) {
            return Ok("known money".to_owned());
        }
        let case = intent.and_then(|id| self.cases.get_mut(&id));
        let arrival = match &case {
            _ if batch.to_suspense => None,
            Some(case) => Some(case.intent.arrival(notice.money)?),
            None => None,
        };
        if let Some(case) = case {
            capture(case, notice);
        }
        match (intent, arrival) {
            (Some(id), Some(Arrival::Pays { surplus })) => self.pays(batch, notice, id, surplus),
            // A part cannot wait here for the rest when its channel pays the agency itself.
            (Some(id), Some(Arrival::Part { .. })) if batch.pays_agency(notice) => {
                self.suspend(batch, notice, Some(id), Category::AmountUnder, notice.entry)
            }
            (Some(id), Some(Arrival::Part { received })) => self.part(batch, notice, id, received),
            (Some(id), Some(Arrival::Suspense(misfit))) => {
                let category = match misfit {
                    Misfit::Duplicate => Category::DuplicateMoney,
                    Misfit::Late => Category::LateMoney,
                    Misfit::WrongCurrency => Category::Currency,
                };
                if misfit == Misfit::Late {
                    self.events.push(("payment_intent.money_late", id));
                }
                self.suspend(batch, notice, Some(id), category, notice.entry)
            }
            (id, None) if batch.to_suspense => {
                self.suspend(batch, notice, id, Category::NoticeSetAside, notice.fallback_entry)
            }
            _ => self.suspend(batch, notice, None, Category::UnknownCredit, notice.entry),
        }
    }

    /// The whole amount is there: components, receipt, expectation; what came beyond waits in suspense.
    fn pays(
        &mut self,
        batch: &Batch<'_>,
        notice: &Notice,
        id: IntentId,
        surplus: Money,
    ) -> Result<String, Fault> {
        let rail = Rail::of(batch, notice)?;
        let case = self.case(id)?;
        let held = case.intent.paid;
        case.intent.apply(IntentEvent::MoneyArrived { completes: true }).map_err(illegal)?;
        case.intent.paid = case.intent.amount;
        case.intent.paid_at = Some(notice.occurred_at);
        case.intent.settlement_on = Some(rail.settlement_on);
        case.changed = true;
        let difference = if surplus.is_zero() {
            Difference::None
        } else {
            Difference::Surplus(Parked { suspense: rail.slug.clone(), amount: surplus })
        };
        let voucher = rail.voucher(batch, notice, notice.entry, Some(id));
        let payment = Payment {
            place: rail.place.clone(),
            received: notice.money,
            shares: match &rail.direct {
                Some(agency) => shares::direct(agency, &case.basket, held)?,
                None => shares::shares(&case.basket)?,
            },
            difference,
            exemptions: shares::exemptions(&case.basket)?,
            costs: rail.costs(),
        };
        let entry = if held.is_zero() {
            rules::collect::paid_in_full(voucher, &payment)
        } else {
            rules::collect::part_payment_completed(voucher, &payment, held)
        };
        let receipt = view::receipt(&case.intent, &case.basket, &notice.channel, &notice.transaction);
        self.entries.push(entry.map_err(rule)?);
        self.receipts.push((id, receipt));
        self.events.push(("payment_intent.paid", id));
        if !held.is_zero() {
            self.completed.push(id);
        }
        self.release_later(batch, id, &rail)?;
        self.expect(&rail, notice, Some(id));
        if !surplus.is_zero() {
            self.park(batch, notice, Some(id), Category::AmountOver, surplus, notice.entry);
        }
        Ok("paid".to_owned())
    }

    /// What is held for some days is released by a job; of direct money nothing is held.
    fn release_later(&mut self, batch: &Batch<'_>, id: IntentId, rail: &Rail) -> Result<(), Fault> {
        if rail.direct.is_some() {
            return Ok(());
        }
        for days in shares::release_days(&self.case(id)?.basket) {
            let at = batch.now.plus_seconds(i64::from(days) * 86_400);
            self.jobs.push(NewJob::now(RELEASE_BY_TIME, format!("{id}:{days}")).at(at));
        }
        Ok(())
    }

    /// Less than what is due: held until the rest comes.
    fn part(
        &mut self,
        batch: &Batch<'_>,
        notice: &Notice,
        id: IntentId,
        received: Money,
    ) -> Result<String, Fault> {
        let rail = Rail::of(batch, notice)?;
        let case = self.case(id)?;
        case.intent.apply(IntentEvent::MoneyArrived { completes: false }).map_err(illegal)?;
        case.intent.paid = case.intent.paid.checked_add(received)?;
        case.changed = true;
        let missing = case.intent.due()?;
        let voucher = rail.voucher(batch, notice, notice.entry, Some(id));
        let entry =
            rules::collect::part_payment_held(voucher, &rail.place, received, &rail.costs()).map_err(rule)?;
        self.entries.push(entry);
        self.events.push(("payment_intent.partially_paid", id));
        self.expect(&rail, notice, Some(id));
        self.breaks.push(NewBreak {
            category: Category::AmountUnder,
            subject: notice.money_key.clone(),
            money: Some(missing),
            channel: Some(notice.channel.clone()),
            intent: Some(id),
            detail: detail(notice),
        });
        Ok("part".to_owned())
    }

    /// The money fits nothing: it is taken, put in suspense and given a break.
    fn suspend(
        &mut self,
        batch: &Batch<'_>,
        notice: &Notice,
        intent: Option<IntentId>,
        category: Category,
        entry: EntryId,
    ) -> Result<String, Fault> {
        let rail = Rail::of(batch, notice)?;
        let voucher = rail.voucher(batch, notice, entry, intent);
        let parked = Parked { suspense: rail.slug.clone(), amount: notice.money };
        let posted = rules::suspense::money_to_suspense(voucher, &rail.place, &parked, &rail.costs());
        self.entries.push(posted.map_err(rule)?);
        self.expect(&rail, notice, intent);
        self.park(batch, notice, intent, category, notice.money, entry);
        Ok(format!("suspense: {category}"))
    }

    fn park(
        &mut self,
        batch: &Batch<'_>,
        notice: &Notice,
        intent: Option<IntentId>,
        category: Category,
        money: Money,
        entry: EntryId,
    ) {
        self.suspense.push(suspense::NewItem {
            id: batch.hub.entropy.id::<SuspenseId>(batch.now),
            account: notice.channel.clone(),
            money,
            cause: category.as_str().to_owned(),
            notice: Some(notice.n),
            statement_line: None,
            intent,
            money_key: Some(notice.money_key.clone()),
            entry,
        });
        self.breaks.push(NewBreak {
            category,
            subject: notice.money_key.clone(),
            money: Some(money),
            channel: Some(notice.channel.clone()),
            intent,
            detail: detail(notice),
        });
    }

    /// The bank will show this money: one expectation for the whole of what the channel took.
    fn expect(&mut self, rail: &Rail, notice: &Notice, intent: Option<IntentId>) {
        self.expectations.push(NewExpectation {
            kind: Kind::Payment,
            channel: notice.channel.clone(),
            account: rail.account.clone(),
            money: notice.money,
            cost: rail.cost,
            transaction: Some(notice.transaction.clone()),
            reference: notice.reference.clone(),
            money_key: Some(notice.money_key.clone()),
            intent,
            refund: None,
            born_on: rail.settlement_on,
            due_on: rail.due_on,
        });
    }

    fn declined(&mut self, notice: &Notice, intent: Option<IntentId>) -> Result<String, Fault> {
        let Some(case) = intent.and_then(|id| self.cases.get_mut(&id)) else {
            return Ok("unknown order".to_owned());
        };
        let Some(attempt) = attempt_of(case, notice) else { return Ok("no attempt".to_owned()) };
        let Some(state) = attempt.state.apply(AttemptEvent::Declined) else {
            return Ok("too late".to_owned());
        };
        attempt.state = state;
        attempt.failure.clone_from(&notice.reason);
        attempt.transaction = Some(notice.transaction.clone());
        let (attempt, id) = (attempt.id, case.intent.id);
        case.touched.insert(attempt);
        let lives = case.attempts.iter().any(|attempt| attempt.state.is_live());
        if !lives && case.intent.state == IntentState::Processing {
            end_attempts(&mut case.intent)?;
            case.changed = true;
            self.events.push(("payment_intent.attempt_failed", id));
        }
        Ok("declined".to_owned())
    }

    /// The channel takes a payment back: a person decides, because the service may be delivered.
    fn reversed(&mut self, notice: &Notice, intent: Option<IntentId>) -> String {
        self.breaks.push(NewBreak {
            category: Category::Reversed,
            subject: format!("{}:{}", notice.channel, notice.transaction),
            money: Some(notice.money),
            channel: Some(notice.channel.clone()),
            intent,
            detail: detail(notice),
        });
        "break: reversed".to_owned()
    }

    /// News of a refund of ours: its own worker applies it, because the poster does not lock refunds.
    fn refund_told(&mut self, notice: &Notice) -> String {
        let Some(reference) = notice.reference.clone() else { return "no reference".to_owned() };
        let failed = notice.meaning == Meaning::RefundFailed;
        let reason = || notice.reason.clone().unwrap_or_else(|| "failed".to_owned());
        self.jobs.push(refunds::service::notice_job(&Heard {
            reference,
            transaction: notice.transaction.clone(),
            failed: failed.then(reason),
        }));
        "told to refunds".to_owned()
    }

    fn case(&mut self, id: IntentId) -> Result<&mut Case, Fault> {
        self.cases.get_mut(&id).ok_or_else(|| Fault::corrupt("payment_intents", "id", id))
    }
}

/// The attempt a notice is about: its reference is our order.
fn attempt_of<'a>(case: &'a mut Case, notice: &Notice) -> Option<&'a mut Attempt> {
    let order: AttemptId = notice.reference.as_deref()?.parse().ok()?;
    case.attempts.iter_mut().find(|attempt| attempt.id == order)
}

fn capture(case: &mut Case, notice: &Notice) {
    if let Some(attempt) = attempt_of(case, notice)
        && let Some(state) = attempt.state.apply(AttemptEvent::Captured)
    {
        attempt.state = state;
        attempt.transaction = Some(notice.transaction.clone());
        let id = attempt.id;
        case.touched.insert(id);
    }
}

/// How one channel carries one money: where it stands, until when, and what it costs.
struct Rail {
    slug: Slug,
    place: Place,
    /// The bank (its name in the books) where it will be seen, or the agency that the channel pays itself.
    account: String,
    direct: Option<Slug>,
    cost: Money,
    settlement_on: Day,
    due_on: Day,
}

impl Rail {
    fn of(batch: &Batch<'_>, notice: &Notice) -> Result<Self, Fault> {
        let slug = shares::slug(&notice.channel)?;
        let currency = notice.money.currency();
        let account = batch.hub.config.settlement_account(&notice.channel, currency);
        let settings = batch.hub.config.channels.get(&notice.channel);
        let within = settings.map_or(0, |settings| i32::from(settings.settles_within_days));
        let settlement_on = batch.hub.calendar.day_of(notice.occurred_at);
        Ok(Self {
            place: Place::Channel { channel: slug.clone() },
            slug,
            account: account.unwrap_or_else(|| "unknown".to_owned()),
            direct: batch.hub.config.direct_agency(&notice.channel).cloned(),
            cost: batch.hub.channels.cost(&notice.channel, notice.money)?,
            settlement_on,
            due_on: settlement_on.plus_days(within),
        })
    }

    /// Who bears what the channel keeps of a payment: the agency where the rail pays it the net, else the hub.
    fn bearer(&self) -> CostBearer {
        let agency = self.direct.clone();
        agency.map_or(CostBearer::Hub, |agency| CostBearer::Agency { agency, stage: Stage::Direct })
    }

    fn costs(&self) -> Vec<RailCost> {
        if self.cost.is_zero() {
            return Vec::new();
        }
        vec![RailCost { channel: self.slug.clone(), amount: self.cost, borne_by: self.bearer() }]
    }

    fn voucher(&self, batch: &Batch<'_>, notice: &Notice, id: EntryId, intent: Option<IntentId>) -> Voucher {
        let mut meta = Map::new();
        meta.insert("notice".to_owned(), Value::from(notice.n));
        meta.insert("transaction".to_owned(), Value::from(notice.transaction.as_str()));
        Voucher {
            id,
            effective_on: batch.hub.calendar.day_of(batch.now),
            actor: format!("channel:{}", notice.channel),
            source_ref: intent.map_or_else(|| format!("notice:{}", notice.n), |id| id.to_string()),
            meta,
        }
    }
}

fn detail(notice: &Notice) -> Value {
    json!({
        "notice": notice.n, "transaction": notice.transaction, "reference": notice.reference,
        "amount": notice.money, "source": notice.source.as_str(),
    })
}

fn illegal(illegal: crate::intents::Illegal) -> Fault {
    Fault::Other(illegal.to_string())
}

fn rule(error: crate::books::RuleError) -> Fault {
    Fault::Other(error.to_string())
}
