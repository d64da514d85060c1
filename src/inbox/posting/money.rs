//! Money that a notice tells of: it pays, is a part, or waits in suspense. It is never refused and never lost.

use mizan_ledger::{EntryId, Money};
use serde_json::json;

use super::super::model::Notice;
use super::rail::{Rail, illegal, rule};
use super::{Batch, Decided};
use crate::books::{Difference, Parked, Payment, rules};
use crate::breaks::{Category, NewBreak};
use crate::expectations::{Kind, NewExpectation};
use crate::fault::Fault;
use crate::ids::{IntentId, SuspenseId};
use crate::intents::{Arrival, AttemptEvent, IntentEvent, Misfit, RELEASE_BY_TIME, shares, view};
use crate::queue::NewJob;
use crate::suspense;

impl Decided {
    pub(super) fn money(
        &mut self,
        batch: &Batch<'_>,
        notice: &Notice,
        intent: Option<IntentId>,
    ) -> Result<String, Fault> {
        if !batch.claimed.contains(&notice.n) && batch.is_altered(notice, intent) {
            return Ok(self.altered(batch, notice, intent));
        }
        // That the money came ends its attempt, whatever becomes of the money.
        if let Some(case) = intent.and_then(|id| self.cases.get_mut(&id)) {
            case.move_attempt(notice, AttemptEvent::Captured);
        }
        let outcome = if batch.claimed.contains(&notice.n) {
            self.take(batch, notice, intent)?
        } else {
            "known money".to_owned()
        };
        self.back(intent)?;
        Ok(outcome)
    }

    /// The first telling stands; what it was is for a person to find out.
    fn altered(&mut self, batch: &Batch<'_>, notice: &Notice, intent: Option<IntentId>) -> String {
        let mut detail = self.detail(notice, intent);
        if let Some(first) = batch.firsts.get(&notice.money_key) {
            detail["first_notice"] = json!(first.n);
            detail["first_amount"] = json!(first.money);
        }
        self.breaks.push(NewBreak {
            category: Category::Altered,
            subject: notice.fact(),
            money: Some(notice.money),
            channel: Some(notice.channel.clone()),
            intent,
            detail,
        });
        "break: altered".to_owned()
    }

    fn take(
        &mut self,
        batch: &Batch<'_>,
        notice: &Notice,
        intent: Option<IntentId>,
    ) -> Result<String, Fault> {
        let gone = self.back.arrived(intent.and_then(|id| self.cases.get_mut(&id)), notice)?;
        if batch.to_suspense {
            return self.suspend(batch, notice, intent, Category::NoticeSetAside, notice.fallback_entry);
        }
        let Some(case) = intent.and_then(|id| self.cases.get_mut(&id)) else {
            return self.suspend(batch, notice, None, Category::UnknownCredit, notice.entry);
        };
        let id = case.intent.id;
        if !gone.compare(notice.money)?.is_lt() {
            return self.suspend(batch, notice, Some(id), Category::Reversed, notice.entry);
        }
        if batch.pays_another(notice, &case.basket) {
            return self.suspend(batch, notice, Some(id), Category::UnknownCredit, notice.entry);
        }
        let category = match case.intent.arrival(notice.money)? {
            Arrival::Pays { surplus } => {
                let outcome = self.pays(batch, notice, id, surplus)?;
                self.recount(id)?;
                return Ok(outcome);
            }
            // A part cannot wait here for the rest when its channel pays the agency itself.
            Arrival::Part { .. } if batch.pays_agency(notice) => Category::AmountUnder,
            Arrival::Part { received } => {
                let outcome = self.part(batch, notice, id, received)?;
                self.recount(id)?;
                return Ok(outcome);
            }
            Arrival::Suspense(Misfit::Duplicate) => Category::DuplicateMoney,
            Arrival::Suspense(Misfit::Late) => {
                self.events.push(("payment_intent.money_late", id));
                Category::LateMoney
            }
            Arrival::Suspense(Misfit::WrongCurrency) => Category::Currency,
        };
        self.suspend(batch, notice, Some(id), category, notice.entry)
    }

    /// The whole amount is there: components, receipt, expectation; what came beyond waits in suspense.
    fn pays(
        &mut self,
        batch: &Batch<'_>,
        notice: &Notice,
        id: IntentId,
        surplus: Money,
    ) -> Result<String, Fault> {
        let case = self.case(id)?;
        let rail = Rail::of(batch, notice, case.begun(notice))?;
        let held = case.intent.paid;
        case.intent.apply(IntentEvent::MoneyArrived { completes: true }).map_err(illegal)?;
        case.intent.paid = case.intent.amount;
        case.intent.paid_at = Some(rail.happened_at);
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
        self.back.pays(&notice.money_key, id);
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
        let case = self.case(id)?;
        let rail = Rail::of(batch, notice, case.begun(notice))?;
        case.intent.apply(IntentEvent::MoneyArrived { completes: false }).map_err(illegal)?;
        case.intent.paid = case.intent.paid.checked_add(received)?;
        case.changed = true;
        case.settle_attempts()?;
        let missing = case.intent.due()?;
        let voucher = rail.voucher(batch, notice, notice.entry, Some(id));
        let entry =
            rules::collect::part_payment_held(voucher, &rail.place, received, &rail.costs()).map_err(rule)?;
        self.entries.push(entry);
        self.events.push(("payment_intent.partially_paid", id));
        self.back.pays(&notice.money_key, id);
        self.expect(&rail, notice, Some(id));
        self.breaks.push(NewBreak {
            category: Category::AmountUnder,
            subject: notice.money_key.clone(),
            money: Some(missing),
            channel: Some(notice.channel.clone()),
            intent: Some(id),
            detail: self.detail(notice, Some(id)),
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
        let case = intent.and_then(|id| self.cases.get(&id));
        let rail = Rail::of(batch, notice, case.and_then(|case| case.begun(notice)))?;
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
        let id = batch.hub.entropy.id::<SuspenseId>(batch.now);
        self.suspense.push(suspense::NewItem {
            id,
            account: notice.channel.clone(),
            money,
            cause: category.as_str().to_owned(),
            break_subject: notice.money_key.clone(),
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
            detail: self.detail(notice, intent),
        });
        // Who was charged back and pays again has paid once: that a person looks at first.
        let case = intent.and_then(|id| self.cases.get(&id));
        let charged_back = case.is_some_and(|case| case.intent.reversed.is_positive());
        if suspense::goes_back(category) && !(charged_back && category == Category::DuplicateMoney) {
            self.jobs.push(suspense::propose_refund(id));
        }
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
}
