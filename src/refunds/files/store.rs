use mizan_ledger::{Currency, Id, Instant, Money};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{File, FileState};
use crate::fault::Fault;
use crate::ids::PaymentFileId;

pub async fn insert(conn: &mut PgConnection, file: &File, bytes: &[u8]) -> Result<(), Fault> {
    let currency = file.total.currency();
    sqlx::query!(
        "insert into payment_files (id, msg_id, account, currency, orders, total_minor, sha256, bytes, state, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        file.id.uuid(),
        file.msg_id,
        file.account,
        currency.code(),
        file.orders,
        file.total.minor(),
        file.sha256,
        bytes,
        file.state.as_str(),
        file.created_at as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct FileRow {
    id: Uuid,
    msg_id: String,
    account: String,
    currency: String,
    orders: i32,
    total_minor: i64,
    sha256: Vec<u8>,
    state: String,
    bank_file: Option<String>,
    created_at: Instant,
    sent_at: Option<Instant>,
}

impl TryFrom<FileRow> for File {
    type Error = Fault;

    fn try_from(row: FileRow) -> Result<Self, Fault> {
        let id = PaymentFileId::from_uuid(row.id);
        let corrupt = |column| Fault::corrupt("payment_files", column, id);
        let currency: Currency = row.currency.parse().map_err(|_| corrupt("currency"))?;
        Ok(Self {
            id,
            msg_id: row.msg_id,
            account: row.account,
            orders: row.orders,
            total: Money::new(row.total_minor, currency),
            sha256: row.sha256,
            state: FileState::parse(&row.state).ok_or_else(|| corrupt("state"))?,
            bank_file: row.bank_file,
            created_at: row.created_at,
            sent_at: row.sent_at,
        })
    }
}

pub async fn find(conn: &mut PgConnection, id: PaymentFileId) -> Result<Option<File>, Fault> {
    let row = sqlx::query_as!(
        FileRow,
        "select id, msg_id, account, currency, orders, total_minor, sha256, state, bank_file, created_at, sent_at
         from payment_files where id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(File::try_from).transpose()
}

pub async fn lock(conn: &mut PgConnection, id: PaymentFileId) -> Result<Option<File>, Fault> {
    let row = sqlx::query_as!(
        FileRow,
        "select id, msg_id, account, currency, orders, total_minor, sha256, state, bank_file, created_at, sent_at
         from payment_files where id = $1 for no key update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(File::try_from).transpose()
}

/// The file as it was or will be sent.
pub async fn find_bytes(conn: &mut PgConnection, id: PaymentFileId) -> Result<Option<Vec<u8>>, Fault> {
    let bytes = sqlx::query_scalar!("select bytes from payment_files where id = $1", id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(bytes)
}

/// Files, newest first; `before` continues a page.
pub async fn page(
    conn: &mut PgConnection,
    before: Option<PaymentFileId>,
    limit: i64,
) -> Result<Vec<File>, Fault> {
    let rows = sqlx::query_as!(
        FileRow,
        "select id, msg_id, account, currency, orders, total_minor, sha256, state, bank_file, created_at, sent_at
         from payment_files where $1::uuid is null or id < $1 order by id desc limit $2",
        before.map(Id::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(File::try_from).collect()
}

/// Writes what can change of a locked file.
pub async fn update(conn: &mut PgConnection, file: &File) -> Result<(), Fault> {
    sqlx::query!(
        "update payment_files set state = $2, bank_file = $3, sent_at = $4 where id = $1",
        file.id.uuid(),
        file.state.as_str(),
        file.bank_file,
        file.sent_at as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps the bank's last report about the file.
pub async fn update_answer(conn: &mut PgConnection, id: PaymentFileId, answer: &[u8]) -> Result<(), Fault> {
    sqlx::query!("update payment_files set answer = $2 where id = $1", id.uuid(), answer)
        .execute(conn)
        .await?;
    Ok(())
}
