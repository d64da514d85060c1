use mizan_ledger::{EntryId, Id, Instant};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Attempt, AttemptState};
use crate::fault::Fault;
use crate::ids::RefundId;
use crate::refunds::model::Payee;

/// Writes instructions as `sending`; one that never left is sent again. The refunds are locked.
pub async fn insert(
    conn: &mut PgConnection,
    now: Instant,
    instructions: &[(RefundId, i32, String)],
) -> Result<(), Fault> {
    let refunds: Vec<Uuid> = instructions.iter().map(|(refund, ..)| refund.uuid()).collect();
    let numbers: Vec<i32> = instructions.iter().map(|(_, number, _)| *number).collect();
    let references: Vec<&str> = instructions.iter().map(|(.., reference)| reference.as_str()).collect();
    sqlx::query!(
        "insert into refund_attempts (refund, instruction, state, reference, channel, payee, started_at)
         select new.refund, new.instruction, 'sending', new.reference, refunds.channel, refunds.payee, $4
         from unnest($1::uuid[], $2::int[], $3::text[]) as new (refund, instruction, reference)
         join refunds on refunds.id = new.refund
         on conflict (refund, instruction) do update set state = 'sending', started_at = excluded.started_at
             where refund_attempts.state = 'not_sent'",
        &refunds,
        &numbers,
        &references as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct AttemptRow {
    refund: Uuid,
    instruction: i32,
    state: String,
    reference: String,
    answer: Option<String>,
    started_at: Instant,
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = Fault;

    fn try_from(row: AttemptRow) -> Result<Self, Fault> {
        let state = AttemptState::parse(&row.state);
        Ok(Self {
            refund: RefundId::from_uuid(row.refund),
            instruction: row.instruction,
            state: state.ok_or_else(|| Fault::corrupt("refund_attempts", "state", &row.reference))?,
            reference: row.reference,
            answer: row.answer,
            started_at: row.started_at,
        })
    }
}

pub async fn find(
    conn: &mut PgConnection,
    refund: RefundId,
    instruction: i32,
) -> Result<Option<Attempt>, Fault> {
    let row = sqlx::query_as!(
        AttemptRow,
        "select refund, instruction, state, reference, answer, started_at
         from refund_attempts where refund = $1 and instruction = $2",
        refund.uuid(),
        instruction,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Attempt::try_from).transpose()
}

/// The instruction that went out under a reference of ours, by this channel or bank account: nobody else knows of it.
pub async fn find_by_reference(
    conn: &mut PgConnection,
    channel: &str,
    reference: &str,
) -> Result<Option<Attempt>, Fault> {
    let row = sqlx::query_as!(
        AttemptRow,
        "select refund, instruction, state, reference, answer, started_at
         from refund_attempts where reference = $2 and channel = $1",
        channel,
        reference,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Attempt::try_from).transpose()
}

/// The instructions of a refund, first to last.
pub async fn page_of(conn: &mut PgConnection, refund: RefundId) -> Result<Vec<Attempt>, Fault> {
    let rows = sqlx::query_as!(
        AttemptRow,
        "select refund, instruction, state, reference, answer, started_at
         from refund_attempts where refund = $1 order by instruction",
        refund.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Attempt::try_from).collect()
}

/// What the rail made of an instruction.
#[derive(Debug, Clone)]
pub struct Answered {
    pub refund: RefundId,
    pub instruction: i32,
    pub state: AttemptState,
    pub answer: Option<String>,
}

/// Writes the answers as one statement.
pub async fn update(conn: &mut PgConnection, now: Instant, answers: &[Answered]) -> Result<(), Fault> {
    let each = || answers.iter();
    let refunds: Vec<Uuid> = each().map(|one| one.refund.uuid()).collect();
    let numbers: Vec<i32> = each().map(|one| one.instruction).collect();
    let states: Vec<&str> = each().map(|one| one.state.as_str()).collect();
    let texts: Vec<Option<&str>> = each().map(|one| one.answer.as_deref()).collect();
    sqlx::query!(
        "update refund_attempts set state = new.state, answer = new.answer, ended_at = $5
         from unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) as new (refund, instruction, state, answer)
         where refund_attempts.refund = new.refund and refund_attempts.instruction = new.instruction",
        &refunds,
        &numbers,
        &states as _,
        &texts as _,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The money of an instruction came back by this entry.
pub async fn update_returned(
    conn: &mut PgConnection,
    refund: RefundId,
    instruction: i32,
    entry: EntryId,
) -> Result<(), Fault> {
    sqlx::query!(
        "update refund_attempts set returned_entry_id = $3 where refund = $1 and instruction = $2",
        refund.uuid(),
        instruction,
        entry.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Those of these references, each with its channel or bank account, under which an order of ours went out.
pub async fn find_ordered(
    conn: &mut PgConnection,
    told: &[(String, String)],
) -> Result<Vec<(String, String)>, Fault> {
    let (channels, references): (Vec<&str>, Vec<&str>) =
        told.iter().map(|(channel, reference)| (channel.as_str(), reference.as_str())).unzip();
    let rows = sqlx::query!(
        "select attempt.channel, attempt.reference from unnest($1::text[], $2::text[]) as told (channel, reference)
         join refund_attempts attempt using (channel, reference)",
        &channels as _,
        &references as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel, row.reference)).collect())
}

/// Those of these references whose instruction has left, and of which nobody knows yet whether it was carried out.
pub async fn find_in_doubt(conn: &mut PgConnection, references: &[String]) -> Result<Vec<String>, Fault> {
    let found = sqlx::query_scalar!(
        "select reference from refund_attempts where reference = any($1) and state in ('sending', 'unknown')",
        references,
    )
    .fetch_all(conn)
    .await?;
    Ok(found)
}

/// Those of these references whose instruction did not leave as far as its rail told, each with its refund.
pub async fn find_refused(
    conn: &mut PgConnection,
    references: &[String],
) -> Result<Vec<(String, RefundId)>, Fault> {
    let rows = sqlx::query!(
        "select reference, refund from refund_attempts
         where reference = any($1) and state in ('rejected', 'not_sent')",
        references,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.reference, RefundId::from_uuid(row.refund))).collect())
}

/// The instructions of these refunds that their rail told of as carried out.
pub async fn find_carried_out(
    conn: &mut PgConnection,
    refunds: &[RefundId],
) -> Result<Vec<(RefundId, i32)>, Fault> {
    let refunds: Vec<Uuid> = refunds.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "select refund, instruction from refund_attempts where refund = any($1) and state = 'carried_out'",
        &refunds,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (RefundId::from_uuid(row.refund), row.instruction)).collect())
}

/// Those of these refunds of which a rail has taken or carried out an instruction whose money did not come back.
pub async fn find_taken(conn: &mut PgConnection, refunds: &[RefundId]) -> Result<Vec<RefundId>, Fault> {
    let refunds: Vec<Uuid> = refunds.iter().map(|id| id.uuid()).collect();
    let found = sqlx::query_scalar!(
        "select distinct refund from refund_attempts
         where refund = any($1) and state in ('accepted', 'carried_out') and returned_entry_id is null",
        &refunds,
    )
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(RefundId::from_uuid).collect())
}

/// An instruction that a rail has taken or carried out, and by which channel or bank account it went.
#[derive(Debug, Clone)]
pub struct Done {
    pub instruction: i32,
    pub channel: String,
    pub state: AttemptState,
    pub answer: Option<String>,
    pub payee: Option<Payee>,
}

/// The number of the last instruction that was begun; 0 before the first.
pub async fn find_last(conn: &mut PgConnection, refund: RefundId) -> Result<i32, Fault> {
    let last = sqlx::query_scalar!(
        r#"select coalesce(max(instruction), 0) as "last!" from refund_attempts where refund = $1"#,
        refund.uuid(),
    )
    .fetch_one(conn)
    .await?;
    Ok(last)
}

/// The first instruction of a refund that a rail has taken or carried out, and whose money did not come back.
pub async fn find_done(conn: &mut PgConnection, refund: RefundId) -> Result<Option<Done>, Fault> {
    let row = sqlx::query!(
        "select instruction, channel, state, answer, payee from refund_attempts
         where refund = $1 and state in ('accepted', 'carried_out') and returned_entry_id is null
         order by instruction limit 1",
        refund.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let state = AttemptState::parse(&row.state);
        Ok(Done {
            instruction: row.instruction,
            channel: row.channel,
            state: state.ok_or_else(|| Fault::corrupt("refund_attempts", "state", refund))?,
            answer: row.answer,
            payee: row.payee.map(serde_json::from_value).transpose()?,
        })
    })
    .transpose()
}

/// Whether a rail has taken or carried out one of its instructions, and no money of it came back.
pub async fn is_carried_out(conn: &mut PgConnection, refund: RefundId) -> Result<bool, Fault> {
    Ok(!find_taken(conn, &[refund]).await?.is_empty())
}
