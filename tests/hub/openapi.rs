//! The API's document against what the hub does: no route without its entry, no entry without its route, and real
//! answers have the members that their schemas name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use axum::http::Method;
use mizan::http::problem::Code;
use serde_json::{Map, Value, json};

use crate::world::{TODAY, World};

/// Pages for developers, which are not calls.
const PAGES: [&str; 4] = ["/v1/openapi.json", "/v1/docs", "/v1/docs/redoc.js", "/v1/errors"];

impl World {
    async fn document(&self) -> Value {
        let reply = self.http.get(format!("{}/v1/openapi.json", self.base)).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        reply.json().await.unwrap()
    }
}

/// Method, path and operation of every entry.
fn operations(document: &Value) -> Vec<(Method, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            (method.to_uppercase().parse().unwrap(), path.as_str(), operation)
        })
    });
    all.collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn texts() -> Vec<String> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// A query that no call reads, and names in the path that are none.
fn nonsense(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "%FF" } else { part });
    format!("{}?limit=many&limit=1&%FF", parts.collect::<Vec<_>>().join("/"))
}

fn is_public(operation: &Value) -> bool {
    operation["security"].is_array()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_of_the_document_is_a_route_that_asks_for_a_signature() {
    let world = World::new().await;
    let document = world.document().await;
    let operations = operations(&document);
    assert!(operations.len() > 50, "{}", operations.len());
    for (method, path, operation) in operations {
        // Whatever else is wrong with it: first of all nobody signed it.
        let url = format!("{}{}", world.base, nonsense(path));
        let reply = world.http.request(method.clone(), &url).body("{").send().await.unwrap();
        let (status, body) = (reply.status().as_u16(), reply.text().await.unwrap());
        let unsigned = status == 401 && body.contains("signature_missing");
        assert!(is_public(operation) || unsigned, "{method} {path}: {status} {body}");
        assert!(!matches!(status, 404 | 405 | 500), "{method} {path}: {status} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_scope_is_told_so_whatever_it_asks() {
    let world = World::new().await;
    let document = world.document().await;
    let nobody = world.staff("nobody", &[]).await;
    for (method, path, operation) in operations(&document) {
        if is_public(operation) {
            continue;
        }
        let reply = nobody.send(method.clone(), &nonsense(path), "text/plain", b"{".to_vec(), None).await;
        let reply = reply.unwrap();
        let told = (reply.status, reply.json["code"].as_str().unwrap_or_default());
        // Everybody may end a key of their own; what belongs to others is not there.
        let expected = if path.ends_with("/revoke") { (404, "not_found") } else { (403, "forbidden_scope") };
        assert_eq!(told, expected, "{method} {path}: {}", reply.json);
    }
}

#[test]
fn every_call_comes_with_its_entry_in_the_document() {
    let texts = texts();
    let routes = texts.iter().flat_map(|text| text.split(".route(").skip(1));
    let paths = routes.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    let paths: BTreeSet<&str> = paths.filter(|path| path.starts_with("/v1")).collect();
    let undocumented: Vec<_> = paths.iter().filter(|path| !PAGES.contains(path)).collect();
    assert!(undocumented.is_empty(), "use .routes(routes!(..)) and #[utoipa::path] for {undocumented:?}");
}

#[test]
fn no_two_schemas_share_a_name() {
    let mut names = BTreeSet::new();
    for text in texts() {
        let (mut derives, mut renamed) = (false, None);
        for line in text.lines().map(str::trim) {
            derives |= line.contains("ToSchema") && (line.starts_with("#[derive(") || line.ends_with(','));
            if let Some((_, name)) = line.split_once("schema(as = ") {
                renamed = name.split(')').next().map(str::to_owned);
            }
            let words: Vec<&str> = line.split(|letter: char| !letter.is_alphanumeric()).collect();
            let place = words.iter().position(|word| matches!(*word, "struct" | "enum"));
            if let Some(place) = place.filter(|_| derives && !line.starts_with("//")) {
                let name = renamed.take().unwrap_or_else(|| words[place + 1].to_owned());
                assert!(names.insert(name.clone()), "two types are called {name} in the document");
                derives = false;
            }
        }
    }
    assert!(names.len() > 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_under_their_status() {
    let world = World::new().await;
    let document = world.document().await;
    for (method, path, operation) in operations(&document) {
        let text = operation["description"].as_str().unwrap_or("");
        let named = text.split_once("Refuses with").map_or("", |(_, named)| named);
        for slug in named.split('`').skip(1).step_by(2) {
            let code = Code::ALL.iter().find(|code| code.slug() == slug);
            let code = code.unwrap_or_else(|| panic!("{method} {path}: there is no code {slug}"));
            let listed = &operation["responses"][code.status().as_str()]["description"];
            assert!(
                listed.as_str().is_some_and(|listed| listed.contains(&format!("`{slug}`"))),
                "{path} {slug}"
            );
        }
    }
    let ids: Vec<_> = operations(&document).iter().map(|(.., one)| one["operationId"].to_string()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    let quotes = &document["paths"]["/v1/quotes"]["post"];
    assert_eq!(quotes["operationId"], "post_quotes");
    let parameters = quotes["parameters"].as_array().unwrap();
    assert!(parameters.iter().any(|one| one["name"] == "Idempotency-Key" && one["required"] == true));
    assert!(quotes["responses"]["401"]["description"].as_str().unwrap().contains("`signature_stale`"));
    assert!(quotes["responses"]["201"]["headers"]["Idempotent-Replayed"].is_object());
}

/// A schema without references, as the list of what it allows: the parts of an `allOf` are put together.
fn allowed(document: &Value, schema: &Value) -> Vec<Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        return allowed(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        return choices.iter().flat_map(|choice| allowed(document, choice)).collect();
    }
    let Some(parts) = schema["allOf"].as_array() else { return vec![schema.clone()] };
    let nothing = json!({ "type": "object", "properties": {}, "required": [] });
    parts.iter().fold(vec![nothing], |whole, part| {
        let choices = allowed(document, part);
        whole.iter().flat_map(|one| choices.iter().map(|choice| together(one, choice))).collect()
    })
}

fn together(one: &Value, other: &Value) -> Value {
    let mut properties: Map<String, Value> = one["properties"].as_object().cloned().unwrap_or_default();
    properties.extend(other["properties"].as_object().cloned().unwrap_or_default());
    let required =
        [one, other].into_iter().flat_map(|part| part["required"].as_array().cloned().unwrap_or_default());
    json!({ "type": "object", "properties": properties, "required": required.collect::<Vec<_>>() })
}

/// Whether a real value is what the schema says; every member of an object must be named.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let tried: Vec<_> =
        allowed(document, schema).iter().map(|one| fits_one(document, one, value, at)).collect();
    if tried.iter().any(Result::is_ok) {
        return Ok(());
    }
    Err(tried.into_iter().filter_map(Result::err).collect::<Vec<_>>().join(" | "))
}

fn fits_one(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => true,
    };
    if !allowed {
        return Err(format!("{at} is {kind}, not {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        return Err(format!("{at} is {value}, none of {words:?}"));
    }
    if let Value::Array(items) = value {
        let each = items.iter().enumerate();
        return each
            .into_iter()
            .try_for_each(|(n, item)| fits(document, &schema["items"], item, &format!("{at}/{n}")));
    }
    let (Value::Object(members), Some(properties)) = (value, schema["properties"].as_object()) else {
        return Ok(());
    };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        members.get(name).ok_or_else(|| format!("{at}/{name} is missing"))?;
    }
    members.iter().try_for_each(|(name, member)| {
        let schema = properties.get(name).ok_or_else(|| format!("{at}/{name} is in no schema"))?;
        fits(document, schema, member, &format!("{at}/{name}"))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn real_answers_have_the_members_their_schemas_name() {
    let world = World::new().await;
    let document = world.document().await;
    let check = |method: &str, path: &str, status: &str, value: &Value| {
        let answer = &document["paths"][path][method]["responses"][status]["content"];
        let schema = &answer["application/json"]["schema"];
        assert!(schema.is_object(), "{method} {path} has no answer {status}");
        fits(&document, schema, value, path)
            .unwrap_or_else(|why| panic!("{method} {path}: {why}\n{value:#}"));
    };
    let portal = world.portal();
    let lines = json!([{ "service": "interior/passport", "inputs": { "reason": "new", "urgent": true } }]);
    let quote = portal.post("/v1/quotes", &json!({ "currency": "ILS", "lines": lines })).await.unwrap();
    check("post", "/v1/quotes", "201", &quote.json);
    let intent = world.intent("CASE-1").await;
    check("post", "/v1/payment-intents", "201", &intent);
    world.pay_by_card(&intent).await;
    let id = intent["id"].as_str().unwrap();
    let paid = world.find_intent(id).await;
    check("get", "/v1/payment-intents/{id}", "200", &paid);
    let receipt = format!("/v1/receipts/{}", paid["receipt"]["number"].as_str().unwrap());
    check("get", "/v1/receipts/{number}", "200", &world.get(&receipt).await.json);
    let refund = json!({ "source": id, "refundable": paid["refundable"], "reason": "example" });
    let refund = portal.post("/v1/refunds", &refund).await.unwrap();
    check("post", "/v1/refunds", "201", &refund.json);
    let hook = json!({ "url": "http://127.0.0.1:9/hooks" });
    let hook = portal.post("/v1/webhook-endpoints", &hook).await.unwrap();
    check("post", "/v1/webhook-endpoints", "201", &hook.json);
    let prices = world.http.get(format!("{}/v1/price-list", world.base)).send().await.unwrap();
    check("get", "/v1/price-list", "200", &prices.json().await.unwrap());
    let day = world.get(&format!("/v1/reports/daily?date={TODAY}")).await;
    check("get", "/v1/reports/daily", "200", &day.json);
    let lists = ["/v1/services", "/v1/payment-intents", "/v1/events", "/v1/refunds", "/v1/webhook-endpoints"];
    for path in lists {
        check("get", path, "200", &world.get(path).await.json);
    }
    let officer = &world.people.reconciler.client;
    for file in world.close_day(TODAY).await {
        let (_, taken) = world.upload(&file).await;
        check("post", "/v1/finance/statements", "201", &taken);
    }
    let done = officer.post("/v1/finance/reconcile", &json!({})).await.unwrap();
    check("post", "/v1/finance/reconcile", "200", &done.json);
    for path in
        ["/v1/finance/statements", "/v1/finance/breaks", "/v1/finance/refunds", "/v1/finance/payment-files"]
    {
        check("get", path, "200", &officer.get(path).await.unwrap().json);
    }
    let proof = officer.get(&format!("/v1/finance/reports/daily?date={TODAY}")).await.unwrap();
    check("get", "/v1/finance/reports/daily", "200", &proof.json);
    let wrong = json!({ "type": "object", "properties": { "id": {} }, "required": ["id"] });
    assert!(
        fits(&document, &wrong, &json!({ "id": 1, "more": 2 }), "").is_err(),
        "the check itself can fail"
    );
}
