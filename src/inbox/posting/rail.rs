//! How one channel carries one money.

use mizan_ledger::{Day, EntryId, Instant, Money};
use serde_json::{Map, Value};

use super::super::model::Notice;
use super::Batch;
use crate::books::{CostBearer, Place, RailCost, Slug, Stage, Voucher};
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::intents::shares;

/// How far a channel's clock may be off.
const CLOCK_OFF_SECONDS: i64 = 86_400;

/// Where it stands, since when and until when, and what it costs.
pub(super) struct Rail {
    pub(super) slug: Slug,
    pub(super) place: Place,
    /// The bank (its name in the books) where it will be seen, or the agency that the channel pays itself.
    pub(super) account: String,
    pub(super) direct: Option<Slug>,
    pub(super) cost: Money,
    pub(super) happened_at: Instant,
    pub(super) settlement_on: Day,
    pub(super) due_on: Day,
}

impl Rail {
    /// `begun`: when the attempt was begun that the money answers, where there is one.
    pub(super) fn of(batch: &Batch<'_>, notice: &Notice, begun: Option<Instant>) -> Result<Self, Fault> {
        let slug = shares::slug(&notice.channel)?;
        let currency = notice.money.currency();
        let account = batch.hub.config.settlement_account(&notice.channel, currency);
        let settings = batch.hub.config.channels.get(&notice.channel);
        let within = settings.map_or(0, |settings| i32::from(settings.settles_within_days));
        let happened_at = happened_at(notice, begun, batch.now);
        let settlement_on = batch.hub.calendar.day_of(happened_at);
        Ok(Self {
            place: Place::Channel { channel: slug.clone() },
            slug,
            account: account.unwrap_or_else(|| "unknown".to_owned()),
            direct: batch.hub.config.direct_agency(&notice.channel).cloned(),
            cost: batch.hub.channels.cost(&notice.channel, notice.money)?,
            happened_at,
            settlement_on,
            due_on: settlement_on.plus_days(within),
        })
    }

    /// Who bears what the channel keeps of a payment: the agency where the rail pays it the net, else the hub.
    fn bearer(&self) -> CostBearer {
        let agency = self.direct.clone();
        agency.map_or(CostBearer::Hub, |agency| CostBearer::Agency { agency, stage: Stage::Direct })
    }

    pub(super) fn costs(&self) -> Vec<RailCost> {
        if self.cost.is_zero() {
            return Vec::new();
        }
        vec![RailCost { channel: self.slug.clone(), amount: self.cost, borne_by: self.bearer() }]
    }

    pub(super) fn voucher(
        &self,
        batch: &Batch<'_>,
        notice: &Notice,
        id: EntryId,
        intent: Option<IntentId>,
    ) -> Voucher {
        let mut meta = Map::new();
        meta.insert("notice".to_owned(), Value::from(notice.n));
        meta.insert("transaction".to_owned(), Value::from(notice.transaction.as_str()));
        if self.happened_at != notice.occurred_at {
            meta.insert("told_at".to_owned(), Value::from(notice.occurred_at.to_string()));
        }
        Voucher {
            id,
            effective_on: batch.hub.calendar.day_of(batch.now),
            actor: format!("channel:{}", notice.channel),
            source_ref: intent.map_or_else(|| format!("notice:{}", notice.n), |id| id.to_string()),
            meta,
        }
    }
}

/// When the money came: as the channel says, unless its clock cannot be right, which would give receipts dates of another
/// year and expectations that fall due never. Then it is now, and the entry keeps what was told.
fn happened_at(notice: &Notice, begun: Option<Instant>, now: Instant) -> Instant {
    let told = notice.occurred_at;
    let too_early = begun.is_some_and(|begun| told < begun.plus_seconds(-CLOCK_OFF_SECONDS));
    if too_early || told > now.plus_seconds(CLOCK_OFF_SECONDS) { now } else { told }
}

pub(super) fn illegal(illegal: crate::intents::Illegal) -> Fault {
    Fault::Other(illegal.to_string())
}

pub(super) fn rule(error: crate::books::RuleError) -> Fault {
    Fault::Other(error.to_string())
}
