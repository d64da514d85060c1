//! The hosted page: what the payer sees, in Arabic or English, without script.

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use reqwest::Url;
use serde::Deserialize;

use super::gateway::{Choice, Language, Order, Reason, Status};
use super::http::{App, Path};
use super::refusal::Refusal;
use super::templates::render;

pub fn routes() -> Router<App> {
    Router::new().route("/{session}", get(show)).route("/{session}/pay", post(pay))
}

async fn show(State(app): State<App>, Path(session): Path<String>) -> Result<Response, Refusal> {
    let unknown = || Refusal::unknown("unknown_session", &session);
    let (merchant, order, status) = app
        .with(|world| {
            let now = world.now();
            let (merchant, order) = world.kept.gateway.find_session(&session)?;
            Some((merchant.to_owned(), order.clone(), order.status(now)))
        })
        .ok_or_else(unknown)?;
    let name = app.config.merchant(&merchant).map_or(merchant.as_str(), |merchant| merchant.name.as_str());
    let back = return_address(&order, status);
    let page = render(
        "page.html",
        context! {
            back => back,
            arabic => order.language == Language::Ar,
            merchant => name,
            order => order.order,
            description => order.description,
            amount => order.amount.to_string(),
            currency => order.amount.currency.code(),
            expires_at => order.expires_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            status => status.name(),
            action => format!("/gateway/page/{session}/pay"),
        },
    );
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Html(page)).into_response())
}

#[derive(Deserialize)]
struct PayForm {
    outcome: Outcome,
    reason: Option<Reason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Approve,
    Decline,
}

async fn pay(
    State(app): State<App>,
    Path(session): Path<String>,
    form: Result<Form<PayForm>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Refusal> {
    let Form(form) = form.map_err(|error| {
        let status = if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            error.status()
        } else {
            StatusCode::BAD_REQUEST
        };
        Refusal::new(status, "bad_form", "outcome is approve or decline")
    })?;
    let choice = match form.outcome {
        Outcome::Approve => Choice::Approve,
        Outcome::Decline => Choice::Decline(form.reason),
    };
    let paid = app.with(|world| world.pay(&session, choice).map(|order| (order.status(world.now()), order)));
    let (status, order) = paid.ok_or_else(|| Refusal::unknown("unknown_session", &session))?;
    Ok(Redirect::to(&return_address(&order, status)).into_response())
}

/// The merchant's return address with `order` and `status` added; it proves nothing.
fn return_address(order: &Order, status: Status) -> String {
    let Ok(mut url) = Url::parse(&order.return_url) else { return order.return_url.clone() };
    url.query_pairs_mut().append_pair("order", &order.order).append_pair("status", status.name());
    url.into()
}
