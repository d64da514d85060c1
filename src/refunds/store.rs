use mizan_ledger::{Currency, EntryId, Id, Instant, Money};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Proposal, Rail, Refund, RefundSource};
use super::state::RefundState;
use crate::fault::Fault;
use crate::ids::{IntentId, PaymentFileId, PortalId, RefundId, SuspenseId};

/// The next serial of references on payment files.
pub async fn next_serial(conn: &mut PgConnection) -> Result<i64, Fault> {
    let serial =
        sqlx::query_scalar!(r#"select nextval('refund_serials') as "serial!""#).fetch_one(conn).await?;
    Ok(serial)
}

pub async fn insert(conn: &mut PgConnection, refund: &Refund) -> Result<(), Fault> {
    let (intent, item) = match refund.source {
        RefundSource::Intent(id) => (Some(id.uuid()), None),
        RefundSource::Suspense(id) => (None, Some(id.uuid())),
    };
    let rail = RailColumns::from(&refund.rail);
    let currency = refund.amount.currency();
    sqlx::query!(
        "insert into refunds (id, serial, portal, intent, suspense_item, state, version, currency, amount_minor,
             components, reason, rail, channel, original_transaction, payee, requested_by, approved_entry_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        refund.id.uuid(),
        refund.serial,
        refund.portal.map(Id::uuid),
        intent,
        item,
        refund.state.as_str(),
        refund.version,
        currency.code(),
        refund.amount.minor(),
        serde_json::to_value(&refund.parts)?,
        refund.reason,
        rail.rail,
        rail.channel,
        rail.original_transaction,
        refund.payee.as_ref().map(serde_json::to_value).transpose()?,
        refund.requested_by,
        refund.approved_entry.uuid(),
        refund.created_at as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A rail as its three columns.
struct RailColumns<'a> {
    rail: &'static str,
    channel: &'a str,
    original_transaction: Option<&'a str>,
}

impl<'a> From<&'a Rail> for RailColumns<'a> {
    fn from(rail: &'a Rail) -> Self {
        match rail {
            Rail::Gateway { channel, transaction } => {
                Self { rail: "gateway", channel, original_transaction: Some(transaction) }
            }
            Rail::Bank { account } => Self { rail: "bank", channel: account, original_transaction: None },
        }
    }
}

struct RefundRow {
    id: Uuid,
    serial: i64,
    portal: Option<Uuid>,
    intent: Option<Uuid>,
    suspense_item: Option<Uuid>,
    state: String,
    version: i32,
    currency: String,
    amount_minor: i64,
    components: Value,
    reason: String,
    rail: String,
    channel: String,
    original_transaction: Option<String>,
    payee: Option<Value>,
    requested_by: String,
    decided_by: Option<String>,
    decision_note: Option<String>,
    instruction: i32,
    provider_transaction: Option<String>,
    payment_file: Option<Uuid>,
    approved_entry_id: Uuid,
    created_at: Instant,
    decided_at: Option<Instant>,
    submitted_at: Option<Instant>,
    succeeded_at: Option<Instant>,
    failure: Option<String>,
    proposed_by: Option<String>,
    proposed_note: Option<String>,
}

impl TryFrom<RefundRow> for Refund {
    type Error = Fault;

    fn try_from(row: RefundRow) -> Result<Self, Fault> {
        let id = RefundId::from_uuid(row.id);
        let corrupt = |column| Fault::corrupt("refunds", column, id);
        let currency: Currency = row.currency.parse().map_err(|_| corrupt("currency"))?;
        let source = match (row.intent, row.suspense_item) {
            (Some(intent), None) => RefundSource::Intent(IntentId::from_uuid(intent)),
            (None, Some(item)) => RefundSource::Suspense(SuspenseId::from_uuid(item)),
            _ => return Err(corrupt("intent")),
        };
        let rail = match (row.rail.as_str(), row.original_transaction) {
            ("gateway", Some(transaction)) => Rail::Gateway { channel: row.channel, transaction },
            ("bank", _) => Rail::Bank { account: row.channel },
            _ => return Err(corrupt("rail")),
        };
        Ok(Self {
            id,
            serial: row.serial,
            portal: row.portal.map(PortalId::from_uuid),
            source,
            state: RefundState::parse(&row.state).ok_or_else(|| corrupt("state"))?,
            version: row.version,
            amount: Money::new(row.amount_minor, currency),
            parts: serde_json::from_value(row.components).map_err(|_| corrupt("components"))?,
            reason: row.reason,
            rail,
            payee: row.payee.map(serde_json::from_value).transpose().map_err(|_| corrupt("payee"))?,
            requested_by: row.requested_by,
            decided_by: row.decided_by,
            decision_note: row.decision_note,
            instruction: row.instruction,
            provider_transaction: row.provider_transaction,
            payment_file: row.payment_file.map(PaymentFileId::from_uuid),
            approved_entry: EntryId::from_uuid(row.approved_entry_id),
            created_at: row.created_at,
            decided_at: row.decided_at,
            submitted_at: row.submitted_at,
            succeeded_at: row.succeeded_at,
            failure: row.failure,
            proposal: row.proposed_by.map(|by| Proposal { by, note: row.proposed_note }),
        })
    }
}

/// The columns of a [`RefundRow`], of the refunds that the rest of the statement chooses.
macro_rules! refunds {
    ($chosen:literal, $($bound:expr),*) => {
        sqlx::query_as!(
            RefundRow,
            "select id, serial, portal, intent, suspense_item, state, version, currency, amount_minor, components, reason,
                    rail, channel, original_transaction, payee, requested_by, decided_by, decision_note, instruction,
                    provider_transaction, payment_file, approved_entry_id, created_at, decided_at, submitted_at,
                    succeeded_at, failure, proposed_by, proposed_note
             from refunds " + $chosen,
            $($bound),*
        )
    };
}

pub async fn find(conn: &mut PgConnection, id: RefundId) -> Result<Option<Refund>, Fault> {
    let row = refunds!("where id = $1", id.uuid()).fetch_optional(conn).await?;
    row.map(Refund::try_from).transpose()
}

/// The payments these refunds take from.
pub async fn find_payments(conn: &mut PgConnection, ids: &[RefundId]) -> Result<Vec<IntentId>, Fault> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let intents = sqlx::query_scalar!(
        r#"select distinct intent as "intent!" from refunds where id = any($1) and intent is not null"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(intents.into_iter().map(IntentId::from_uuid).collect())
}

/// What the channels have yet to pay in of the money that a refund gives back: none when all of it is here.
pub async fn find_outstanding(conn: &mut PgConnection, id: RefundId) -> Result<Option<Money>, Fault> {
    let row = sqlx::query!(
        r#"select expected.currency, sum(expected.amount_minor)::bigint as "minor!"
           from expectations expected join refunds on refunds.id = $1 and expected.currency = refunds.currency
           where expected.id in (
               select one.id from refunds r join expectations one on one.intent = r.intent where r.id = $1
               union
               select one.id from refunds r join suspense_items item on item.id = r.suspense_item
               join expectations one on one.money_key = item.money_key where r.id = $1)
             and kind = 'payment' and expected.state = 'open'
           group by expected.currency"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let currency = row.currency.parse().map_err(|_| Fault::corrupt("expectations", "currency", id))?;
        Ok(Money::new(row.minor, currency))
    })
    .transpose()
}

/// Those of these items in suspense of whose break nothing is left, in no other item either, and all refunds have ended: cause
/// and subject of that break.
pub async fn find_used_up(
    conn: &mut PgConnection,
    items: &[SuspenseId],
) -> Result<Vec<(SuspenseId, String, String)>, Fault> {
    let items: Vec<Uuid> = items.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "select id, cause, break_subject from suspense_items item
         where id = any($1) and not exists (
             select from suspense_items one left join refunds on refunds.suspense_item = one.id
               and refunds.state not in ('refused', 'canceled', 'succeeded', 'unclaimed')
             where one.break_subject = item.break_subject and one.cause = item.cause
               and (one.used_minor < one.amount_minor or refunds.id is not null))",
        &items,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (SuspenseId::from_uuid(row.id), row.cause, row.break_subject)).collect())
}

/// Those of these refunds whose money its channel took back: the payment has not enough left, or the item is that money.
pub async fn find_taken_back(conn: &mut PgConnection, ids: &[RefundId]) -> Result<Vec<RefundId>, Fault> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let ids = sqlx::query_scalar!(
        r#"select refunds.id as "id!" from refunds join payment_intents payment on payment.id = refunds.intent
           where refunds.id = any($1) and payment.reversed_minor > 0
             and payment.refund_reserved_minor + payment.reversed_minor > payment.paid_minor
           union all
           select refunds.id from refunds join suspense_items item on item.id = refunds.suspense_item
           join lateral (
               select bool_or(taken.currency <> item.currency) as otherwise,
                      greatest(sum(amount_minor) filter (where listed), sum(amount_minor) filter (where not listed)) as minor
               from money_taken_back taken where taken.money_key = item.money_key having count(*) > 0) gone on true
           where refunds.id = any($1) and (gone.otherwise or item.amount_minor < gone.minor + (
               select sum(held.amount_minor) from refunds held
               where held.suspense_item = item.id and held.state not in ('refused', 'canceled')))"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(RefundId::from_uuid).collect())
}

/// The refunds with these serials.
pub async fn find_by_serials(conn: &mut PgConnection, serials: &[i64]) -> Result<Vec<RefundId>, Fault> {
    let ids = sqlx::query_scalar!("select id from refunds where serial = any($1) order by id", serials)
        .fetch_all(conn)
        .await?;
    Ok(ids.into_iter().map(RefundId::from_uuid).collect())
}

/// Locks refunds in ascending order of their ids, one statement.
pub async fn lock(conn: &mut PgConnection, ids: &[RefundId]) -> Result<Vec<Refund>, Fault> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = refunds!("where id = any($1) order by id for no key update", &ids).fetch_all(conn).await?;
    rows.into_iter().map(Refund::try_from).collect()
}

/// All refunds of one source, oldest first; its lock keeps them from growing.
pub async fn page_of(conn: &mut PgConnection, source: RefundSource) -> Result<Vec<Refund>, Fault> {
    let (intent, item) = match source {
        RefundSource::Intent(id) => (Some(id.uuid()), None),
        RefundSource::Suspense(id) => (None, Some(id.uuid())),
    };
    let rows =
        refunds!("where intent = $1 or suspense_item = $2 order by id", intent, item).fetch_all(conn).await?;
    rows.into_iter().map(Refund::try_from).collect()
}

/// Keeps the proposal of a refund's end.
pub async fn update_proposal(
    conn: &mut PgConnection,
    id: RefundId,
    proposed: &Proposal,
) -> Result<(), Fault> {
    sqlx::query!(
        "update refunds set proposed_by = $2, proposed_note = $3 where id = $1",
        id.uuid(),
        proposed.by,
        proposed.note,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks the approved transfers from an account that stand in no file yet, and not those that another rail carried out
/// meanwhile.
pub async fn lock_waiting(conn: &mut PgConnection, account: &str, limit: i64) -> Result<Vec<Refund>, Fault> {
    let rows = refunds!(
        "where state = 'approved' and rail = 'bank' and channel = $1 and payment_file is null
           and not exists (select from refund_attempts attempt
               where attempt.refund = refunds.id and attempt.state in ('accepted', 'carried_out')
                 and returned_entry_id is null)
         order by id limit $2 for no key update",
        account,
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Refund::try_from).collect()
}

/// Locks the refunds whose current instruction stands in a payment file.
pub async fn lock_of_file(conn: &mut PgConnection, file: PaymentFileId) -> Result<Vec<Refund>, Fault> {
    let rows = refunds!("where payment_file = $1 order by id for no key update", file.uuid())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Refund::try_from).collect()
}

/// The same, for reading.
pub async fn page_of_file(conn: &mut PgConnection, file: PaymentFileId) -> Result<Vec<Refund>, Fault> {
    let rows = refunds!("where payment_file = $1 order by id", file.uuid()).fetch_all(conn).await?;
    rows.into_iter().map(Refund::try_from).collect()
}

/// What a list of refunds is narrowed to.
#[derive(Debug, Default)]
pub struct Filter {
    pub portal: Option<PortalId>,
    pub intent: Option<IntentId>,
    pub suspense_item: Option<SuspenseId>,
    /// Any of these; all when empty.
    pub states: Vec<RefundState>,
}

/// Refunds, newest first; `before` continues a page. Ids grow with time, so a page is stable under inserts.
pub async fn page(
    conn: &mut PgConnection,
    filter: &Filter,
    before: Option<RefundId>,
    limit: i64,
) -> Result<Vec<Refund>, Fault> {
    let states: Vec<String> = filter.states.iter().map(ToString::to_string).collect();
    let rows = refunds!(
        "where ($1::uuid is null or portal = $1) and ($2::uuid is null or intent = $2)
           and ($3::uuid is null or suspense_item = $3) and (cardinality($4::text[]) = 0 or state = any($4))
           and ($5::uuid is null or id < $5)
         order by id desc limit $6",
        filter.portal.map(Id::uuid),
        filter.intent.map(Id::uuid),
        filter.suspense_item.map(Id::uuid),
        &states,
        before.map(Id::uuid),
        limit
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Refund::try_from).collect()
}

/// Writes what can change of locked refunds, as one statement. A proposal of its end is of what it was before.
pub async fn update(conn: &mut PgConnection, refunds: &[&Refund]) -> Result<(), Fault> {
    if refunds.is_empty() {
        return Ok(());
    }
    let each = || refunds.iter();
    let rails: Vec<RailColumns<'_>> = each().map(|refund| RailColumns::from(&refund.rail)).collect();
    let payees = each().map(|refund| refund.payee.as_ref().map(serde_json::to_value).transpose());
    let ids: Vec<Uuid> = each().map(|refund| refund.id.uuid()).collect();
    let states: Vec<&str> = each().map(|refund| refund.state.as_str()).collect();
    let versions: Vec<i32> = each().map(|refund| refund.version).collect();
    let rail_names: Vec<&str> = rails.iter().map(|rail| rail.rail).collect();
    let channels: Vec<&str> = rails.iter().map(|rail| rail.channel).collect();
    let originals: Vec<Option<&str>> = rails.iter().map(|rail| rail.original_transaction).collect();
    let payees: Vec<Option<Value>> = payees.collect::<Result<_, _>>()?;
    let requested_by: Vec<&str> = each().map(|refund| refund.requested_by.as_str()).collect();
    let decided_by: Vec<Option<&str>> = each().map(|refund| refund.decided_by.as_deref()).collect();
    let notes: Vec<Option<&str>> = each().map(|refund| refund.decision_note.as_deref()).collect();
    let instructions: Vec<i32> = each().map(|refund| refund.instruction).collect();
    let transactions: Vec<Option<&str>> =
        each().map(|refund| refund.provider_transaction.as_deref()).collect();
    let files: Vec<Option<Uuid>> = each().map(|refund| refund.payment_file.map(Id::uuid)).collect();
    let entries: Vec<Uuid> = each().map(|refund| refund.approved_entry.uuid()).collect();
    let decided_at: Vec<Option<Instant>> = each().map(|refund| refund.decided_at).collect();
    let submitted_at: Vec<Option<Instant>> = each().map(|refund| refund.submitted_at).collect();
    let succeeded_at: Vec<Option<Instant>> = each().map(|refund| refund.succeeded_at).collect();
    let failures: Vec<Option<&str>> = each().map(|refund| refund.failure.as_deref()).collect();
    sqlx::query!(
        "update refunds set state = new.state, version = new.version, rail = new.rail, channel = new.channel,
             original_transaction = new.original, payee = new.payee, requested_by = new.requested_by,
             decided_by = new.decided_by, decision_note = new.note, instruction = new.instruction,
             provider_transaction = new.transaction, payment_file = new.file, approved_entry_id = new.entry,
             decided_at = new.decided_at, submitted_at = new.submitted_at, succeeded_at = new.succeeded_at,
             failure = new.failure, proposed_by = null, proposed_note = null
         from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::text[],
                     $9::text[], $10::text[], $11::int[], $12::text[], $13::uuid[], $14::uuid[], $15::timestamptz[],
                     $16::timestamptz[], $17::timestamptz[], $18::text[])
             as new (id, state, version, rail, channel, original, payee, requested_by, decided_by, note, instruction,
                     transaction, file, entry, decided_at, submitted_at, succeeded_at, failure)
         where refunds.id = new.id",
        &ids,
        &states as _,
        &versions,
        &rail_names as _,
        &channels as _,
        &originals as _,
        &payees as _,
        &requested_by as _,
        &decided_by as _,
        &notes as _,
        &instructions,
        &transactions as _,
        &files as _,
        &entries,
        &decided_at as _,
        &submitted_at as _,
        &succeeded_at as _,
        &failures as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The entry that ended it moved its money out of `refunds/payable`, other than to the payer.
pub async fn update_ended(conn: &mut PgConnection, id: RefundId, entry: EntryId) -> Result<(), Fault> {
    sqlx::query!("update refunds set ended_entry_id = $2 where id = $1", id.uuid(), entry.uuid())
        .execute(conn)
        .await?;
    Ok(())
}
