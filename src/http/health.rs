//! Probes: `/healthz` answers while the process lives, `/readyz` when it can serve.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::store;
use crate::app::App;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(keys))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Readiness {
    ready: bool,
    why: &'static str,
}

/// How far the hub's clock may stand from the database's, in seconds.
const CLOCK_DRIFT_SECONDS_MAX: i64 = 2;

/// Alive: the process answers.
#[utoipa::path(get, path = "/healthz", tag = "public", security(()), responses((status = OK, body = String)))]
async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: the database answers, and its clock agrees with ours.
#[utoipa::path(get, path = "/readyz", tag = "public", security(()),
    responses((status = OK, body = Readiness), (status = SERVICE_UNAVAILABLE, body = Readiness)))]
async fn readyz(State(app): State<App>) -> Response {
    let clock = async {
        let mut conn = app.pool.acquire().await?;
        store::clock(&mut conn).await
    };
    let (ready, why) = match clock.await {
        Err(fault) => {
            tracing::warn!(%fault, "not ready");
            (false, "the database does not answer")
        }
        Ok(theirs) if app.hub.config.mode.is_live() && drift(&app, theirs) => {
            (false, "the clocks of hub and database differ by more than two seconds")
        }
        Ok(_) => (true, "ready"),
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, why })).into_response()
}

fn drift(app: &App, theirs: mizan_ledger::Instant) -> bool {
    app.clock.now().since(theirs).as_secs().abs() > CLOCK_DRIFT_SECONDS_MAX
}

/// The hub's public keys as a JSON Web Key Set (RFC 7517): they verify quotes and receipts.
#[utoipa::path(get, path = "/.well-known/mizan-keys.json", tag = "public", security(()),
    responses((status = OK, body = Object)))]
async fn keys(State(app): State<App>) -> Response {
    Json(json!({ "keys": [app.hub.keys.jwk()] })).into_response()
}
