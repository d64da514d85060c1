use mizan_ledger::{Day, Id, Instant};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::fault::Fault;
use crate::ids::{StatementFileId, StatementId};
use crate::recon::model::{ImportedStatement, Taken};
use crate::recon::staging::NewFile;

/// The file with these bytes.
pub async fn find_file(conn: &mut PgConnection, sha256: &[u8; 32]) -> Result<Option<StatementFileId>, Fault> {
    let id = sqlx::query_scalar!("select id from statement_files where sha256 = $1", sha256.as_slice())
        .fetch_optional(conn)
        .await?;
    Ok(id.map(StatementFileId::from_uuid))
}

pub async fn insert_file(
    conn: &mut PgConnection,
    id: StatementFileId,
    new: &NewFile,
    actor: &str,
    now: Instant,
) -> Result<(), Fault> {
    sqlx::query!(
        "insert into statement_files (id, sha256, name, source, format, encoding, bytes, imported_at, imported_by,
                                      problems)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id.uuid(),
        new.sha256.as_slice(),
        new.name,
        new.source.as_str(),
        new.format,
        new.encoding,
        new.bytes,
        now as _,
        actor,
        serde_json::to_value(&new.problems)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct FileStatementRow {
    id: Uuid,
    account: String,
    reference: String,
    period_on: Option<Day>,
    lines_count: i64,
    state: String,
    reason: Option<String>,
}

/// What a file that came before had brought, as it stands now.
pub async fn find_file_statements(
    conn: &mut PgConnection,
    file: StatementFileId,
) -> Result<Vec<ImportedStatement>, Fault> {
    let rows = sqlx::query_as!(
        FileStatementRow,
        "select id, account, reference, period_on, lines_count, state, reason from statements where file = $1
         order by period_on, reference",
        file.uuid(),
    )
    .fetch_all(conn)
    .await?;
    let listed = rows.into_iter().map(|row| ImportedStatement {
        id: Some(StatementId::from_uuid(row.id)),
        account: row.account,
        reference: row.reference,
        period_on: row.period_on,
        lines: u64::try_from(row.lines_count).unwrap_or(0),
        outcome: match row.state.as_str() {
            "quarantined" => Taken::Quarantined,
            "waiting" => Taken::Waiting,
            _ => Taken::Known,
        },
        reason: row.reason,
    });
    Ok(listed.collect())
}
