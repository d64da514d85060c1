//! Settlements, part by part.

use mizan_ledger::Money;
use serde_json::{Value, json};

use super::{Booking, CORRECTION_DAYS, Known, Place, RefundSeen, Seen};
use crate::books::rules::channel::{NetSettlement, Shown};
use crate::books::{CostBearer, Parked, RailCost, Voucher, rules};
use crate::breaks::{Category, NewBreak};
use crate::expectations::{Kind, NewExpectation};
use crate::fault::Fault;
use crate::ids::SuspenseId;
use crate::inbox::{Meaning, NewNotice, Source};
use crate::intents::shares::slug;
use crate::recon::matching::settlement::{Difference, Item, ItemKind, Plan, Settlement};
use crate::recon::store::ExplainedLine;
use crate::refunds::service::Heard;
use crate::suspense;

impl Booking {
    /// A settlement of nothing, which shows no line at the bank.
    pub fn settle_silently(
        &mut self,
        settlement: &Settlement,
        plan: &Plan,
        known: &Known<'_>,
    ) -> Result<(), Fault> {
        let day = settlement.day.min(self.today());
        let place = Place { account: &settlement.account, day, line: None, entry: settlement.entry };
        let shown = Shown::AtBank(slug(place.account)?);
        self.settles_from(&place, shown, settlement, plan, known)
    }

    /// A settlement whose line was booked as unknown, because its channel had not told of it yet: what waits in suspense
    /// settles it. It counts from today; the day of the line is proved as it was known then.
    pub fn settle_explained(
        &mut self,
        explained: &ExplainedLine,
        settlement: &Settlement,
        plan: &Plan,
        known: &Known<'_>,
    ) -> Result<(), Fault> {
        let (line, entry) = (Some(explained.line), settlement.entry);
        let place = Place { account: &settlement.account, day: self.today(), line, entry };
        let shown = Shown::InSuspense(slug(&settlement.account)?);
        self.settles_from(&place, shown, settlement, plan, known)?;
        self.used.extend(explained.item.map(|item| (item, settlement.net)));
        let told = "its channel told afterwards what it settled";
        let category =
            if explained.item.is_some() { Category::UnknownCredit } else { Category::UnknownDebit };
        self.resolve(category, explained.money_key.clone(), told);
        Ok(())
    }

    pub(super) fn settles(
        &mut self,
        place: &Place<'_>,
        settlement: &Settlement,
        plan: &Plan,
        known: &Known<'_>,
    ) -> Result<&'static str, Fault> {
        let shown = Shown::AtBank(slug(place.account)?);
        self.settles_from(place, shown, settlement, plan, known)?;
        Ok("matched")
    }

    fn settles_from(
        &mut self,
        place: &Place<'_>,
        shown: Shown,
        settlement: &Settlement,
        plan: &Plan,
        known: &Known<'_>,
    ) -> Result<(), Fault> {
        let name = settlement.name();
        let channel = slug(&settlement.channel)?;
        let mut voucher = self.voucher(place, name);
        voucher.meta.insert("settlement".to_owned(), settlement.reference.as_str().into());
        self.meet_all(place, settlement, plan, &voucher, known)?;
        self.vary(settlement, plan, &voucher, CostBearer::Hub)?;
        let beyond = Money::sum(plan.net.currency(), plan.parked.iter().map(|one| one.money))?;
        let net = NetSettlement {
            surplus: beyond.is_positive().then(|| Parked { suspense: channel.clone(), amount: beyond }),
            channel,
            shown,
            net: plan.net,
            kept: plan.kept,
            receivable: plan.receivable,
        };
        let moves = [plan.net, plan.kept, plan.receivable, beyond].iter().any(|money| !money.is_zero());
        if moves {
            self.enter(rules::channel::channel_settled_net(voucher, &net))?;
        }
        for one in &plan.parked {
            self.park(place, &settlement.channel, one);
        }
        self.follow_up(place, settlement, plan);
        Ok(())
    }

    /// The expectations that a settlement meets.
    pub(super) fn meet_all(
        &mut self,
        place: &Place<'_>,
        settlement: &Settlement,
        plan: &Plan,
        voucher: &Voucher,
        known: &Known<'_>,
    ) -> Result<(), Fault> {
        let channel = slug(&settlement.channel)?;
        for (id, refund) in &plan.refunds {
            let own = self.another(voucher);
            self.meet(place, known.expectation(*id)?, Some(settlement), own.id);
            let how = Seen::Netted { channel: channel.clone() };
            self.refunds.push(RefundSeen { refund: *refund, how, voucher: own });
        }
        for id in &plan.payments {
            self.meet(place, known.expectation(*id)?, Some(settlement), place.entry);
        }
        Ok(())
    }

    /// What a settlement leaves behind it: what the channel goes on owing, and breaks opened and over.
    pub(super) fn follow_up(&mut self, place: &Place<'_>, settlement: &Settlement, plan: &Plan) {
        for one in &plan.owed {
            self.owe(place, &settlement.channel, one);
            self.hear(settlement, one);
        }
        for one in &plan.late {
            self.breaks.push(broken(one, &settlement.channel, json!({ "settlement": settlement.reference })));
            self.resolve(Category::CutOff, one.subject.clone(), "it came with a later settlement");
        }
        self.resolve(Category::MissingAtBank, settlement.name(), "the bank shows it");
        self.resolve(Category::SettlementSetAside, settlement.name(), "it was booked");
        for subject in &plan.subjects {
            self.resolve(Category::MissingInHub, subject.clone(), "it was booked and settled");
        }
        self.settlements.push((settlement.id, place.line));
    }

    /// What a channel took back without our asking, its settlement tells as well as a callback would, which may be lost: a
    /// payment reversed, or a refund of ours that had failed for us.
    fn hear(&mut self, settlement: &Settlement, one: &Difference) {
        let (Some(reference), Some(transaction)) = (one.reference.clone(), one.transaction.clone()) else {
            return;
        };
        match one.category {
            Category::UnknownDebit => self.heard.push(Heard {
                channel: settlement.channel.clone(),
                reference,
                money: one.money,
                transaction,
                failed: None,
            }),
            Category::Reversed => self.taken_back.push(NewNotice {
                channel: settlement.channel.clone(),
                money_key: format!("{}:{transaction}", settlement.channel),
                raw: format!("settlement {}: {transaction} taken back", settlement.reference).into_bytes(),
                // Each settlement tells of another part, or of several.
                status: match self.taken_back.iter().filter(|told| told.transaction == transaction).count() {
                    0 => format!("TAKEN_BACK {}", settlement.reference),
                    before => format!("TAKEN_BACK {} {}", settlement.reference, before + 1),
                },
                transaction,
                meaning: Meaning::Reversed,
                source: Source::Report,
                reference: Some(reference),
                money: one.money,
                original_transaction: None,
                reason: None,
                occurred_at: self.end_of(settlement.day),
                headers: json!({}),
            }),
            _ => {}
        }
    }

    /// What the channel kept beside its contract is borne by who bears its costs, and looked into.
    pub(super) fn vary(
        &mut self,
        settlement: &Settlement,
        plan: &Plan,
        voucher: &Voucher,
        borne_by: CostBearer,
    ) -> Result<(), Fault> {
        if plan.cost_variance.is_zero() {
            return Ok(());
        }
        let more = plan.cost_variance.is_positive();
        let amount = if more { plan.cost_variance } else { plan.cost_variance.checked_neg()? };
        let cost = RailCost { channel: slug(&settlement.channel)?, amount, borne_by };
        let own = self.another(voucher);
        self.enter(if more {
            rules::channel::rail_cost_accrued(own, &cost)
        } else {
            rules::channel::rail_cost_reduced(own, &cost)
        })?;
        self.breaks.push(NewBreak {
            category: Category::CostVariance,
            subject: settlement.name(),
            money: Some(plan.cost_variance),
            channel: Some(settlement.channel.clone()),
            intent: None,
            detail: json!({
                "settlement": settlement.reference, "day": settlement.day, "kept": settlement.costs,
                "contract": plan.kept.checked_sub(plan.cost_variance)?,
            }),
        });
        Ok(())
    }

    /// Money beyond what was expected: an item in the channel's suspense. Two tellings of the channel differ here, so that
    /// no refund of it is proposed before a person has asked which is true.
    pub(super) fn park(&mut self, place: &Place<'_>, channel: &str, one: &Difference) {
        self.suspense.push(suspense::NewItem {
            id: self.hub.entropy.id::<SuspenseId>(self.now),
            account: channel.to_owned(),
            money: one.money,
            cause: one.category.as_str().to_owned(),
            break_subject: one.subject.clone(),
            notice: None,
            statement_line: place.line,
            intent: one.intent,
            money_key: None,
            entry: place.entry,
        });
        self.breaks.push(broken(one, channel, json!({})));
    }

    /// Money short of what was expected: the channel goes on owing it.
    pub(super) fn owe(&mut self, place: &Place<'_>, channel: &str, one: &Difference) {
        let born = NewExpectation {
            kind: Kind::Payment,
            channel: channel.to_owned(),
            account: place.account.to_owned(),
            money: one.money,
            cost: Money::zero(one.money.currency()),
            transaction: one.transaction.clone(),
            reference: one.reference.clone(),
            money_key: None,
            intent: one.intent,
            refund: None,
            born_on: place.day,
            due_on: place.day.plus_days(CORRECTION_DAYS),
        };
        self.born.push((self.end_of(place.day), born));
        self.breaks.push(broken(one, channel, json!({})));
    }

    /// A payment in a settlement that nobody told of becomes a notice like any other.
    pub fn tell(&mut self, settlement: &Settlement, item: &Item) -> Result<(), Fault> {
        debug_assert_eq!(item.kind, ItemKind::Payment, "refunds are never told of by a settlement");
        let money_key = format!("{}:{}", settlement.channel, item.transaction);
        let detail = json!({
            "settlement": settlement.reference, "day": settlement.day, "transaction": item.transaction,
            "order": item.reference, "amount": item.gross, "cost": item.cost,
        });
        self.notices.push(NewNotice {
            channel: settlement.channel.clone(),
            transaction: item.transaction.clone(),
            status: "SETTLED".to_owned(),
            meaning: Meaning::Money,
            source: Source::Report,
            reference: Some(item.reference.clone()),
            money: item.gross,
            original_transaction: None,
            reason: None,
            money_key: money_key.clone(),
            occurred_at: self.end_of(settlement.day),
            raw: serde_json::to_vec(&detail)?,
            headers: json!({}),
        });
        self.breaks.push(NewBreak {
            category: Category::MissingInHub,
            subject: money_key,
            money: Some(item.gross),
            channel: Some(settlement.channel.clone()),
            intent: None,
            detail,
        });
        Ok(())
    }
}

/// The break of a settlement that cannot be booked: it stands aside with its amount and the reason.
pub fn set_aside(settlement: &Settlement, why: &str) -> NewBreak {
    NewBreak {
        category: Category::SettlementSetAside,
        subject: settlement.name(),
        money: Some(settlement.net),
        channel: Some(settlement.channel.clone()),
        intent: None,
        detail: json!({
            "settlement": settlement.reference, "day": settlement.day, "paid_to": settlement.account, "why": why,
        }),
    }
}

/// The break of a settlement that was told once more with other contents: the first telling stands.
pub fn altered(known: &Settlement, told: &Settlement) -> NewBreak {
    let says = |one: &Settlement| json!({ "net": one.net, "costs": one.costs, "items": one.items.len(), "day": one.day });
    NewBreak {
        category: Category::Altered,
        subject: format!("settlement:{}", told.name()),
        money: Some(told.net),
        channel: Some(told.channel.clone()),
        intent: None,
        detail: json!({
            "settlement": told.reference, "account": known.account, "first": says(known), "then": says(told),
            "why": "the channel told of this settlement before, with other contents",
        }),
    }
}

pub(super) fn broken(one: &Difference, channel: &str, mut detail: Value) -> NewBreak {
    detail["transaction"] = json!(one.transaction);
    detail["reference"] = json!(one.reference);
    NewBreak {
        category: one.category,
        subject: one.subject.clone(),
        money: Some(one.money),
        channel: Some(channel.to_owned()),
        intent: one.intent,
        detail,
    }
}
