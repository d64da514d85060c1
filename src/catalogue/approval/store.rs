use mizan_ledger::{Id, Instant};
use sqlx::PgConnection;

use super::model::{Import, ImportState};
use crate::catalogue::difference::Difference;
use crate::fault::Fault;
use crate::ids::CatalogueImportId;

pub async fn insert(conn: &mut PgConnection, import: &Import) -> Result<(), Fault> {
    sqlx::query!(
        "insert into catalogue_imports (id, state, files, author, created_at, head) values ($1, $2, $3, $4, $5, $6)",
        import.id.uuid(),
        import.state.as_str(),
        serde_json::to_value(&import.files)?,
        import.author,
        import.created_at as _,
        import.head,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Imports in a list, newest first.
#[derive(Debug)]
pub struct Listed {
    pub id: CatalogueImportId,
    pub state: ImportState,
    pub author: String,
    pub created_at: Instant,
    pub decided_by: Option<String>,
    pub decided_at: Option<Instant>,
    pub reason: Option<String>,
    /// The names of its files.
    pub files: Vec<String>,
}

pub async fn page(
    conn: &mut PgConnection,
    before: Option<CatalogueImportId>,
    limit: i64,
) -> Result<Vec<Listed>, Fault> {
    let before = before.map(CatalogueImportId::uuid);
    let rows = sqlx::query!(
        r#"select id, state, author, created_at, decided_by, decided_at, reason,
               array(select file ->> 0 from jsonb_array_elements(files) as file) as "files!: Vec<String>"
           from catalogue_imports where $1::uuid is null or id < $1 order by id desc limit $2"#,
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let listed = rows.into_iter().map(|row| {
        let id = CatalogueImportId::from_uuid(row.id);
        Ok(Listed {
            id,
            state: state(&row.state, id)?,
            author: row.author,
            created_at: row.created_at,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            reason: row.reason,
            files: row.files,
        })
    });
    listed.collect()
}

fn state(text: &str, id: CatalogueImportId) -> Result<ImportState, Fault> {
    ImportState::parse(text).ok_or_else(|| Fault::corrupt("catalogue_imports", "state", id))
}

pub async fn find(conn: &mut PgConnection, id: CatalogueImportId) -> Result<Option<Import>, Fault> {
    let row = sqlx::query_as!(Row, "select * from catalogue_imports where id = $1", id.uuid())
        .fetch_optional(conn)
        .await?;
    row.map(Import::try_from).transpose()
}

pub async fn lock(conn: &mut PgConnection, id: CatalogueImportId) -> Result<Option<Import>, Fault> {
    let row =
        sqlx::query_as!(Row, "select * from catalogue_imports where id = $1 for no key update", id.uuid())
            .fetch_optional(conn)
            .await?;
    row.map(Import::try_from).transpose()
}

struct Row {
    id: uuid::Uuid,
    state: String,
    files: serde_json::Value,
    author: String,
    created_at: Instant,
    head: i64,
    decided_by: Option<String>,
    decided_at: Option<Instant>,
    reason: Option<String>,
    difference: Option<serde_json::Value>,
}

impl TryFrom<Row> for Import {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let id = CatalogueImportId::from_uuid(row.id);
        let difference: Option<Difference> = row.difference.map(serde_json::from_value).transpose()?;
        Ok(Self {
            id,
            state: state(&row.state, id)?,
            files: serde_json::from_value(row.files)?,
            author: row.author,
            created_at: row.created_at,
            head: row.head,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            reason: row.reason,
            difference,
        })
    }
}

/// Writes what people decided.
pub async fn update_decided(conn: &mut PgConnection, import: &Import) -> Result<(), Fault> {
    sqlx::query!(
        "update catalogue_imports set state = $2, decided_by = $3, decided_at = $4, reason = $5, difference = $6
         where id = $1",
        import.id.uuid(),
        import.state.as_str(),
        import.decided_by,
        import.decided_at as _,
        import.reason,
        import.difference.as_ref().map(serde_json::to_value).transpose()?,
    )
    .execute(conn)
    .await?;
    Ok(())
}
