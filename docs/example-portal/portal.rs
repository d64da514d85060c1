//! An example portal: a small server that holds its key and sells with the public API alone. Choose a service, see why
//! it costs what it costs, pay at the hub, come back for the receipt. README.md says how to start it.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::Environment;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::client::Client;
use crate::entropy::Entropy;

type Fields = HashMap<String, String>;

/// What the portal knows: its key to the hub, and where payers reach it.
#[derive(Debug, Clone)]
struct Portal {
    hub: Client,
    base: String,
    entropy: Entropy,
}

/// Serves until the task is dropped. `http://<address>/` must stand among the portal's return URL prefixes.
///
/// # Errors
/// When the listener fails.
pub async fn serve(hub: Client, listener: TcpListener) -> std::io::Result<()> {
    let base = format!("http://{}", listener.local_addr()?);
    let routes = Router::new().route("/", get(shop)).route("/pay", post(pay)).route("/back", get(back));
    axum::serve(listener, routes.with_state(Portal { hub, base, entropy: Entropy::system() })).await
}

/// The hub did not answer; the payer is told so, and nothing has happened.
struct Down(String);

impl<E: std::error::Error> From<E> for Down {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Down {
    fn into_response(self) -> Response {
        tracing::warn!(why = self.0, "the example portal has no page to show");
        let text = "الخدمة غير متاحة الآن، أعد المحاولة بعد قليل. | Not available now, please try again soon.";
        (StatusCode::BAD_GATEWAY, text).into_response()
    }
}

/// The services; the inputs of the chosen one; its price, explained, once the inputs are there.
async fn shop(State(portal): State<Portal>, Query(given): Query<Fields>) -> Result<Response, Down> {
    let lang = language(&given);
    let hub = portal.hub.in_language(lang);
    let mut services = hub.get("/v1/services").await?.json["data"].take();
    let sold = services.as_array_mut().into_iter().flatten().filter(|one| one["fee"].is_object());
    let mut sold: Vec<Value> = sold.map(Value::take).collect();
    let place =
        sold.iter().position(|one| Some(one["code"].as_str().unwrap_or("")) == named(&given, "service"));
    let Some(chosen) = place.map(|place| sold.swap_remove(place)) else {
        return page(lang, json!({ "services": sold }));
    };
    let Some(currency) = given.get("currency") else {
        return page(lang, json!({ "chosen": chosen, "given": given }));
    };
    let line = json!({ "service": chosen["code"], "inputs": inputs(&chosen, &given) });
    let priced = hub.post("/v1/quotes", &json!({ "currency": currency, "lines": [line] })).await?;
    let part = if priced.status == 201 { "quote" } else { "problem" };
    page(lang, json!({ "chosen": chosen, "given": given, part: priced.json }))
}

/// The inputs in the types that the fee asks for. What cannot be read is sent as it is: the hub says what is wrong.
fn inputs(service: &Value, given: &Fields) -> Map<String, Value> {
    let wanted = service["fee"]["inputs"].as_array().into_iter().flatten();
    let inputs = wanted.filter_map(|input| {
        let code = input["code"].as_str()?;
        let value = match (input["type"].as_str(), given.get(code)) {
            (Some("boolean"), given) => json!(given.is_some()),
            (Some("integer"), Some(text)) => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
            (_, Some(text)) => json!(text),
            (_, None) => return None,
        };
        Some((code.to_owned(), value))
    });
    inputs.collect()
}

/// Opens the payment at the promised price and sends the payer to the hub's page.
async fn pay(State(portal): State<Portal>, Form(given): Form<Fields>) -> Result<Response, Down> {
    let lang = language(&given);
    let body = json!({
        "quote": given.get("quote"),
        "external_reference": portal.entropy.token::<10>(),
        "payer": { "kind": "person", "language": lang },
        "return_url": format!("{}/back?lang={lang}", portal.base),
    });
    let hub = portal.hub.in_language(lang);
    let mut opened = hub.post("/v1/payment-intents", &body).await?.json;
    // Pressed a second time: the quote has its payment already, and the refusal names it.
    if let (Some("quote_used"), Some(id)) = (opened["code"].as_str(), opened["payment_intent"].as_str()) {
        opened = hub.get(&format!("/v1/payment-intents/{id}")).await?.json;
    }
    match opened["pay_url"].as_str() {
        Some(url) => Ok(Redirect::to(url).into_response()),
        None => page(lang, json!({ "problem": opened })),
    }
}

/// Nothing in the address is believed but which payment it is: the hub is asked how it stands.
async fn back(State(portal): State<Portal>, Query(given): Query<Fields>) -> Result<Response, Down> {
    let lang = language(&given);
    let hub = portal.hub.in_language(lang);
    let id = named(&given, "payment_intent").unwrap_or("none");
    let id: String = id.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
    let read = hub.get(&format!("/v1/payment-intents/{id}")).await?;
    if read.status != 200 {
        return page(lang, json!({ "problem": read.json }));
    }
    let receipt = match read.json["receipt"]["number"].as_str() {
        Some(number) => hub.get(&format!("/v1/receipts/{number}")).await?.json,
        None => Value::Null,
    };
    page(lang, json!({ "intent": read.json, "receipt": receipt }))
}

fn named<'a>(given: &'a Fields, name: &str) -> Option<&'a str> {
    given.get(name).map(String::as_str)
}

fn language(given: &Fields) -> &'static str {
    if named(given, "lang") == Some("en") { "en" } else { "ar" }
}

/// The one page; everything in it is escaped.
fn page(lang: &str, mut values: Value) -> Result<Response, Down> {
    values["lang"] = lang.into();
    let mut pages = Environment::new();
    pages.add_template("page.html", include_str!("page.html"))?;
    let html = pages.get_template("page.html")?.render(minijinja::value::Serde(values))?;
    Ok(Html(html).into_response())
}
