use mizan_ledger::{Id, Instant};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::{Agency, FeeVersion, Service};
use crate::fault::Fault;
use crate::ids::FeeVersionId;

/// The version of the catalogue as a whole: it grows with every change.
pub async fn head(conn: &mut PgConnection) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar!("select version from catalogue_head").fetch_one(conn).await?)
}

/// As [`head`], and nobody else changes the catalogue until this transaction ends.
pub async fn lock_head(conn: &mut PgConnection) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar!("select version from catalogue_head for no key update").fetch_one(conn).await?)
}

/// Everything that is in force or was: agencies, services, approved fee versions.
pub async fn find_all(
    conn: &mut PgConnection,
) -> Result<(Vec<Agency>, Vec<Service>, Vec<FeeVersion>), Fault> {
    let agencies =
        sqlx::query_scalar!("select document from agencies order by code").fetch_all(&mut *conn).await?;
    let services =
        sqlx::query_scalar!("select document from services order by code").fetch_all(&mut *conn).await?;
    let versions = sqlx::query_scalar!(
        "select document from fee_versions where state = 'approved' order by service, number"
    )
    .fetch_all(conn)
    .await?;
    Ok((documents(agencies)?, documents(services)?, documents(versions)?))
}

fn documents<T: serde::de::DeserializeOwned>(rows: Vec<Value>) -> Result<Vec<T>, Fault> {
    rows.into_iter().map(|row| serde_json::from_value(row).map_err(Fault::from)).collect()
}

/// Writes an agency as its file gives it.
pub async fn update_agency(conn: &mut PgConnection, agency: &Agency, now: Instant) -> Result<(), Fault> {
    sqlx::query!(
        "with changed as (
             insert into agencies (code, issuer, document, updated_at) values ($1, $2, $3, $4)
             on conflict (code) do update set issuer = excluded.issuer, document = excluded.document,
                 updated_at = excluded.updated_at
             where agencies.document is distinct from excluded.document
             returning code, updated_at, document)
         insert into agency_documents (agency, since, document) select code, updated_at, document from changed
         on conflict (agency, since) do update set document = excluded.document",
        agency.code.as_str(),
        agency.issuer,
        document(agency)?,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The agencies as they were at an instant.
pub async fn find_agencies_at(conn: &mut PgConnection, at: Instant) -> Result<Vec<Agency>, Fault> {
    let rows = sqlx::query_scalar!(
        "select distinct on (agency) document from agency_documents where since <= $1 order by agency, since desc",
        at as _,
    )
    .fetch_all(conn)
    .await?;
    documents(rows)
}

/// Writes a service; its versions are written one by one.
pub async fn update_service(conn: &mut PgConnection, service: &Service, now: Instant) -> Result<(), Fault> {
    sqlx::query!(
        "insert into services (code, agency, document, updated_at) values ($1, $2, $3, $4)
         on conflict (code) do update set document = excluded.document, updated_at = excluded.updated_at
         where services.document is distinct from excluded.document",
        service.code.to_string(),
        service.code.agency().as_str(),
        document(&service.without_versions())?,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn document<T: serde::Serialize>(value: &T) -> Result<Value, Fault> {
    Ok(serde_json::to_value(value)?)
}

fn number_in_sql(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Who wrote a version and who approved it.
#[derive(Debug, Clone, Copy)]
pub struct Hands<'a> {
    pub author: &'a str,
    pub approver: &'a str,
}

/// Inserts an approved version.
pub async fn insert_version(
    conn: &mut PgConnection,
    id: FeeVersionId,
    version: &FeeVersion,
    hands: Hands<'_>,
    now: Instant,
) -> Result<(), Fault> {
    let document = document(version)?;
    let sha256 = Sha256::digest(document.to_string().as_bytes());
    sqlx::query!(
        "insert into fee_versions (id, service, service_no, number, state, valid_from, valid_until, document,
             document_sha256, author, approver, created_at, approved_at)
         select $1, code, no, $3, 'approved', $4, $5, $6, $7, $8, $9, $10, $10 from services where code = $2",
        id.uuid(),
        version.service.to_string(),
        number_in_sql(version.number),
        version.valid.from as _,
        version.valid.to as _,
        document,
        sha256.as_slice(),
        hands.author,
        hands.approver,
        now as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends an open version: its last day is known now. Nothing else of a version ever changes.
pub async fn update_version_end(conn: &mut PgConnection, version: &FeeVersion) -> Result<(), Fault> {
    sqlx::query!(
        "update fee_versions set valid_until = $3, document = $4 where service = $1 and number = $2",
        version.service.to_string(),
        number_in_sql(version.number),
        version.valid.to as _,
        document(version)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}
