//! `/v1/quotes`: a signed price for a basket.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{BasketBody, field_code, finish};
use super::view::{self, QuoteView};
use super::{NewQuote, PriceCode, Quote, QuoteError, service, store};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::path::Path;
use crate::http::problem::{Code, Faults, FieldError, Problem};
use crate::http::together::{Results, Together};
use crate::ids::QuoteId;
use crate::tx::Tx;

/// Baskets that wait for their price.
pub type Waiting = Together<NewQuote>;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(find))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewQuote)]
struct QuoteBody {
    #[schema(value_type = String, required = true)]
    currency: Option<String>,
    #[schema(value_type = Vec<super::body::LineBody>, required = true)]
    lines: Option<Value>,
}

/// What does it cost, and why? A signed price for a basket.
///
/// Each amount is told with the article it is charged by and an explanation in both languages. The promise holds until
/// `expires_at` and opens one payment intent. Refuses with `no_tariff`, `service_suspended`, `validation_failed`.
#[utoipa::path(post, path = "/v1/quotes", tag = "quotes", request_body = QuoteBody, responses((status = CREATED, body = QuoteView), Refusals))]
async fn create(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    let portal = call.portal(&Scope::QuotesWrite)?;
    let QuoteBody { currency, lines } = call.json::<QuoteBody>()?;
    let mut faults = Faults::default();
    let basket = BasketBody { currency, lines }.read(portal, &mut faults);
    let new = finish(faults, Some(basket), &app, &call).await?.ok_or(Problem::new(Code::ValidationFailed))?;
    app.once_together(&app.quotes, (call, new), StatusCode::CREATED, |tx, all| Box::pin(create_all(tx, all)))
        .await
}

async fn create_all(tx: &mut Tx, all: &[&NewQuote]) -> Results<QuoteView, QuoteError> {
    let quotes = service::create_all(tx, all).await?;
    let shown = |quote: Result<Quote, QuoteError>| Ok(view::quote(tx.hub(), &quote?, tx.now()));
    Ok(quotes.into_iter().map(shown).collect())
}

/// Read a quote.
///
/// Refuses with `quote_not_found`.
#[utoipa::path(get, path = "/v1/quotes/{id}", tag = "quotes", params(("id" = String, Path)), responses((status = OK, body = QuoteView), Refusals))]
async fn find(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Json<QuoteView>, Problem> {
    let portal = call.portal(&Scope::QuotesWrite)?;
    let id: QuoteId = id.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let quote = store::find(&mut conn, id).await?.filter(|quote| quote.portal == portal);
    let quote = quote.ok_or(Problem::new(Code::QuoteNotFound))?;
    Ok(Json(view::quote(&app.hub, &quote, app.clock.now())))
}

impl From<QuoteError> for Problem {
    fn from(error: QuoteError) -> Self {
        let detail = error.to_string();
        let problem = match error {
            QuoteError::NotFound => Self::new(Code::QuoteNotFound),
            QuoteError::Expired { .. } => Self::new(Code::QuoteExpired),
            QuoteError::Used { by } => Self::new(Code::QuoteUsed).with("payment_intent", by.to_string()),
            QuoteError::Price(error) => return price_problem(&error),
            QuoteError::Fault(fault) => return fault.into(),
        };
        problem.detail(detail)
    }
}

/// Every fault of a basket under its pointer; a missing tariff is a refusal of its own.
fn price_problem(error: &super::PriceError) -> Problem {
    let no_tariff = |code| matches!(code, PriceCode::CurrencyNotOffered | PriceCode::NoVersion);
    let no_tariff = error.faults.iter().all(|fault| no_tariff(fault.code));
    let code = if no_tariff { Code::NoTariff } else { Code::ValidationFailed };
    let mut problem = Problem::new(code).detail(error.to_string());
    for fault in &error.faults {
        problem = problem.field(FieldError::new(fault.field.clone(), field_code(fault.code)));
    }
    problem
}
