//! The OpenAPI document: written by the handlers themselves, so that it cannot drift from what they do.
//!
//! How a handler joins it: it carries `#[utoipa::path]`, its bodies derive `ToSchema`, and its slice registers it
//! through `routes!`, which makes the axum route and the document's entry in one stroke:
//!
//! ```
//! use mizan::http::openapi::{MoneySchema, Refusals, id};
//! use mizan_ledger::EntryId;
//! use utoipa_axum::router::OpenApiRouter;
//! use utoipa_axum::routes;
//!
//! #[derive(serde::Serialize, utoipa::ToSchema)]
//! struct EntryView {
//!     #[schema(schema_with = id::<EntryId>)]
//!     id: EntryId,
//!     #[schema(value_type = MoneySchema)]
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
//! `split_for_parts()` the document is served as `/v1/openapi.json`, and [`super::docs`] shows it. A public call
//! says so with `security(())`; every other one is signed.

use std::collections::BTreeMap;

use mizan_ledger::Id;
use serde::Serialize;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

/// Money on the wire: `#[schema(value_type = MoneySchema)]` on a field of type `Money`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Money)]
pub struct MoneySchema {
    /// A decimal string, never a number. Answers carry exactly the currency's decimals (JOD three, ILS two);
    /// requests may carry fewer.
    #[schema(pattern = r"^-?[0-9]+(\.[0-9]+)?$", example = "12.500")]
    pub amount: String,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$", example = "JOD")]
    pub currency: String,
}

/// An id on the wire: `#[schema(schema_with = id::<IntentId>)]`.
pub fn id<T: Id>() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^{}_[0-9a-f]{{32}}$", T::PREFIX)))
        .examples([format!("{}_01936f2c5b7a7c3e8f1a2b3c4d5e6f70", T::PREFIX)])
        .build()
}

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
        let refusal = ResponseBuilder::new()
            .description("Refused: a problem with a stable code.")
            .content(
                "application/problem+json",
                Content::new(Some(RefOr::Ref(utoipa::openapi::Ref::from_schema_name("Problem")))),
            )
            .build();
        BTreeMap::from([("default".to_owned(), refusal.into())])
    }
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
    components(schemas(MoneySchema, ProblemSchema, FieldErrorSchema)),
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
        #[schema(schema_with = id::<EntryId>)]
        id: EntryId,
        #[schema(value_type = MoneySchema)]
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
        assert_eq!(entry["id"]["pattern"], "^en_[0-9a-f]{32}$");
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
