//! The OpenAPI document: written by the handlers themselves, so that it cannot drift from what they do.
//!
//! How a handler joins it: it carries `#[utoipa::path]`, its bodies derive `ToSchema`, and its slice registers it
//! through `routes!`, which makes the axum route and the document's entry in one stroke:
//!
//! ```
//! use mizan::http::openapi::Refusals;
//! use mizan_ledger::EntryId;
//! use utoipa_axum::router::OpenApiRouter;
//! use utoipa_axum::routes;
//!
//! #[derive(serde::Serialize, utoipa::ToSchema)]
//! struct EntryView {
//!     id: EntryId,
//!     amount: mizan_ledger::Money,
//! }
//!
//! /// Read an entry.
//! #[utoipa::path(get, path = "/v1/entries/{id}", tag = "book", params(("id" = String, Path)),
//!     responses((status = OK, body = EntryView), Refusals))]
//! async fn read() {}
//!
//! fn routes() -> OpenApiRouter {
//!     OpenApiRouter::new().routes(routes!(read))
//! }
//! # let (_router, document) = OpenApiRouter::with_openapi(mizan::http::openapi::base()).merge(routes()).split_for_parts();
//! # assert!(document.paths.paths.contains_key("/v1/entries/{id}"));
//! ```
//!
//! One `routes!` holds the methods of one path. The router of the hub starts from [`base`]; after
//! `split_for_parts()` the document is finished by [`finish`], served as `/v1/openapi.json`, and [`super::docs`] shows
//! it. A public call says so with `security(())`; every other one is signed. A handler's own refusals stand in its
//! comment (`Refuses with `quote_used`.`) and get their status from [`Code`](super::problem::Code).

use std::collections::BTreeMap;

use axum::http::StatusCode;
use mizan_ledger::Money;
use serde::Serialize;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

use super::language::Language;
use super::problem::Code;

/// A refusal (RFC 9457). Go by `code`; docs/errors.md and `/v1/errors` explain each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemSchema {
    /// The page that explains the code.
    #[schema(rename = "type", example = "/v1/errors#validation_failed")]
    pub kind: String,
    /// For people: in Arabic, or in English where Accept-Language prefers it.
    #[schema(example = "في الطلب حقول غير صحيحة")]
    pub title: String,
    #[schema(example = 422)]
    pub status: u16,
    /// Stable: for programs.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// `later` the same again, `changed` mend it first, `never` read the resource instead.
    #[schema(example = "changed")]
    pub retry: String,
    /// For developers, in English.
    pub detail: Option<String>,
    /// Quote it when you ask for help.
    pub request_id: Option<String>,
    pub errors: Vec<FieldErrorSchema>,
}

/// One fault of one field.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldError)]
pub struct FieldErrorSchema {
    /// JSON pointer into the body; for a query parameter, `/` and its name.
    #[schema(example = "/lines/0/amount/amount")]
    pub field: String,
    #[schema(example = "not_a_string")]
    pub code: String,
    pub title: String,
}

/// The answers that every call may give besides its own: `responses(.., Refusals)`.
#[derive(Debug)]
pub struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([("default".to_owned(), refusal("Refused: a problem with a stable code.").into())])
    }
}

fn refusal(description: &str) -> Response {
    let problem = RefOr::Ref(utoipa::openapi::Ref::from_schema_name("Problem"));
    let content = Content::new(Some(problem));
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

/// The document before any handler: title, signing, and the schemas that all calls share.
pub fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mizan",
        description = "Quotes, payments, refunds, receipts and events of a government's payment hub.\n\n\
            Money is a decimal string with its currency; instants are RFC 3339 in UTC; ids are prefixed. Unknown \
            fields in requests are refused; answers may gain fields and enum values, which clients pass over. \
            Every POST, PUT, PATCH and DELETE carries an `Idempotency-Key`, and a repeated request gets the first \
            answer again with `Idempotent-Replayed: true`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Money, ProblemSchema, FieldErrorSchema)),
    security(("signature" = [])),
    modifiers(&Signing)
)]
struct Base;

struct Signing;

impl Modify for Signing {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "Signature",
            "HTTP Message Signatures (RFC 9421). `Signature-Input` covers `@method`; `@authority`, `@path` and, \
             when there is a query, `@query` (or `@target-uri` for the three); `content-digest` (RFC 9530, sha-256 \
             or sha-512) whenever there is a body; `idempotency-key` on every request that changes anything. \
             Parameters: `created`, within 300 seconds of the hub's clock, and `keyid`; `nonce`, `expires`, `tag` \
             and `alg` may be added. Algorithms: `hmac-sha256` and `ed25519`, as the key was registered. \
             `mizan call METHOD PATH --explain` shows the text that is signed; in test mode a 401 carries the hub's \
             own as `signature_base`.",
        )));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("signature", scheme);
    }
}

/// Adds to every operation what all of its kind have in common, and its own refusals under their status.
pub fn finish(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let writes = method != "get";
            operation.operation_id = Some(operation_id(method, path));
            let signed = operation.security.is_none();
            let mut codes = refusals_of(operation);
            if signed {
                codes.extend(Code::ALL.iter().filter(|code| code.status() == StatusCode::UNAUTHORIZED));
                codes.retain(|code| *code != Code::LoginRefused);
                codes.push(Code::ForbiddenScope);
            }
            if signed && writes {
                codes.extend([Code::IdempotencyKeyMissing, Code::IdempotencyKeyInvalid]);
                codes.extend([Code::IdempotencyKeyBusy, Code::IdempotencyKeyReused]);
                operation.parameters.get_or_insert_default().push(idempotency_key().into());
                mark_replays(operation);
            }
            add(operation, &codes);
        }
    }
    document
}

/// The operations of a path with their methods.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// `post_quotes`, `get_payment_intents_id`: a name that code generators can use, and no two calls share.
fn operation_id(method: &str, path: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let words: String = path.trim_start_matches("/v1").chars().map(plain).collect();
    let words = words.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    format!("{method}_{words}")
}

/// The codes that an operation's own comment names.
fn refusals_of(operation: &Operation) -> Vec<Code> {
    let text = operation.description.as_deref().unwrap_or_default();
    let Some((_, named)) = text.split_once("Refuses with") else { return Vec::new() };
    let slugs = named.split('`').skip(1).step_by(2);
    slugs.filter_map(|slug| Code::ALL.iter().copied().find(|code| code.slug() == slug)).collect()
}

fn add(operation: &mut Operation, codes: &[Code]) {
    let mut by_status: BTreeMap<String, BTreeMap<&str, &str>> = BTreeMap::new();
    for code in codes {
        let status = code.status().as_u16().to_string();
        by_status.entry(status).or_default().insert(code.slug(), code.title(Language::English));
    }
    for (status, codes) in by_status {
        let lines = codes.iter().map(|(slug, title)| format!("- `{slug}`: {title}"));
        let text = lines.collect::<Vec<_>>().join("\n");
        operation.responses.responses.insert(status, refusal(&text).into());
    }
}

fn idempotency_key() -> utoipa::openapi::path::Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(
            "1 to 255 visible ASCII characters, new for each operation and the same for its retries.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// A repeated request gets the first answer with one more header.
fn mark_replays(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let header = HeaderBuilder::new().description(Some("`true` on an answer given before.")).build();
            response.headers.insert("Idempotent-Replayed".to_owned(), header.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use mizan_ledger::EntryId;
    use serde_json::{Value, json};
    use utoipa_axum::router::OpenApiRouter;
    use utoipa_axum::routes;

    use super::*;
    use crate::http::page::Page;
    use crate::http::problem::{Code, FieldCode, FieldError, Problem};

    #[derive(Serialize, ToSchema)]
    struct EntryView {
        id: EntryId,
        amount: mizan_ledger::Money,
    }

    /// Read an entry.
    #[utoipa::path(get, path = "/v1/entries", responses((status = OK, body = Page<EntryView>), Refusals))]
    async fn read() {}

    fn document() -> Value {
        let (_, document) = OpenApiRouter::<()>::with_openapi(base()).routes(routes!(read)).split_for_parts();
        serde_json::to_value(document).expect("JSON")
    }

    #[test]
    fn a_handler_brings_its_schemas_into_the_document() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        let answers = &document["paths"]["/v1/entries"]["get"]["responses"];
        let page =
            answers["200"]["content"]["application/json"]["schema"]["$ref"].as_str().expect("a reference");
        let page = document.pointer(page.trim_start_matches('#')).expect("it leads somewhere");
        assert!(page["properties"]["next_cursor"].is_object(), "{page}");
        let entry = &document["components"]["schemas"]["EntryView"]["properties"];
        assert_eq!(entry["id"], json!({"$ref": "#/components/schemas/EntryId"}));
        assert_eq!(document["components"]["schemas"]["EntryId"]["pattern"], "^en_[0-9a-f]{32}$");
        assert_eq!(entry["amount"], json!({"$ref": "#/components/schemas/Money"}));
        let refused = &answers["default"]["content"]["application/problem+json"]["schema"];
        assert_eq!(*refused, json!({"$ref": "#/components/schemas/Problem"}));
        assert_eq!(document["security"], json!([{"signature": []}]));
        assert_eq!(document["components"]["securitySchemes"]["signature"]["name"], "Signature");
    }

    #[test]
    fn the_documented_problem_has_the_members_of_a_real_one() {
        let schemas = &document()["components"]["schemas"];
        let real = Problem::new(Code::ValidationFailed).field(FieldError::new("/a", FieldCode::Required));
        let real = real.to_json(crate::http::language::Language::English, None);
        let members = |value: &Value| -> Vec<String> {
            let mut names: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(members(&schemas["Problem"]["properties"]), members(&real));
        assert_eq!(members(&schemas["FieldError"]["properties"]), members(&real["errors"][0]));
        let money =
            serde_json::to_value(mizan_ledger::Money::new(1, mizan_ledger::Currency::JOD)).expect("JSON");
        assert_eq!(members(&schemas["Money"]["properties"]), members(&money));
    }
}
