//! The gateway's calls for merchants: `/gateway/v1`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::gateway::{Language, NewOrder, Order};
use super::http::{App, Body, Caller, Path, Query, answer};
use super::refunds::Refund;
use super::refusal::Refusal;
use super::settlement::{Item, Settlement};
use super::text::{is_order, is_text, parse_url};
use super::world::{World, money};

pub fn routes() -> Router<App> {
    Router::new()
        .route("/sessions", post(open_session))
        .route("/orders/{order}", get(find_order))
        .route("/refunds", post(request_refund))
        .route("/refunds/{refund}", get(find_refund))
        .route("/settlements", get(list_settlements))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionBody {
    merchant: String,
    order: String,
    amount: String,
    currency: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    language: Language,
    return_url: String,
    callback_url: String,
}

async fn open_session(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<SessionBody>,
) -> Result<Response, Refusal> {
    only_own(&caller, &body.merchant)?;
    let order = body.order.clone();
    let fault = |world: &World| world.kept.faults.api(&[&order]);
    answer(&app, fault, |world| {
        let (order, is_new) = world.open_order(&caller.0, new_order(&app, &caller, body)?)?;
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        let page_url = format!("{}/gateway/page/{}", app.url, order.session);
        let body = json!({"session": order.session, "order": order.order, "page_url": page_url, "expires_at": order.expires_at});
        Ok((status, Json(body)))
    })
    .await
}

fn new_order(app: &App, caller: &Caller, body: SessionBody) -> Result<NewOrder, Refusal> {
    if !is_order(&body.order) {
        return Err(Refusal::senseless("bad_order", "order is 1-40 of A-Z a-z 0-9 - _"));
    }
    let amount = money(&body.amount, &body.currency)?;
    if app.config.merchant(&caller.0).and_then(|merchant| merchant.contract(amount.currency)).is_none() {
        return Err(Refusal::senseless(
            "currency_not_contracted",
            "the merchant takes no cards in this currency",
        ));
    }
    if !is_text(&body.description, 500) {
        return Err(Refusal::senseless(
            "bad_text",
            "description has at most 500 characters and no control characters",
        ));
    }
    let return_url = parse_url(&body.return_url, &["http", "https"]);
    let callback_url = parse_url(&body.callback_url, &["http"]);
    let (Some(return_url), Some(callback_url)) = (return_url, callback_url) else {
        return Err(Refusal::senseless(
            "bad_url",
            "return_url is http or https, callback_url is http, of at most 500 characters",
        ));
    };
    Ok(NewOrder {
        order: body.order,
        amount,
        description: body.description,
        language: body.language,
        return_url: return_url.into(),
        callback_url: callback_url.into(),
    })
}

fn only_own(caller: &Caller, merchant: &str) -> Result<(), Refusal> {
    if caller.0 == merchant {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::FORBIDDEN, "other_merchant", "the API key is another merchant's"))
}

async fn find_order(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    answer(
        &app,
        |world| world.kept.faults.queries(&[&name]),
        |world| {
            let now = world.now();
            let order = world.kept.gateway.desk(&caller.0).orders.get(&name);
            order
                .map(|order| Json(order_view(order, now)))
                .ok_or_else(|| Refusal::unknown("unknown_order", &name))
        },
    )
    .await
}

fn order_view(order: &Order, now: jiff::Timestamp) -> Value {
    json!({
        "order": order.order,
        "session": order.session,
        "status": order.status(now).name(),
        "transaction": order.transaction(),
        "amount": order.amount.to_string(),
        "currency": order.amount.currency,
        "reason": order.reason(),
        "created_at": order.created_at,
        "decided_at": order.decided_at,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundBody {
    refund: String,
    transaction: String,
    amount: String,
    currency: String,
}

async fn request_refund(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<RefundBody>,
) -> Result<Response, Refusal> {
    let fault = |world: &World| {
        let desk = world.kept.gateway.desks.get(&caller.0);
        let order = desk.and_then(|desk| desk.captures.get(&body.transaction));
        world.kept.faults.api(&[&body.refund, order.map_or("", String::as_str)])
    };
    answer(&app, fault, |world| {
        if !is_order(&body.refund) {
            return Err(Refusal::senseless("bad_refund", "refund is 1-40 of A-Z a-z 0-9 - _"));
        }
        let amount = money(&body.amount, &body.currency)?;
        let (refund, is_new) = world.request_refund(&caller.0, &body.refund, &body.transaction, amount)?;
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        let first = json!({"refund": refund.refund, "transaction": refund.transaction, "status": "ACCEPTED"});
        Ok((status, Json(first)))
    })
    .await
}

async fn find_refund(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    answer(
        &app,
        |world| world.kept.faults.queries(&[&name]),
        |world| {
            let refund = world.kept.gateway.desk(&caller.0).refunds.get(&name);
            refund
                .map(|refund| Json(refund_view(refund)))
                .ok_or_else(|| Refusal::unknown("unknown_refund", &name))
        },
    )
    .await
}

fn refund_view(refund: &Refund) -> Value {
    json!({
        "refund": refund.refund,
        "transaction": refund.transaction,
        "status": refund.status,
        "reason": refund.reason(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettlementsQuery {
    merchant: String,
    date: Date,
}

async fn list_settlements(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<SettlementsQuery>,
) -> Result<Response, Refusal> {
    only_own(&caller, &query.merchant)?;
    answer(
        &app,
        |world| world.kept.faults.queries(&[]),
        |world| {
            if query.date >= world.kept.day {
                return Err(Refusal::conflict("day_open", "this day is not closed yet"));
            }
            let settlements = &world.kept.gateway.desk(&caller.0).settlements;
            let of_day = settlements.iter().filter(|settlement| settlement.day == query.date);
            Ok(Json(json!({"settlements": of_day.map(settlement_view).collect::<Vec<_>>()})).into_response())
        },
    )
    .await
}

fn settlement_view(settlement: &Settlement) -> Value {
    json!({
        "settlement": settlement.settlement,
        "currency": settlement.net.currency,
        "gross": settlement.gross.to_string(),
        "refunds": settlement.refunds.to_string(),
        "costs": settlement.costs.to_string(),
        "net": settlement.net.to_string(),
        "items": settlement.items.iter().map(item_view).collect::<Vec<_>>(),
    })
}

fn item_view(item: &Item) -> Value {
    json!({
        "transaction": item.transaction,
        "order": item.order,
        "kind": item.kind,
        "amount": item.amount.to_string(),
        "cost": item.cost.to_string(),
    })
}
