//! `/pay/{token}` and `/r/{code}`: pages for payers.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::render;
use crate::app::App;
use crate::catalogue::{self, Catalogue, ServiceCode};
use crate::fault::Fault;
use crate::http::form::Form;
use crate::http::language::Language;
use crate::http::path::Path;
use crate::http::problem::{Code, Problem};
use crate::http::query::Query;
use crate::intents::carrying::{Unfit, carries};
use crate::intents::jobs::{Next, start_on};
use crate::intents::{Intent, IntentError, IntentState, service as intents, view};
use crate::quoting::Basket;
use crate::quoting::view::LineView;
use crate::receipts;

pub fn router() -> Router<App> {
    Router::new()
        .route("/pay/{token}", get(show).post(choose))
        .route("/pay/{token}/return", get(show))
        .route("/r/{code}", get(receipt))
}

/// Everything but `lang` is the provider's, and is not believed.
#[derive(Debug, Deserialize)]
struct Asked {
    lang: Option<String>,
}

fn language(asked: &Asked, headers: &HeaderMap, payer: Option<&str>) -> Language {
    match asked.lang.as_deref().or(payer.filter(|_| !headers.contains_key(header::ACCEPT_LANGUAGE))) {
        Some("ar") => Language::Arabic,
        Some("en") => Language::English,
        _ => Language::accepted(headers),
    }
}

async fn find(app: &App, token: &str) -> Result<Intent, Problem> {
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let found = intents::find_by_token(&mut conn, token).await?;
    found.ok_or(Problem::new(Code::NotFound))
}

async fn show(
    State(app): State<App>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let intent = find(&app, &token).await?;
    let language = language(&asked, &headers, intent.payer.as_ref().map(|payer| payer.language.as_str()));
    let values = values(&app, &intent, language).await?;
    Ok(page(render("pay.html", language, app.hub.config.mode.is_live(), values)?))
}

/// What the payer's page shows.
async fn values(app: &App, intent: &Intent, language: Language) -> Result<Value, Problem> {
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let shown = view::find(&mut conn, &app.hub, intent.id).await?.ok_or(Problem::new(Code::NotFound))?;
    let catalogue = catalogue::service::read(&mut conn, &app.hub.catalogue).await?;
    let basket = intents::basket(&mut conn, intent).await?;
    let (mut channels, mut absent) = (Vec::new(), Vec::new());
    for (code, channel) in &app.hub.config.channels {
        let mut shown = json!({ "code": code, "name_ar": channel.name_ar, "name_en": channel.name_en });
        match carries(&catalogue, code, channel, intent, &basket) {
            Ok(()) => channels.push(shown),
            Err(Unfit::NotOffered) => {}
            Err(unfit) => {
                shown["why_ar"] = json!(unfit.name_ar());
                shown["why_en"] = json!(unfit.name_en());
                absent.push(shown);
            }
        }
    }
    // Why nothing came of the last attempt, while it can be tried again.
    let failure = shown.attempts.last().and_then(|last| last.failure.as_ref()).map(|failure| &failure.title);
    let failure = failure.filter(|_| intent.state != IntentState::Processing);
    let lines: Vec<Value> = shown.lines.iter().map(|line| heading(&catalogue, line)).collect();
    let receipt = match &intent.receipt {
        Some(number) => receipts::service::find(&mut conn, number).await?,
        None => None,
    };
    let open = matches!(
        intent.state,
        IntentState::RequiresPayment | IntentState::PartiallyPaid | IntentState::Processing
    );
    let (text, tone) = state_text(intent.state, language);
    let left = intent.due()?;
    let part = intent.paid.minor() > 0 && left.minor() > 0;
    let back = intent.return_url.as_ref().map(|url| {
        let joint = if url.contains('?') { '&' } else { '?' };
        format!("{url}{joint}payment_intent={}", intent.id)
    });
    Ok(json!({
        "token": intent.pay_token, "bill_number": intent.bill_number.grouped(),
        "external_reference": intent.external_reference, "state_text": text, "tone": tone,
        "lines": lines, "amount": shown.amount, "failure": failure, "under_way": intent.state == IntentState::Processing,
        "part": part.then(|| json!({ "paid": intent.paid, "left": left })), "channels": channels, "absent": absent,
        "payable": open && !intent.asks_no_more(app.clock.now()),
        "expires_at": language.date_time(intent.expires_at, &app.hub.config.zone),
        "reversed": intent.reversed.is_positive().then_some(intent.reversed),
        "receipt": receipt.as_ref().map(|receipt| &receipt.number),
        "receipt_code": receipt.as_ref().map(|receipt| &receipt.code), "return_url": back,
    }))
}

/// A line with the names of its service and of the agency behind it.
fn heading(catalogue: &Catalogue, line: &LineView) -> Value {
    let code = line.service.parse::<ServiceCode>().ok();
    let service = code.as_ref().and_then(|code| catalogue.service(code)).map(|service| &service.name);
    let agency = code.as_ref().and_then(|code| catalogue.agency(code.agency())).map(|agency| &agency.name);
    json!({ "service": service, "agency": agency, "components": line.components, "total": line.total })
}

fn state_text(state: IntentState, language: Language) -> (&'static str, &'static str) {
    let (ar, en, tone) = match state {
        IntentState::RequiresPayment => ("بانتظار الدفع", "Waiting for payment", ""),
        IntentState::Processing => ("عملية الدفع جارية", "The payment is under way", "warn"),
        IntentState::PartiallyPaid => ("مدفوع جزئيًا", "Partly paid", "warn"),
        IntentState::Paid => ("مدفوع", "Paid", ""),
        IntentState::Expired => ("انتهت المهلة", "Expired", "bad"),
        IntentState::Canceled => ("ملغى", "Canceled", "bad"),
    };
    (if language == Language::Arabic { ar } else { en }, tone)
}

#[derive(Debug, Deserialize)]
struct Choice {
    channel: String,
}

async fn choose(
    State(app): State<App>,
    Path(token): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    Form(choice): Form<Choice>,
) -> Result<Response, Problem> {
    let intent = find(&app, &token).await?;
    let language = language(&asked, &headers, None);
    let basket = check_choice(&app, &intent, &choice.channel).await?;
    let back = Redirect::to(&format!("/pay/{token}?lang={}", language.tag())).into_response();
    match start_on(&app, &intent, basket, &choice.channel, language == Language::Arabic).await {
        Ok(Next::Page(url)) => Ok((StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response()),
        Ok(Next::Instructions) => instructions(&app, &intent, &choice.channel, language),
        Ok(Next::Failed) | Err(IntentError::AttemptInProgress { .. } | IntentError::NotPayable { .. }) => {
            Ok(back)
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses a channel that the page did not offer; answers the priced lines.
async fn check_choice(app: &App, intent: &Intent, channel: &str) -> Result<Basket, Problem> {
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let catalogue = catalogue::service::read(&mut conn, &app.hub.catalogue).await?;
    let basket = intents::basket(&mut conn, intent).await?;
    intents::channel_carries(&app.hub, &catalogue, (intent, &basket), channel)?;
    Ok(basket)
}

fn instructions(app: &App, intent: &Intent, channel: &str, language: Language) -> Result<Response, Problem> {
    let bank = app.hub.config.settlement_bank(channel, intent.amount.currency());
    let bank = bank.ok_or(Problem::new(Code::ChannelUnavailable))?;
    let reference = mizan_reference(intent);
    let values = json!({
        "token": intent.pay_token, "account": bank.account, "owner": bank.owner,
        "amount": intent.due().map_err(Problem::from)?, "reference": reference,
        "bill_number": intent.bill_number.grouped(),
    });
    Ok(page(render("transfer.html", language, app.hub.config.mode.is_live(), values)?))
}

fn mizan_reference(intent: &Intent) -> String {
    view::creditor_reference(intent).grouped()
}

async fn receipt(
    State(app): State<App>,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let receipt = receipts::service::find_by_code(&mut conn, &code).await?;
    let receipt = receipt.ok_or(Problem::new(Code::NotFound))?;
    let key = UnparsedPublicKey::new(&ED25519, app.hub.keys.public_key());
    let genuine = receipt.key_id == app.hub.keys.key_id()
        && key.verify(receipt.body.as_bytes(), &receipt.signature).is_ok();
    let values = json!({
        "number": receipt.number, "genuine": genuine, "state": receipt.state, "amount": receipt.amount,
        "credited": receipt.credited, "reversed": receipt.reversed.is_positive().then_some(receipt.reversed),
        "body": receipt.body, "key_id": receipt.key_id,
        "signature": BASE64.encode(&receipt.signature),
    });
    let language = language(&asked, &headers, None);
    Ok(page(render("receipt.html", language, app.hub.config.mode.is_live(), values)?))
}

/// What is refused to a payer, on a page in both languages.
pub fn refused(problem: &Problem) -> Response {
    let said = |language| problem.code.title(language);
    let values = json!({
        "ar": said(Language::Arabic), "en": said(Language::English), "code": problem.code.slug(),
    });
    let html = render("stop.html", Language::Arabic, true, values);
    (problem.status(), page(html.unwrap_or_else(|_| said(Language::English).to_owned()))).into_response()
}

/// No script, nothing from elsewhere, no frame, no copy in a cache.
fn page(html: String) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action *; frame-ancestors 'none'; base-uri 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(html)).into_response()
}
