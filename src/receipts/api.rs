//! GET /v1/receipts/{number}: the receipt with the text that is signed.

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan_ledger::{Instant, Money};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store;
use crate::access::{Owner, Scope};
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::openapi::Refusals;
use crate::http::path::Path;
use crate::http::problem::{Code, Problem};
use crate::ids::IntentId;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(find))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Receipt)]
struct ReceiptView {
    number: String,
    live: bool,
    state: String,
    payment_intent: IntentId,
    amount: Money,
    /// Of the amount: given back through the hub.
    credited: Money,
    /// Of the amount: its channel took it back (a chargeback), and the payer has it again. Above zero, nothing is
    /// delivered on this receipt. The signed text stays what it was when the receipt was issued.
    reversed: Money,
    issued_at: Instant,
    /// The exact text that is signed.
    signed: String,
    signature: String,
    key_id: String,
    /// The public page that verifies it.
    url: String,
}

/// Read a receipt with the text that is signed.
///
/// A right signature says that the hub issued it; `credited` and `reversed` say what is left of the money. The key stands at
/// `/.well-known/mizan-keys.json`. Refuses with `not_found`.
#[utoipa::path(get, path = "/v1/receipts/{number}", tag = "receipts", params(("number" = String, Path)), responses((status = OK, body = ReceiptView), Refusals))]
async fn find(
    State(app): State<App>,
    Path(number): Path<String>,
    call: Call,
) -> Result<Json<ReceiptView>, Problem> {
    call.require(&Scope::ReceiptsRead)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let receipt = store::find(&mut conn, &number).await?.ok_or(Problem::new(Code::NotFound))?;
    if let Owner::Portal(portal) = call.caller.owner
        && store::find_portal(&mut conn, receipt.intent).await? != Some(portal)
    {
        return Err(Problem::new(Code::NotFound));
    }
    let public = &app.hub.config.public_url;
    Ok(Json(ReceiptView {
        url: format!("{public}/r/{}", receipt.code),
        number: receipt.number,
        live: app.hub.config.mode.is_live(),
        state: receipt.state,
        payment_intent: receipt.intent,
        amount: receipt.amount,
        credited: receipt.credited,
        reversed: receipt.reversed,
        issued_at: receipt.issued_at,
        signed: receipt.body,
        signature: BASE64.encode(&receipt.signature),
        key_id: receipt.key_id,
    }))
}
