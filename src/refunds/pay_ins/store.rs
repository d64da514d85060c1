use mizan_ledger::{Currency, EntryId, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{PayIn, State};
use crate::fault::Fault;
use crate::ids::{PayInId, RefundId, SuspenseId};

/// Writes one. False when the item has a proposal already.
pub async fn insert(conn: &mut PgConnection, new: &PayIn) -> Result<bool, Fault> {
    let currency = new.money.currency();
    let done = sqlx::query!(
        "insert into refund_pay_ins (id, refund, agency, currency, amount_minor, statement_line, suspense_item, state,
                                     proposed_by, decided_by, note, entry_id, created_at, decided_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict do nothing",
        new.id.uuid(),
        new.refund.uuid(),
        new.agency,
        currency.code(),
        new.money.minor(),
        new.statement_line,
        new.item.map(Id::uuid),
        new.state.as_str(),
        new.proposed_by,
        new.decided_by,
        new.note,
        new.entry.uuid(),
        new.created_at as _,
        new.decided_at as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

struct PayInRow {
    id: Uuid,
    refund: Uuid,
    agency: String,
    currency: String,
    amount_minor: i64,
    statement_line: Option<i64>,
    suspense_item: Option<Uuid>,
    state: String,
    proposed_by: String,
    decided_by: Option<String>,
    note: Option<String>,
    entry_id: Uuid,
    created_at: Instant,
    decided_at: Option<Instant>,
}

impl TryFrom<PayInRow> for PayIn {
    type Error = Fault;

    fn try_from(row: PayInRow) -> Result<Self, Fault> {
        let id = PayInId::from_uuid(row.id);
        let corrupt = |column| Fault::corrupt("refund_pay_ins", column, id);
        let currency: Currency = row.currency.parse().map_err(|_| corrupt("currency"))?;
        Ok(Self {
            id,
            refund: RefundId::from_uuid(row.refund),
            agency: row.agency,
            money: Money::new(row.amount_minor, currency),
            statement_line: row.statement_line,
            item: row.suspense_item.map(SuspenseId::from_uuid),
            state: State::parse(&row.state).ok_or_else(|| corrupt("state"))?,
            proposed_by: row.proposed_by,
            decided_by: row.decided_by,
            note: row.note,
            entry: EntryId::from_uuid(row.entry_id),
            created_at: row.created_at,
            decided_at: row.decided_at,
        })
    }
}

pub async fn lock(conn: &mut PgConnection, id: PayInId) -> Result<Option<PayIn>, Fault> {
    let row = sqlx::query_as!(
        PayInRow,
        "select id, refund, agency, currency, amount_minor, statement_line, suspense_item, state, proposed_by,
                decided_by, note, entry_id, created_at, decided_at
         from refund_pay_ins where id = $1 for no key update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(PayIn::try_from).transpose()
}

/// What was paid in for a refund, or is taken for it by one person, oldest first.
pub async fn page_of(conn: &mut PgConnection, refund: RefundId) -> Result<Vec<PayIn>, Fault> {
    let rows = sqlx::query_as!(
        PayInRow,
        "select id, refund, agency, currency, amount_minor, statement_line, suspense_item, state, proposed_by,
                decided_by, note, entry_id, created_at, decided_at
         from refund_pay_ins where refund = $1 order by created_at, id",
        refund.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(PayIn::try_from).collect()
}

/// Writes the decision on a locked one.
pub async fn update(conn: &mut PgConnection, one: &PayIn) -> Result<(), Fault> {
    sqlx::query!(
        "update refund_pay_ins set state = $2, decided_by = $3, note = $4, decided_at = $5 where id = $1",
        one.id.uuid(),
        one.state.as_str(),
        one.decided_by,
        one.note,
        one.decided_at as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
